import { setTimeout as delay } from "node:timers/promises";
import { calls, type WitnessCall } from "./witness-calls.ts";
import type { WitnessTask } from "./witness-task.ts";

/** One line of the child's standard output: a reading, or why there is none. */
export type WitnessLine =
  | { readonly call: WitnessCall; readonly value: unknown }
  | { readonly call: WitnessCall; readonly error: string };

/**
 * The child: asks systeminformation for each reading and writes each answer as a line of JSON as
 * soon as it is there, so that a hanging tool takes only its own reading with it. Run as a process
 * of its own by `readWitness`, which ends it at the deadline.
 */
export async function runWitnessChild(
  task: WitnessTask,
  write: (line: string) => void,
): Promise<void> {
  const { default: si } = await import("systeminformation");
  const run = async (call: WitnessCall) => {
    const line = await calls[call](si).then(
      (value): WitnessLine => ({ call, value }),
      (error: unknown): WitnessLine => ({
        call,
        error: error instanceof Error ? error.message.slice(0, 256) : "failed",
      }),
    );
    write(`${JSON.stringify(line)}\n`);
  };
  const others = Promise.all(task.calls.filter((call) => call !== "graphics").map(run));
  if (task.calls.includes("graphics")) {
    const timer = new AbortController();
    await Promise.race([
      others,
      delay(task.headStartMs, undefined, { signal: timer.signal, ref: false }).catch(() => {}),
    ]);
    timer.abort();
    await run("graphics");
  }
  await others;
}
