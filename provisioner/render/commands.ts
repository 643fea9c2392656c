import { sha256 } from "#core/canonical-json.ts";
import type { Command, Spec } from "#generated/provisioner/spec/v1.ts";
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
import { passwordUnit, setsPasswords } from "./account-passwords.ts";
import {
  type Assignment,
  addFinding,
  assign,
  type Concern,
  credential,
  firstSaid,
  loadCredentials,
  shellWord,
} from "./assignment.ts";
import type { CredentialFile } from "./base.ts";
import { credentialLimitBytes, sizeOf } from "./credential-limit.ts";
import { enablingSystemctl, renderEnabledUnits } from "./enabled-units.ts";
import { instanceScope } from "./instance-scope.ts";
import { storageUnits } from "./mount-order.ts";

/** A script of the spec as its system knows it. */
export interface CommandRecord {
  /** As the spec calls it. */
  readonly name: string;
  /** Its unit, with suffix. */
  readonly unit: string;
  /** File that says that it has begun, and how it ended; with it, it does not run again. */
  readonly stamp: string;
}

/** A command with the name of its unit, without suffix. */
interface Named {
  readonly command: Command;
  readonly unit: string;
  readonly index: number;
  readonly stamp: string;
}

type Subject = Pick<Concern, "spec" | "instanceId" | "credentials">;

/** Every command of the spec, and where it leaves how it ended. */
export function commandRecords(subject: Subject): readonly CommandRecord[] {
  return namedCommands(subject).map(({ command, unit, stamp }) => ({
    name: command.name,
    unit: `${unit}.service`,
    stamp,
  }));
}

/**
 * Scripts as units. Their text comes as a credential and is never in the store. Each has a stamp for
 * its moment and content, made before the script starts and said to the end of it: one that reboots
 * the machine does not run again and again, and no generation that comes, goes or comes again runs
 * it twice. A script with another text has another stamp, and runs once more.
 *
 * Early ones are part of the boot. Late ones are started one after another by a unit that a switch
 * does not wait for: they may take long, and may switch the system themselves. They run when all else
 * is up, as cloud-init's last stage does: after the target that wants them, which so waits for none.
 */
export function renderCommands(concern: Concern): readonly Assignment[] {
  const named = namedCommands(concern);
  const early = named.filter(({ command }) => command.when === "early");
  const late = named.filter(({ command }) => command.when === "late");
  return [
    ...early.map((each, at) => service(concern, each, earlyOrder(concern, early[at - 1]?.unit))),
    ...late.map((each) => service(concern, each, [])),
    ...sequence(concern, late),
    ...renderEnabledUnits(concern),
  ];
}

function namedCommands(subject: Subject): readonly Named[] {
  return namedUnits(subject.spec).map((each) => {
    return { ...each, stamp: stampOf(subject, each.command, each.unit) };
  });
}

function namedUnits({ commands = [] }: Spec): readonly Omit<Named, "stamp">[] {
  const taken = new Set<string>();
  return commands.map((command, index) => {
    return { command, index, unit: uniqueName(command.name, taken) };
  });
}

/** The units of the early commands in their order, with suffix: each is after the one before it. */
export function earlyUnits(spec: Spec): readonly string[] {
  const early = namedUnits(spec).filter(({ command }) => command.when === "early");
  return early.map(({ unit }) => `${unit}.service`);
}

/** As files: before the network at boot, and before other units where a switch starts them. */
function earlyOrder(concern: Concern, before: string | undefined): readonly AttrsEntry[] {
  const after = [
    "firstlight-files.service",
    // One that makes a password, or lets it expire, has the last word.
    ...(setsPasswords(concern) ? [`${passwordUnit}.service`] : []),
    ...(before === undefined ? [] : [`${before}.service`]),
  ];
  return [
    bind("wantedBy", list(["multi-user.target", "sysinit-reactivation.target"].map(str))),
    bind("wants", list([str("network-pre.target")])),
    bind("before", list(["network-pre.target", "sysinit-reactivation.target"].map(str))),
    bind("after", list(after.map(str))),
  ];
}

function service(
  concern: Concern,
  { command, unit, index, stamp }: Named,
  order: readonly AttrsEntry[],
): Assignment {
  const file = credential(concern, command.script.secretRef);
  const starter = command.starter && credential(concern, command.starter.secretRef);
  if (starter !== undefined) checkTogether(concern, [file, starter], index);
  const enabling = enablingSystemctl(concern, index);
  const programs = [...(enabling === undefined ? [] : [enabling]), ref("pkgs", "bash")];
  const value = attrs([
    bind("description", str(`Run ${command.name} of the spec`)),
    ...order,
    bind("unitConfig", attrs([bind("ConditionPathExists", str(`!${stamp}`))])),
    bind("path", list([...programs, str("/run/wrappers"), str("/run/current-system/sw")])),
    bind("environment", attrs([bind("HOME", str("/root")), ...instanceVariable(concern)])),
    bind("restartIfChanged", bool(false)),
    bind("script", script(command, { file, starter, stamp })),
    bind("serviceConfig", serviceConfig(command, unit, starter ? [file, starter] : [file])),
  ]);
  return assign(["systemd", "services", unit], value, ["commands", String(index)]);
}

