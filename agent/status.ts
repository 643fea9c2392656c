import { prettyJson } from "#core/canonical-json.ts";
import { type Files, type Io, readBootId, timestamp } from "#core/io.ts";
import { hostProcesses, type ProcessId } from "#provisioner/system/lock.ts";
import { exitCodeOf, type Outcome } from "./outcome.ts";

/** What the boot is doing now; gone with the machine's /run. */
export interface Status {
  readonly v: 1;
  readonly state: "running" | "done";
  /** Stage that runs, or ran last. */
  readonly stage: string;
  readonly bootId: string;
  /** Who wrote it. */
  readonly process: ProcessId;
  readonly at: string;
}

const statusFile = "/run/firstlight/status.json";
export const resultFile = "/run/firstlight/result.json";
/** The same as {@link resultFile}, kept over reboots; 0600. */
const lastResultFile = "/var/lib/firstlight/last-result.json";

/** Why Node was not started in this boot (`nixos/nothing-to-do.sh`); empty where it was after all. */
const nothingToDoFile = "/run/firstlight/nothing-to-do";

/** Who writes a status: the same for a whole boot. */
export type StatusWriter = Pick<Status, "bootId" | "process">;

/** This process, in this boot of the machine. */
export function statusWriter({ files }: Io): StatusWriter {
  return { bootId: readBootId(files), process: hostProcesses().self() };
}

/**
 * Says which stage runs; readable by everybody. What another process that is at work says of itself
 * stays: one that only waits for it, or is refused, has nothing to tell.
 */
export function writeStatus(
  io: Io,
  writer: StatusWriter,
  { state, stage }: Pick<Status, "state" | "stage">,
): void {
  if (isOthersTurn(io, writer)) return;
  const status: Status = { v: 1, state, stage, ...writer, at: timestamp(io.clock) };
  io.files.write(statusFile, prettyJson(status), { mode: 0o644 });
}

/**
 * Says how the boot ended; findings hold no values, so everybody may read them. Nothing while
 * another process is at work, whose end it would hide.
 */
export function writeResult(io: Io, writer: StatusWriter, outcome: Outcome): void {
  if (isOthersTurn(io, writer)) return;
  const text = prettyJson({ ...outcome, exitCode: exitCodeOf(outcome) });
  io.files.write(lastResultFile, text, { mode: 0o600 });
  io.files.write(resultFile, text, { mode: 0o644 });
  writeStatus(io, writer, { state: "done", stage: outcome.outcome });
}

/** The status of this boot, or `undefined` when there is none yet. */
export function readStatus(files: Files): Status | undefined {
  const status = readJson(files, statusFile) as Partial<Status> | undefined;
  const isWhole = [status?.state, status?.stage, status?.at].every(isText);
  return isWhole ? (status as Status) : undefined;
}

/** Why there was nothing to start this boot for, in one line; `undefined` where there was something. */
export function readNothingToDo(files: Files): string | undefined {
  return files.readText(nothingToDoFile, { maxBytes: 4096 })?.trim() || undefined;
}

/** Whether a boot or a change has begun whose status cannot be read: what else is known counts. */
export function isUnreadable(files: Files): boolean {
  if (readStatus(files) !== undefined) return false;
  return [statusFile, resultFile].some((file) => files.stat(file) !== undefined);
}

/** Whether a boot that was under way has ended without a word: killed, or out of memory. */
export function isInterrupted(status: Status): boolean {
  return status.state === "running" && !isAtWork(status);
}

/** Whether a process of this boot is on its way: what it comes to is still to be seen. */
export function isUnderWay(files: Files): boolean {
  const status = readStatus(files);
  return status?.bootId === readBootId(files) && isAtWork(status);
}

function isOthersTurn({ files }: Io, { process }: StatusWriter): boolean {
  const status = readStatus(files);
  return status !== undefined && isAtWork(status) && !isSame(status.process, process);
}

function isAtWork({ state, process }: Status): boolean {
  return state === "running" && hostProcesses().isAlive(process);
}

function isSame(one: ProcessId, other: ProcessId): boolean {
  return one.pid === other.pid && one.started === other.started;
}

/** How this boot ended, or `undefined` when it has not. */
export function readResult(files: Files): (Outcome & { readonly exitCode: number }) | undefined {
  const result = readJson(files, resultFile) as Partial<Told> | undefined;
  const isWhole =
    [result?.outcome, result?.message].every(isText) &&
    (result?.fault == null || isText(result.fault.code)) &&
    Number.isInteger(result?.exitCode) &&
    Array.isArray(result?.findings);
  return isWhole ? (result as Told) : undefined;
}

type Told = Outcome & { readonly exitCode: number };

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** A file that only we write: torn or foreign content counts as absent. */
function readJson(files: Files, path: string): unknown {
  const text = files.readText(path, { maxBytes: 4 * 1024 * 1024 });
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return (value as { v?: unknown } | null)?.v === 1 ? value : undefined;
  } catch {
    return undefined;
  }
}
