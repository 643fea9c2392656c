import { describeFault } from "#core/fault.ts";
import type { ExecResult, Io } from "#core/io.ts";
import type { WitnessReadings } from "#generated/agent/facts/witness.ts";
import { validate } from "#generated/agent/facts/witness.validate.js";
import { helpfulTools, toolsOf, usualCalls, type WitnessCall } from "./witness-calls.ts";
import { witnessArguments } from "./witness-task.ts";

const defaultTimeoutMs = 10_000;
const defaultGraceMs = 500;
const headStartShare = 0.3; // of the deadline, for the readings that graphics would stop
const maxOutputBytes = 1024 * 1024;

/** The second witness: what systeminformation says, and what it could not say. */
export interface Witness {
  readonly v: 1;
  /**
   * What was read. An empty list here means looked, and there is none: one that comes without the
   * tool that fills it is a failure instead.
   */
  readonly readings: WitnessReadings;
  readonly failures: readonly WitnessFailure[];
  /** Tools that are not on the PATH; without them readings fail or are poorer. Sorted. */
  readonly missingTools: readonly string[];
  /** Wall time. */
  readonly ms: number;
}

/** A reading that was not obtained. */
export interface WitnessFailure {
  readonly call: WitnessCall;
  readonly why: "timed-out" | "failed" | "malformed" | "tool-missing";
  /** For a person. */
  readonly message: string;
}

/** How to ask the witness. */
export interface WitnessOptions {
  /** The program and its arguments that run `runWitnessChild`: this program with a hidden command. */
  readonly argv: readonly string[];
  /** Deadline for all of it (default 10,000). */
  readonly timeoutMs?: number;
  /** From asking it to end to ending it (default 500). */
  readonly graceMs?: number;
  /** Readings to ask for; those of health when absent. */
  readonly calls?: readonly WitnessCall[];
  readonly signal?: AbortSignal;
}

/**
 * Asks systeminformation in a process of its own, which is ended with everything it started when
 * the deadline has passed; readings that came before are kept. Never throws: failures are facts. It
 * looks at this host, whatever the root of `io` is.
 */
export async function readWitness(
  io: Pick<Io, "exec" | "env" | "files" | "clock">,
  options: WitnessOptions,
): Promise<Witness> {
  const started = io.clock.monotonicMs();
  const { calls = usualCalls } = options;
  const missing = missingTools(io, calls);
  const end = await run(io, { ...options, calls });
  const read = collect(end.stdout, { calls, missing });
  const unread = calls.filter((call) => !read.seen.has(call));
  return {
    v: 1,
    readings: read.readings,
    failures: [...read.failures, ...unread.map((call) => ({ call, ...end.reason }))],
    missingTools: missing,
    ms: Math.round(io.clock.monotonicMs() - started),
  };
}

interface End {
  readonly stdout: string;
  /** Why a reading is missing that was never written. */
  readonly reason: Pick<WitnessFailure, "why" | "message">;
}

async function run(
  io: Pick<Io, "exec">,
  {
    argv,
    calls,
    timeoutMs = defaultTimeoutMs,
    graceMs = defaultGraceMs,
    signal,
  }: WitnessOptions & { readonly calls: readonly WitnessCall[] },
): Promise<End> {
  const headStartMs = Math.round(timeoutMs * headStartShare);
  const [file = "", ...args] = [...argv, ...witnessArguments({ calls, headStartMs })];
  try {
    const result = await io.exec({
      file,
      args,
      timeoutMs,
      graceMs,
      maxOutputBytes,
      env: { LC_ALL: "C" },
      ...(signal === undefined ? {} : { signal }),
    });
    return { stdout: result.stdout, reason: reasonOf(result, timeoutMs) };
  } catch (error) {
    return { stdout: "", reason: { why: "failed", message: describeFault(error).message } };
  }
}

function reasonOf(result: ExecResult, timeoutMs: number): End["reason"] {
  if (result.timedOut) return { why: "timed-out", message: `no answer within ${timeoutMs} ms` };
  if (result.aborted) return { why: "failed", message: "cancelled" };
  const how = result.signal === null ? `code ${result.code}` : result.signal;
  return { why: "failed", message: `the process ended (${how}) before it answered` };
}

interface Collected {
  readonly readings: WitnessReadings;
  readonly failures: readonly WitnessFailure[];
  readonly seen: ReadonlySet<WitnessCall>;
}

/** What was asked for, and the tools that are not there. */
interface Expected {
  readonly calls: readonly WitnessCall[];
  readonly missing: readonly string[];
}

function collect(stdout: string, { calls, missing }: Expected): Collected {
  let readings: WitnessReadings = {};
  const failures: WitnessFailure[] = [];
  const seen = new Set<WitnessCall>();
  for (const line of stdout.split("\n")) {
    const answer = parseLine(line, calls);
    if (answer === undefined || seen.has(answer.call)) continue;
    seen.add(answer.call);
    const { call, value } = answer;
    const without = toolsOf[call].filter((tool) => missing.includes(tool));
    const reading: unknown = { [call]: value };
    if ("error" in answer) {
      failures.push({ call, why: "failed", message: String(answer.error) });
    } else if (!validate(reading)) {
      failures.push({
        call,
        why: "malformed",
        message: "the answer does not have the form that was expected",
      });
    } else if (Array.isArray(value) && value.length === 0 && without.length > 0) {
      const message = `an empty answer without ${without.join(", ")} on the PATH says nothing`;
      failures.push({ call, why: "tool-missing", message });
    } else {
      readings = { ...readings, ...reading };
    }
  }
  return { readings, failures, seen };
}

/** A line of the child, or `undefined` for anything else on its standard output. */
function parseLine(
  line: string,
  calls: readonly WitnessCall[],
): { readonly call: WitnessCall; readonly value?: unknown; readonly error?: unknown } | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed !== "object" || parsed === null || !("call" in parsed)) return undefined;
    const call = calls.find((name) => name === parsed.call);
    return call === undefined ? undefined : { ...parsed, call };
  } catch {
    return undefined;
  }
}

function missingTools(
  io: Pick<Io, "env" | "files">,
  calls: readonly WitnessCall[],
): readonly string[] {
  const directories = (io.env["PATH"] ?? "")
    .split(":")
    .filter((directory) => directory.startsWith("/"));
  const tools = [...new Set([...calls.flatMap((call) => toolsOf[call]), ...helpfulTools])];
  return tools
    .filter((tool) => !directories.some((directory) => isThere(io, `${directory}/${tool}`)))
    .sort();
}

function isThere(io: Pick<Io, "files">, path: string): boolean {
  try {
    return io.files.stat(path) !== undefined;
  } catch {
    return false;
  }
}
