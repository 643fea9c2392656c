import { sha256 } from "#core/canonical-json.ts";
import type { Command } from "#generated/provisioner/spec/v1.ts";
import {
  type AttrsEntry,
  attrs,
  bind,
  bool,
  list,
  type NixExpr,
  ref,
  str,
} from "#provisioner/nix-language/tree.ts";
import {
  type Assignment,
  assign,
  type Concern,
  credential,
  loadCredential,
  shellWord,
} from "./assignment.ts";
import type { CredentialFile } from "./base.ts";

/** A command with the name of its unit, without suffix. */
interface Named {
  readonly command: Command;
  readonly unit: string;
  readonly index: number;
}

/**
 * Scripts as units. Their text comes as a credential and is never in the store. What runs once has
 * a stamp for its instance and content, made before the script starts: a script that reboots the
 * machine does not run again and again.
 *
 * Early ones are part of the boot. Late ones are started one after another by a unit that a switch
 * does not wait for: they may take long, and may switch the system themselves.
 */
export function renderCommands(concern: Concern): readonly Assignment[] {
  const taken = new Set<string>();
  const named = (concern.spec.commands ?? []).map((command, index) => ({
    command,
    index,
    unit: uniqueName(command.name, taken),
  }));
  const early = named.filter(({ command }) => command.when === "early");
  const late = named.filter(({ command }) => command.when === "late");
  return [
    ...early.map((each, at) => {
      const before = early[at - 1]?.unit;
      return service(concern, each, earlyOrder(before));
    }),
    ...late.map((each) => service(concern, each, [])),
    ...sequence(late),
  ];
}

function earlyOrder(before: string | undefined): readonly AttrsEntry[] {
  const after = [
    "firstlight-files.service",
    ...(before === undefined ? [] : [`${before}.service`]),
  ];
  return [
    bind("wantedBy", list([str("multi-user.target")])),
    bind("wants", list([str("network-pre.target")])),
    bind("before", list([str("network-pre.target")])),
    bind("after", list(after.map(str))),
  ];
}

function service(
  concern: Concern,
  { command, unit, index }: Named,
  order: readonly AttrsEntry[],
): Assignment {
  const file = credential(concern, command.script.secretRef);
  const stamp = stampOf(concern, { command, unit, index }, file);
  const value = attrs([
    bind("description", str(`Run ${command.name} of the spec`)),
    ...order,
    ...(stamp === undefined
      ? []
      : [bind("unitConfig", attrs([bind("ConditionPathExists", str(`!${stamp}`))]))]),
    bind("path", list([ref("pkgs", "bash"), str("/run/wrappers"), str("/run/current-system/sw")])),
    bind("environment", attrs([bind("HOME", str("/root"))])),
    bind("restartIfChanged", bool(false)),
    bind("script", script(command, file, stamp)),
    bind("serviceConfig", serviceConfig(command, file)),
  ]);
  return assign(["systemd", "services", unit], value, ["commands", String(index)]);
}

function script(command: Command, file: CredentialFile, stamp: string | undefined): NixExpr {
  const mark =
    stamp === undefined
      ? ""
      : `install -D -m 0600 /dev/null ${stamp}\nsync ${stamp} /var/lib/firstlight/stamps\n`;
  const shell = command.interpreter === "bash" ? "bash" : "sh";
  return str(`${mark}exec ${shell} "$CREDENTIALS_DIRECTORY"/${shellWord(file.name)}\n`);
}

function serviceConfig(command: Command, file: CredentialFile): NixExpr {
  const { key, line } = loadCredential(file);
  return attrs([
    bind("Type", str("oneshot")),
    ...(command.frequency === "always" ? [bind("RemainAfterExit", bool(true))] : []),
    // Less than an activation may take: a script that hangs is then what has failed.
    ...(command.when === "early" ? [bind("TimeoutStartSec", str("5min"))] : []),
    bind(key, list([str(line)])),
  ]);
}

/** Starts the late commands in their order; each is a unit of its own, and fails on its own. */
function sequence(late: readonly Named[]): readonly Assignment[] {
  if (late.length === 0) return [];
  const after = [
    "network-online.target",
    "firstlight-files.service",
    "firstlight-files-deferred.service",
  ];
  const value = attrs([
    bind("description", str("Run the late commands of the spec, one after another")),
    bind("wantedBy", list([str("multi-user.target")])),
    bind("wants", list([str("network-online.target")])),
    bind("after", list(after.map(str))),
    bind(
      "script",
      str(late.map(({ unit }) => `systemctl start ${unit}.service || true\n`).join("")),
    ),
    bind("serviceConfig", attrs([bind("Type", str("exec")), bind("RemainAfterExit", bool(true))])),
  ]);
  return [assign(["systemd", "services", "firstlight-commands"], value, ["commands"])];
}

/** The file that says that a command has run; `undefined` for one that always does. */
function stampOf(
  { instanceId }: Concern,
  { command, unit }: Named,
  file: CredentialFile,
): string | undefined {
  if (command.frequency === "always") return undefined;
  const scope = command.frequency === "once" ? "once" : instanceId;
  const digest = sha256(`${scope}\0${file.file}`).slice(0, 16);
  return `/var/lib/firstlight/stamps/${unit.slice(unitPrefix.length)}-${digest}`;
}

const unitPrefix = "firstlight-command-";

function uniqueName(wanted: string, taken: Set<string>): string {
  let name = `${unitPrefix}${wanted}`;
  for (let next = 2; taken.has(name); next++) name = `${unitPrefix}${wanted}-${next}`;
  taken.add(name);
  return name;
}
