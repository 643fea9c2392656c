import { describeFault, isFault } from "#core/fault.ts";
import type { ExecResult, Io } from "#core/io.ts";
import type { FactsReport, Gap } from "#generated/agent/facts/facts-report.ts";

/** Who reads beside the kernel's files. */
export type Reader = Gap["by"];

/** A value of a fact as a report shows it. */
export type FactValue = FactsReport["sources"][string][number]["value"];

/** What a reader says: values by the place of the fact. */
export interface Testimony {
  readonly values: ReadonlyMap<string, FactValue>;
  /** Lists of which it knows every item: one that it does not name is not there for it. */
  readonly whole: readonly ("pci" | "blockDevices" | "network")[];
}

/** A program that says something of the hardware. */
export interface WitnessTool {
  readonly name: Exclude<Reader, "kernel" | "systeminformation">;
  readonly args: readonly string[];
  /** What it is asked for, in words of the facts. */
  readonly what: string;
  /** Its whole output as values, or `null` when that is none of its answers. */
  readonly parse: (stdout: string) => Testimony | null;
}

/** What came of asking. */
export interface Asked {
  readonly by: Reader;
  readonly from: string;
  readonly testimony: Testimony | null;
  readonly gaps: readonly Gap[];
  readonly ms: number;
}

/** How long may be waited for one. */
export interface Patience {
  readonly timeoutMs: number;
  /** From asking it to end to ending it. */
  readonly graceMs: number;
  readonly signal?: AbortSignal;
}

const maxOutputBytes = 4 * 1024 * 1024;

/**
 * Asks one tool. Never throws: that it is missing, fails, hangs, talks without end or says something
 * that cannot be read is a gap with its name.
 */
export async function askTool(
  io: Pick<Io, "exec" | "clock">,
  tool: WitnessTool,
  { timeoutMs, graceMs, signal }: Patience,
): Promise<Asked> {
  const started = io.clock.monotonicMs();
  const tooMuch = new AbortController();
  const signals = signal === undefined ? [tooMuch.signal] : [tooMuch.signal, signal];
  let bytes = 0;
  const from = [tool.name, ...tool.args].join(" ");
  const end = (testimony: Testimony | null, gap?: Pick<Gap, "why" | "message">): Asked => ({
    by: tool.name,
    from,
    testimony,
    gaps: gap === undefined ? [] : [{ by: tool.name, what: tool.what, ...gap }],
    ms: Math.round(io.clock.monotonicMs() - started),
  });
  try {
    const result = await io.exec({
      file: tool.name,
      args: tool.args,
      timeoutMs,
      graceMs,
      maxOutputBytes,
      env: { LC_ALL: "C" },
      signal: AbortSignal.any(signals),
      onStdoutLine(line) {
        bytes += line.length + 1;
        if (bytes > maxOutputBytes) tooMuch.abort();
      },
    });
    if (bytes > maxOutputBytes)
      return end(null, { why: "too-large", message: `${from}: more than ${maxOutputBytes} bytes` });
    const failure = failureOf(result, from, timeoutMs);
    if (failure !== undefined) return end(null, failure);
    const testimony = tool.parse(result.stdout);
    return testimony === null
      ? end(null, { why: "malformed", message: `${from}: an answer that it does not give` })
      : end(testimony);
  } catch (error) {
    const why = isFault(error, "exec/not-found") ? "missing" : "failed";
    return end(null, { why, message: describeFault(error).message.slice(0, 512) });
  }
}

function failureOf(
  { timedOut, aborted, code, signal, stderr }: ExecResult,
  from: string,
  timeoutMs: number,
): Pick<Gap, "why" | "message"> | undefined {
  if (timedOut) return { why: "timed-out", message: `${from}: no answer within ${timeoutMs} ms` };
  if (aborted) return { why: "failed", message: `${from}: cancelled` };
  if (code === 0) return undefined;
  const [line = ""] = stderr.trim().split("\n");
  const words = line.replaceAll(/\p{C}/gu, "").slice(0, 256);
  const how = code === null ? `ended by ${signal}` : `code ${code}`;
  return {
    why: /permission denied/i.test(words) ? "denied" : "failed",
    message: `${from}: ${how}${words === "" ? "" : `: ${words}`}`,
  };
}
