import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Outcome } from "#agent/outcome.ts";

const entry = path.join(import.meta.dirname, "../cli/main.ts");
const deadlineMs = 120_000;

/** How one run of the agent ended. */
export interface AgentRun {
  readonly exitCode: number | null;
  /** `undefined` when it printed none. */
  readonly outcome: Outcome | undefined;
  readonly ms: number;
  /** What it said on stderr, for when it failed. */
  readonly talk: readonly string[];
}

/** Runs the real agent on a simulated machine, its log told line by line. */
export async function runAgent(
  root: string,
  verb: "boot" | "apply",
  onLog: (event: string) => void,
): Promise<AgentRun> {
  const started = performance.now();
  const args = [entry, verb, "--root", root, "--driver", "dry", "--report", "--json"];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: deadlineMs,
    killSignal: "SIGKILL",
  });
  const talk: string[] = [];
  const lines = createInterface({ input: child.stderr });
  lines.on("line", (line) => {
    talk.push(line);
    const event = eventOf(line);
    if (event !== undefined) onLog(event);
  });
  const output: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  const text = Buffer.concat(output).toString("utf8");
  return { exitCode, outcome: parse(text), ms: performance.now() - started, talk };
}

function eventOf(line: string): string | undefined {
  const record = parse(line) as { readonly msg?: string } | undefined;
  return record?.msg;
}

function parse(text: string): Outcome | undefined {
  try {
    return JSON.parse(text) as Outcome;
  } catch {
    return undefined;
  }
}