/** As cloud-init tells its hooks; an id that is more than plain text is not told. */
function instanceVariable({ instanceId }: Concern): readonly AttrsEntry[] {
  if (!/^[ -~]{1,200}$/.test(instanceId)) return [];
  return [bind("INSTANCE_ID", str(instanceId.replaceAll("%", "%%")))]; // systemd's own sign
}

/** Runs with NixOS's PATH of a service: coreutils and a few more. */
const recordFunction = `bootId=$(cat /proc/sys/kernel/random/boot_id)
startedAt=$(date -u +%FT%TZ)
record() { # end, exit code: on disk before anything else happens
  printf '{"v":1,"bootId":"%s","startedAt":"%s","endedAt":%s,"exitCode":%s}\\n' \\
    "$bootId" "$startedAt" "$1" "$2" > "$stamp.new"
  mv -T "$stamp.new" "$stamp"
  sync "$stamp" "\${stamp%/*}"
}
`;

interface Started {
  readonly file: CredentialFile;
  readonly starter: CredentialFile | undefined;
  readonly stamp: string;
}

function script(command: Command, { file, starter, stamp }: Started): NixExpr {
  const before = starter === undefined ? "" : `sh ${inUnit(starter)} `;
  return str(`stamp=${stamp}
mkdir -p "\${stamp%/*}"
${recordFunction}trap : TERM # it is told how the script ended, also when it was stopped
record null null
code=0
${startLine(command, before, inUnit(file))} || code=$?
record "\\"$(date -u +%FT%TZ)\\"" $code
exit $code
`);
}

function checkTogether(concern: Concern, files: readonly CredentialFile[], index: number): void {
  const isOneTooLarge = files.some((file) => sizeOf([file]) > credentialLimitBytes);
  if (isOneTooLarge || sizeOf(files) <= credentialLimitBytes) return;
  const message = `a script and what starts it are more than the ${credentialLimitBytes} bytes that systemd hands to one unit`;
  const hint = "let the script fetch what is large";
  const from = ["commands", String(index)];
  addFinding(concern, from, "error", "render/secret-too-large", message, hint);
}

function inUnit({ name }: CredentialFile): string {
  return `"$CREDENTIALS_DIRECTORY"/${shellWord(name)}`;
}

/** One with an interpreter of its own is a program: its copy is in memory, for root alone, and goes with the unit. */
function startLine({ interpreter = "sh" }: Command, before: string, file: string): string {
  if (interpreter !== "own") return `${before}${interpreter} ${file}`;
  const program = `"$RUNTIME_DIRECTORY"/script`;
  return `install -m 0700 ${file} ${program} && ${before}${program}`;
}

function serviceConfig(command: Command, unit: string, files: readonly CredentialFile[]): NixExpr {
  return attrs([
    bind("Type", str("oneshot")),
    // Less than an activation may take: a script that hangs is then what has failed.
    ...(command.when === "early" ? [bind("TimeoutStartSec", str("5min"))] : []),
    ...(command.interpreter === "own"
      ? [bind("RuntimeDirectory", str(unit)), bind("RuntimeDirectoryMode", str("0700"))]
      : []),
    ...loadCredentials(files),
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
    "multi-user.target",
    "network-online.target",
    "firstlight-files.service",
    "firstlight-files-mounted.service",
    "firstlight-files-deferred.service",
    ...storageUnits(concern.spec),
  ];
  const value = attrs([
    bind("description", str("Run the late commands of the spec, one after another")),
    bind("wantedBy", list([str("multi-user.target")])),
    bind("wants", list([str("network-online.target")])),
    bind("after", list(after.map(str))),
    bind("restartTriggers", list(late.map(({ stamp }) => str(stamp)))),
    bind("script", str(late.map(startLines).join(""))),
    bind("serviceConfig", attrs([bind("Type", str("exec")), bind("RemainAfterExit", bool(true))])),
  ]);
  const from = late.map(({ index }) => ["commands", String(index)]);
  const option = ["systemd", "services", "firstlight-commands"];
  return [assign(option, value, firstSaid(concern, from))];
}

/** A start while the unit still runs as it was before is only a wait for that: one more follows. */
function startLines({ unit, stamp }: Named): string {
  const start = `systemctl start ${unit}.service || true\n`;
  return `${start}[ -e ${stamp} ] || ${start}`;
}

/** Of one that always runs: gone with the boot, so that it runs once in each. */
function stampOf(subject: Subject, { name, frequency, script }: Command, unit: string): string {
  const version = subject.credentials.get(script.secretRef)?.version ?? "missing";
  const digest = sha256(`${name}\0${version}`).slice(0, 16);
  const file = `${unit.slice(unitPrefix.length)}-${digest}`;
  switch (frequency) {
    case "always":
      return `/run/firstlight/stamps/${file}`;
    case "once":
      return `/var/lib/firstlight/stamps/once/${file}`;
    case "instance":
      return `/var/lib/firstlight/stamps/${instanceScope(subject.instanceId)}/${file}`;
  }
}

const unitPrefix = "firstlight-command-";

function uniqueName(wanted: string, taken: Set<string>): string {
  let name = `${unitPrefix}${wanted}`;
  for (let next = 2; taken.has(name); next++) name = `${unitPrefix}${wanted}-${next}`;
  taken.add(name);
  return name;
}
