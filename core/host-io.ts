import { randomBytes, randomUUID } from "node:crypto";
import { longestTimerMs } from "./duration.ts";
import { hostFiles } from "./host-files.ts";
import type { Clock, ExecRequest, ExecResult, Io, Random } from "./io.ts";

/** How to open the real machine, or a directory that stands for one. */
export interface HostIoOptions {
  /** The machine's `/` (default `/`). */
  readonly root?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /**
   * Called immediately before each effect with its number (from 1) and name; a campaign ends the
   * process there.
   */
  readonly onEffect?: (number: number, name: string) => void;
  readonly clock?: Clock;
}

/** The clock of this host. */
export const hostClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    const { setTimeout: delay } = process.getBuiltinModule("node:timers/promises");
    try {
      for (let left = ms; left > 0; left -= longestTimerMs)
        await delay(Math.min(left, longestTimerMs), undefined, signal && { signal });
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error;
    }
  },
};

const hostRandom: Random = {
  uuid: () => randomUUID(),
  bytes: (length) => randomBytes(length),
};

/** An {@link Io} on this host. The process runner is loaded with the first process. */
export function hostIo(options: HostIoOptions = {}): Io {
  let effects = 0;
  const effect = (name: string) => {
    effects += 1;
    options.onEffect?.(effects, name);
  };
  const env = options.env ?? process.env;
  return {
    files: hostFiles(options.root ?? "/", effect),
    clock: options.clock ?? hostClock,
    random: hostRandom,
    env,
    effect,
    async exec(request: ExecRequest): Promise<ExecResult> {
      const { runProcess } = await import("./run-process.ts");
      if (request.effect !== undefined) effect(request.effect);
      return runProcess(request, env);
    },
  };
}
