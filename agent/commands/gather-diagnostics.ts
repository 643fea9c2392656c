import { describeFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import { readFacts } from "../facts/read-facts.ts";
import { ledgerFile, stateFile } from "../update/places.ts";
import { readTrust, trustRecord } from "../update/read-trust.ts";

/** What is needed to gather. */
export interface GatherDeps {
  readonly io: Io;
  readonly system: Pick<SystemClient, "status" | "history">;
  readonly version: string;
  readonly trust: Parameters<typeof readTrust>[1];
}

/**
 * Files of firstlight that hold no secret by their own rule. What a credential is, what user-data said and
 * what was rendered from it stays out, and so do logs of everybody else.
 */
const files: Readonly<Record<string, string>> = {
  status: "/run/firstlight/status.json",
  result: "/run/firstlight/result.json",
  lastResult: "/var/lib/firstlight/last-result.json",
  boots: "/var/lib/firstlight/boots.json",
  update: stateFile,
  updateLedger: ledgerFile,
  enrolment: "/run/firstlight/enrolment.json",
  kernel: "/proc/sys/kernel/osrelease",
  uptime: "/proc/uptime",
  memory: "/proc/meminfo",
  load: "/proc/loadavg",
};
const mostOfFile = 256 * 1024;

/**
 * Units of firstlight itself, as `nixos/module.nix` has them; each by its whole name. A pattern would bring
 * `firstlight-command-…` as well, which are the scripts of the user-data: what they print is not ours to send.
 */
export const ownUnits: readonly string[] = [
  ...[
    ...["metadata", "bootstrap", "boot", "system", "trial-deadline", "trial-emergency"],
    ...["first-boot", "first-boot-emergency", "first-boot-deadline", "boot-complete", "drift"],
    ...["update", "update-stick", "fleet-commands", "maintenance", "agent", "enroll", "identity"],
  ].map((name) => `firstlight-${name}.service`),
  ...[
    "boot",
    "trial-deadline",
    "first-boot-deadline",
    "drift",
    "update",
    "maintenance",
    "enroll",
  ].map((name) => `firstlight-${name}.timer`),
  ...["system", "courier"].map((name) => `firstlight-${name}.socket`),
  ...["update", "fleet-commands", "identity"].map((name) => `firstlight-${name}.path`),
];

/** Programs that are asked, each with a deadline; no shell, and no argument of a message's. */
const programs: Readonly<Record<string, readonly [string, ...string[]]>> = {
  log: [
    "journalctl",
    ...["--no-pager", "--output=short-iso-precise", "--lines=2000"],
    ...ownUnits.map((unit) => `--unit=${unit}`),
  ],
  failedUnits: ["systemctl", "--failed", "--no-pager", "--plain", "--no-legend"],
  timers: ["systemctl", "list-timers", "firstlight*", "--all", "--no-pager", "--no-legend"],
  disks: ["df", "--output=source,fstype,size,used,avail,target"],
};
const programMs = 20_000;
const mostOfOutput = 512 * 1024;

/** What firstlight knows of this machine. What cannot be had says why; nothing is thrown. */
export async function gatherDiagnostics(d: GatherDeps): Promise<Readonly<Record<string, unknown>>> {
  const { io, system, version, trust } = d;
  const said = await Promise.all(
    Object.entries(programs).map(async ([name, argv]) => [name, await outputOf(io, argv)] as const),
  );
  return {
    agent: version,
    system: await orWhy(() => system.status()),
    history: await orWhy(() => system.history()),
    facts: await orWhy(() => readFacts(io)),
    trust: await orWhy(() => trustRecord(readTrust(io, trust))),
    files: Object.fromEntries(
      Object.entries(files).map(([name, path]) => [name, textOf(io, path)] as const),
    ),
    programs: Object.fromEntries(said),
  };
}

async function orWhy(read: () => unknown): Promise<unknown> {
  try {
    return await read();
  } catch (error) {
    return { missing: describeFault(error).message };
  }
}

/** The end of a file: what happened last stands there. */
function textOf({ files: machine }: Io, path: string): string | null {
  try {
    return machine.readText(path, { maxBytes: 8 * 1024 * 1024 })?.slice(-mostOfFile) ?? null;
  } catch (error) {
    return describeFault(error).message;
  }
}

async function outputOf(io: Io, [file, ...args]: readonly [string, ...string[]]): Promise<string> {
  try {
    const { stdout, stderr } = await io.exec({ file, args, timeoutMs: programMs });
    return (stdout || stderr).slice(-mostOfOutput);
  } catch (error) {
    return describeFault(error).message;
  }
}
