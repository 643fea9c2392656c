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
 * Scripts as units. Their text comes as a credential and is never in the store. Each has a stamp for
 * its instance and content, made before the script starts: a script that reboots the machine does not
 * run again and again. What runs at each boot has it in /run, which is gone with the boot.
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
    ...sequence(concern, late),
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

function service(concern: Concern, named: Named, order: readonly AttrsEntry[]): Assignment {
  const { command, unit, index } = named;
  const file = fileOf(concern, named);
  const stamp = stampOf(concern, named);
  const value = attrs([
    bind("description", str(`Run ${command.name} of the spec`)),
    ...order,
    bind("unitConfig", attrs([bind("ConditionPathExists", str(`!${stamp}`))])),
    bind("path", list([ref("pkgs", "bash"), str("/run/wrappers"), str("/run/current-system/sw")])),
    bind("environment", attrs([bind("HOME", str("/root"))])),
    bind("restartIfChanged", bool(false)),
    bind("script", script(command, file, stamp)),
    bind("serviceConfig", serviceConfig(command, file)),
  ]);
  return assign(["systemd", "services", unit], value, ["commands", String(index)]);
}

function script(command: Command, file: CredentialFile, stamp: string): NixExpr {
  const durable = command.frequency === "always" ? "" : `sync ${stamp} ${stamps.durable}\n`;
  const mark = `install -D -m 0600 /dev/null ${stamp}\n${durable}`;
  const shell = command.interpreter === "bash" ? "bash" : "sh";
  return str(`${mark}exec ${shell} "$CREDENTIALS_DIRECTORY"/${shellWord(file.name)}\n`);
}

function serviceConfig(command: Command, file: CredentialFile): NixExpr {
  const { key, line } = loadCredential(file);
  return attrs([
    bind("Type", str("oneshot")),
    // Less than an activation may take: a script that hangs is then what has failed.
    ...(command.when === "early" ? [bind("TimeoutStartSec", str("5min"))] : []),
    bind(key, list([str(line)])),
  ]);
}

/**
 * Starts the late commands in their order; each is a unit of its own, and fails on its own. A switch
 * starts the unit again when what is to run has changed: another text, another instance. What has its
 * stamp does not run again.
 */
function sequence(concern: Concern, late: readonly Named[]): readonly Assignment[] {
  if (late.length === 0) return [];
  const after = [
    "network-online.target",
    "firstlight-files.service",
    "firstlight-files-deferred.service",
  ];
  const starts = late.map((named) => startLines(named, stampOf(concern, named)));
  const version = sha256(late.map((named) => stampOf(concern, named)).join("\0"));
  const value = attrs([
    bind("description", str("Run the late commands of the spec, one after another")),
    bind("wantedBy", list([str("multi-user.target")])),
    bind("wants", list([str("network-online.target")])),
    bind("after", list(after.map(str))),
    bind("restartTriggers", list([str(version)])),
    bind("script", str(starts.join(""))),
    bind("serviceConfig", attrs([bind("Type", str("exec")), bind("RemainAfterExit", bool(true))])),
  ]);
  return [assign(["systemd", "services", "firstlight-commands"], value, ["commands"])];
}

/** A start while the unit still runs as it was before is only a wait for that: one more follows. */
function startLines({ unit }: Named, stamp: string): string {
  const start = `systemctl start ${unit}.service || true\n`;
  return `${start}[ -e ${stamp} ] || ${start}`;
}

function fileOf(concern: Concern, { command }: Named): CredentialFile {
  return credential(concern, command.script.secretRef);
}

const stamps = { durable: "/var/lib/firstlight/stamps", boot: "/run/firstlight/stamps" } as const;

/** The file that says that a command has run. */
function stampOf(concern: Concern, named: Named): string {
  const { command, unit } = named;
  const scope = command.frequency === "instance" ? concern.instanceId : command.frequency;
  const digest = sha256(`${scope}\0${fileOf(concern, named).file}`).slice(0, 16);
  const directory = command.frequency === "always" ? stamps.boot : stamps.durable;
  return `${directory}/${unit.slice(unitPrefix.length)}-${digest}`;
}

const unitPrefix = "firstlight-command-";

function uniqueName(wanted: string, taken: Set<string>): string {
  let name = `${unitPrefix}${wanted}`;
  for (let next = 2; taken.has(name); next++) name = `${unitPrefix}${wanted}-${next}`;
  taken.add(name);
  return name;
}
