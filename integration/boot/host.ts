import { readdirSync, readFileSync } from "node:fs";
import { runProcess } from "#core/run-process.ts";
import type { Argv } from "../nix-machine.ts";

/** What ends with a test. */
export interface Scope {
  teardown(end: () => void | Promise<void>): unknown;
}

const defaultTimeoutMs = 60_000;

/** Debian keeps some of what is needed where only root's PATH looks. */
export const hostEnvironment = {
  ...process.env,
  PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`,
};

/** How a program ended that was asked something. */
export interface Answer {
  /** `null` when it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of this host to its end, whatever that is. */
export function ask(
  [file, ...args]: Argv,
  { timeoutMs = defaultTimeoutMs, stdin = "" } = {},
): Promise<Answer> {
  return runProcess({ file, args, timeoutMs, stdin }, hostEnvironment);
}

/** Runs a program of this host and gives back what it printed. Throws unless it ends with 0. */
export async function onHost(argv: Argv, options: Parameters<typeof ask>[1] = {}): Promise<string> {
  const { code, stdout, stderr } = await ask(argv, options);
  if (code === 0) return stdout;
  const words = `${stdout}\n${stderr}`.trim().split("\n").slice(-20).join("\n");
  throw new Error(`${argv.join(" ").slice(0, 500)}: ${code ?? "killed"}\n${words}`);
}

/** Whether a process of this host lives; one that has ended and was not waited for does not. */
export function isAlive(pid: number): boolean {
  return !["", "Z", "X"].includes(statOf(pid)[0] ?? "");
}

/** Whether something was left by a test that was killed: its name has the number of a process that is gone. */
export function isStale(name: string, prefix: string): boolean {
  const pid = name.startsWith(prefix)
    ? /^\d+(?=-)/.exec(name.slice(prefix.length))?.[0]
    : undefined;
  return pid !== undefined && !isAlive(Number(pid));
}

/** The processes that a process has started and that still are its children. */
export function childrenOf(pid: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => statOf(child)[1] === String(pid));
}

/** State, parent and what follows in /proc/PID/stat; the name before them may hold anything. */
function statOf(pid: number): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return []; // it has just ended
  }
}
