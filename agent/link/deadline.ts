import { Fault } from "#core/fault.ts";
import type { Clock } from "#core/io.ts";

/** How long to wait, and what to say when it was too long. */
export interface Deadline {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** For the fault: `no PUBACK for firstlight/1/f/n/status`. */
  readonly late: string;
  /** Ends the wait early with its reason. */
  readonly signal?: AbortSignal;
}

/** Waits for `work`, but not beyond the deadline. Throws `link/timeout`, or the signal's reason. */
export async function within<T>(work: Promise<T>, deadline: Deadline): Promise<T> {
  const { clock, timeoutMs, late, signal } = deadline;
  const done = new AbortController();
  const ended = signal === undefined ? done.signal : AbortSignal.any([done.signal, signal]);
  const limit = clock.sleep(timeoutMs, ended).then(
    () => {
      throw new Fault("link/timeout", `${late} within ${timeoutMs} ms`);
    },
    () => {
      throw signal?.aborted === true ? signal.reason : new Error("unused");
    },
  );
  limit.catch(() => {});
  work.catch(() => {}); // whoever loses the race has nobody to listen
  try {
    return await Promise.race([work, limit]);
  } finally {
    done.abort();
  }
}
