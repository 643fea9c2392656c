import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { programs } from "./story.ts";

const startMs = 120_000;

/** What the root side is started on. */
export interface RootSidePlace {
  /** Directory that is the machine's `/`. */
  readonly root: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How this host runs a program on the machine. */
  readonly command?: (argv: readonly [string, ...string[]]) => readonly [string, ...string[]];
}

/** A root side in a process of its own, as without systemd. */
export interface RootSide {
  readonly process: ChildProcess;
  /** Paths of its sockets on this host. */
  readonly operator: string;
  readonly courier: string;
  /** Every line that it has logged. */
  readonly lines: readonly string[];
  /** Resolves with the first line that holds the text, already logged or not; throws when it ends before. */
  logged(text: string): Promise<string>;
  /** Exit code, or the signal that killed it. */
  readonly ended: Promise<number | string | null>;
}

/** Starts `firstlight system` and waits until it listens; it is killed when the test ends. */
export async function startRootSide(
  t: { teardown(close: () => unknown): unknown },
  { root, env = {}, command = (argv) => argv }: RootSidePlace,
  args: readonly string[] = [],
): Promise<RootSide> {
  const [file, ...rest] = command([process.execPath, programs.source, "system", "--root", root]);
  const child = spawn(file, [...rest, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const look = () => {
    for (const wake of waiting) wake();
  };
  let isOver = false;
  const ended = new Promise<number | string | null>((resolve) => {
    child.once("close", (code, signal) => {
      isOver = true;
      resolve(code ?? signal);
      look();
    });
  });
  createInterface({ input: child.stderr }).on("line", (line) => {
    lines.push(line);
    look();
  });
  t.teardown(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const logged = async (text: string): Promise<string> => {
    const deadline = AbortSignal.timeout(startMs);
    for (;;) {
      const found = lines.find((line) => line.includes(text));
      if (found !== undefined) return found;
      if (isOver || deadline.aborted) {
        throw new Error(`expected ${JSON.stringify(text)} in the log:\n${lines.join("\n")}`);
      }
      await new Promise<void>((resolve) => {
        const wake = () => {
          waiting.delete(wake);
          deadline.removeEventListener("abort", wake);
          resolve();
        };
        waiting.add(wake);
        deadline.addEventListener("abort", wake);
      });
    }
  };
  await logged("system.listening");
  const at = (name: string) => path.join(root, "run/firstlight", name);
  return {
    process: child,
    operator: at("system.sock"),
    courier: at("courier.sock"),
    lines,
    logged,
    ended,
  };
}
