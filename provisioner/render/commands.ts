import { sha256 } from "#core/canonical-json.ts";
import type { Command } from "#generated/provisioner/spec/v1.ts";
import { attrs, bind, bool, interpolated, list, ref, str } from "#provisioner/nix-language/tree.ts";
import {
  type Assignment,
  assign,
  type Concern,
  credential,
  loadCredential,
  shellWord,
} from "./assignment.ts";
import type { CredentialFile } from "./base.ts";

/**
 * Scripts as units. Their text comes as a credential and is never in the store. What runs once has
 * a stamp for its instance and content, made before the script starts: a script that reboots the
 * machine does not run again and again.
 */
export function renderCommands(concern: Concern): readonly Assignment[] {
  const taken = new Set<string>();
  return (concern.spec.commands ?? []).map((command, index) => {
    const name = uniqueName(command.name, taken);
    const file = credential(concern, command.script.secretRef);
    const unit = attrs([
      bind("description", str(`Run ${command.name} of the spec`)),
      bind("wantedBy", list([str("multi-user.target")])),
      ...order(command),
      ...(command.frequency === "always"
        ? []
        : [
            bind(
              "unitConfig",
              attrs([bind("ConditionPathExists", str(`!${stamp(concern, command, file)}`))]),
            ),
          ]),
      bind("path", list([str("/run/current-system/sw")])),
      bind("environment", attrs([bind("HOME", str("/root"))])),
      bind("restartIfChanged", bool(false)),
      bind("script", script(concern, command, file)),
      bind("serviceConfig", serviceConfig(command, file)),
    ]);
    return assign(["systemd", "services", name], unit, ["commands", String(index)]);
  });
}

function order(command: Command) {
  const files = str("firstlight-files.service");
  if (command.when === "early") {
    return [
      bind("before", list([str("network-pre.target")])),
      bind("wants", list([str("network-pre.target")])),
      bind("after", list([files])),
    ];
  }
  return [
    bind("wants", list([str("network-online.target")])),
    bind(
      "after",
      list([str("network-online.target"), files, str("firstlight-files-deferred.service")]),
    ),
  ];
}

function script(concern: Concern, command: Command, file: CredentialFile) {
  const path = stamp(concern, command, file);
  const mark =
    command.frequency === "always" ? "" : `install -D -m 0600 /dev/null ${path}\nsync ${path}\n`;
  const shell = command.interpreter === "bash" ? "bash" : "sh";
  return interpolated(
    mark,
    "exec ",
    ref("pkgs", "bash"),
    `/bin/${shell} "$CREDENTIALS_DIRECTORY"/${shellWord(file.name)}\n`,
  );
}

function serviceConfig(command: Command, file: CredentialFile) {
  const { key, line } = loadCredential(file);
  const early = command.when === "early";
  return attrs([
    bind("Type", str(early ? "oneshot" : "exec")),
    ...(command.frequency === "always" ? [bind("RemainAfterExit", bool(true))] : []),
    ...(early ? [bind("TimeoutStartSec", str("15min"))] : []),
    bind(key, list([str(line)])),
  ]);
}

function stamp(concern: Concern, command: Command, file: CredentialFile): string {
  const scope = command.frequency === "once" ? "once" : concern.instanceId;
  return `/var/lib/firstlight/stamps/${command.name}-${sha256(`${scope}\0${file.file}`).slice(0, 16)}`;
}

function uniqueName(wanted: string, taken: Set<string>): string {
  let name = `firstlight-command-${wanted}`;
  for (let next = 2; taken.has(name); next++) name = `firstlight-command-${wanted}-${next}`;
  taken.add(name);
  return name;
}
