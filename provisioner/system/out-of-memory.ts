import { formatBytes } from "#core/bytes.ts";
import { Fault } from "#core/fault.ts";
import type { ExecResult } from "#core/io.ts";
import { limitBytes } from "./build-limits.ts";
import type { GroupMemory, Memory } from "./memory.ts";

/** What is known of a command of Nix that did not succeed. */
export interface MemoryTraces {
  readonly what: string;
  readonly result: Pick<ExecResult, "code" | "signal" | "aborted" | "timedOut">;
  /** What Nix said. */
  readonly said: string;
  /** The last lines of the build that failed. */
  readonly log: readonly string[];
  /** How many processes of this machine the kernel killed for memory meanwhile; `null`: not known. */
  readonly kills: number | null;
  /** Of its control group, as long as that could be read. */
  readonly group: GroupMemory | undefined;
  /** `Result` of its scope. */
  readonly scopeResult: string | null;
  /** `MemoryMax` of its scope; `null` without one. */
  readonly limit: string | null;
  /** When it began. */
  readonly memory: Memory | undefined;
}

/** How Nix, its garbage collector, compilers and the C library say that they got no memory. */
const refused =
  /std::bad_alloc|cannot allocate memory|out of memory! .*returning null|\berror: out of memory\b|memory exhausted|out of memory allocating/i;

/**
 * `system/out-of-memory` with the numbers, when that is why: the kernel killed in its control group,
 * or killed something while a process here ended by SIGKILL, or memory was refused. Where the kernel
 * counts no kills, the SIGKILL alone is taken for it: nobody else sends one to a builder.
 */
export function memoryFault(traces: MemoryTraces): Fault | undefined {
  const { result, said, log, kills, group, scopeResult } = traces;
  if (result.aborted || result.timedOut) return undefined;
  const isOurs = (group?.oomKills ?? 0) > 0 || scopeResult === "oom-kill";
  const isRefused = refused.test(said) || log.some((line) => refused.test(line));
  const isKilled = wasKilled(traces) && (kills === null || kills > 0);
  if (!isOurs && !isRefused && !isKilled) return undefined;
  const how = isOurs || isKilled ? "killed for want of memory" : "refused more memory";
  return new Fault("system/out-of-memory", `${traces.what}: ${how}; ${numbers(traces)}`);
}

function wasKilled({ result, said, log }: MemoryTraces): boolean {
  return (
    result.signal === "SIGKILL" ||
    result.code === 137 ||
    /\bsignal 9\b|exit code 137/.test(said) ||
    log.some((line) => /(^|\s)Killed\s*$/.test(line))
  );
}

function numbers({ kills, group, limit, memory }: MemoryTraces): string {
  const killed = Math.max(kills ?? 0, group?.oomKills ?? 0);
  const peak = group?.peakBytes;
  return [
    ...(killed > 0 ? [`the kernel killed ${killed} process${killed === 1 ? "" : "es"}`] : []),
    ...(limit === null ? [] : [`limit ${limitText(limit, memory)}`]),
    ...(peak === undefined ? [] : [`peak ${formatBytes(peak)}`]),
    ...(memory === undefined ? [] : [memoryText(memory)]),
  ].join(", ");
}

function limitText(limit: string, memory: Memory | undefined): string {
  if (memory === undefined || !limit.endsWith("%")) return limit;
  return `${limit} (${formatBytes(limitBytes(limit, memory.totalBytes))})`;
}

/** The memory of a machine for a person. */
export function memoryText({ totalBytes, availableBytes, swapFreeBytes }: Memory): string {
  const swap = swapFreeBytes === 0 ? "no swap" : `${formatBytes(swapFreeBytes)} of free swap`;
  return `${formatBytes(availableBytes)} of ${formatBytes(totalBytes)} memory available, ${swap}`;
}
