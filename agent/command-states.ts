import { type Files, type Io, readBootId } from "#core/io.ts";
import type { CommandRecord } from "#provisioner/render/commands.ts";
import { type HookResults, readHookResults } from "#provisioner/system/hooks.ts";
import { systemPaths } from "#provisioner/system/paths.ts";
import { readGenerationRecord } from "#provisioner/system/read-generation-record.ts";

/** How a script of the running system fares. */
export interface CommandState {
  readonly name: string;
  readonly unit: string;
  /**
   * `waiting`: it has not begun; `interrupted`: it had not ended when the machine went down, or it
   * was killed.
   */
  readonly state: "waiting" | "running" | "done" | "failed" | "interrupted";
  readonly exitCode: number | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}

/** What a script has left in its stamp. */
interface Stamp {
  readonly v: 1;
  readonly bootId: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly exitCode: number | null;
}

/** Every script of the running system, by the stamps they leave; no process. */
export function readCommands(files: Files): readonly CommandState[] {
  const record = readGenerationRecord(files, "/run/current-system");
  if (record === undefined || record === "unreadable") return [];
  const bootId = readBootId(files);
  return record.commands.map((command) => stateOf(command, readStamp(files, command), bootId));
}

/** The same; of those that wait, systemd says whether their unit could not even begin. */
export async function askCommands(io: Io): Promise<readonly CommandState[]> {
  const commands = readCommands(io.files);
  const waiting = commands.filter(({ state }) => state === "waiting");
  if (waiting.length === 0 || io.files.stat("/run/systemd/system") === undefined) return commands;
  const { stdout } = await io.exec({
    file: "systemctl",
    args: ["is-failed", ...waiting.map(({ unit }) => unit)],
    timeoutMs: 15_000,
  });
  const states = stdout.trim().split("\n");
  return commands.map((command) =>
    states[waiting.indexOf(command)] === "failed" ? { ...command, state: "failed" } : command,
  );
}

/** What failed of the commands, and of the hooks of a change that was made now, one sentence each. */
export function failedSideEffects(
  io: Pick<Io, "files" | "env">,
  transaction: string | null,
): readonly string[] {
  const hooks = readHooks(io);
  const results = hooks !== undefined && hooks.transaction === transaction ? hooks.results : [];
  return [
    ...readCommands(io.files).flatMap(failedCommand),
    ...results.flatMap(({ name, when, failure }) =>
      failure === null ? [] : [`hook ${name} (${when}): ${failure}`],
    ),
  ];
}

/** A sentence where a command failed or was interrupted. */
export function failedCommand({ name, state, exitCode, unit }: CommandState): readonly string[] {
  const log = `journalctl -u ${unit} tells its words`;
  if (state === "interrupted") return [`command ${name} did not end; ${log}`];
  if (state !== "failed") return [];
  const how = exitCode === null ? "could not be started" : `ended with exit code ${exitCode}`;
  return [`command ${name} ${how}; ${log}`];
}

/** How the hooks of the last change ended; `undefined` where there were none. */
export function readHooks({ files, env }: Pick<Io, "files" | "env">): HookResults | undefined {
  return readHookResults({ io: { files }, paths: systemPaths(env) });
}

function stateOf(
  { name, unit }: CommandRecord,
  stamp: Stamp | undefined,
  bootId: string,
): CommandState {
  if (stamp === undefined) {
    return { name, unit, state: "waiting", exitCode: null, startedAt: null, endedAt: null };
  }
  const { startedAt, endedAt, exitCode } = stamp;
  const open = stamp.bootId === bootId ? "running" : "interrupted";
  const state = endedAt === null ? open : exitCode === 0 ? "done" : "failed";
  return { name, unit, state, exitCode, startedAt, endedAt };
}

function readStamp(files: Files, { stamp }: CommandRecord): Stamp | undefined {
  const text = files.readText(stamp, { maxBytes: 64 * 1024 });
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<Stamp> | null;
    if (value?.v === 1 && typeof value.startedAt === "string") return value as Stamp;
  } catch {
    // Falls through: it has begun, and more is not known.
  }
  return { v: 1, bootId: "", startedAt: "", endedAt: null, exitCode: null };
}
