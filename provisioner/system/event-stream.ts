import type { Talk } from "./commands.ts";
import type { SystemEvent, SystemMessage, SystemRequest, SystemResults } from "./system.ts";

/**
 * Turns work that tells events into the stream that {@link System.send} promises: the events as
 * they come, last the result, or the work's own error. A reader that stops early calls the work off
 * and waits for its end.
 */
export async function* eventStream<R extends SystemRequest>(
  signal: AbortSignal | undefined,
  work: (talk: Talk) => Promise<SystemResults[R["kind"]]>,
): AsyncGenerator<SystemMessage<R>, void, undefined> {
  const stop = new AbortController();
  const events: SystemEvent[] = [];
  let wake = () => {};
  let ended = false;
  const emit = (event: SystemEvent) => {
    events.push(event);
    wake();
  };
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const running = start(work, { emit, signal: either }).finally(() => {
    ended = true;
    wake();
  });
  running.catch(() => {}); // read below, after the events
  try {
    for (;;) {
      const event = events.shift();
      if (event !== undefined) {
        yield event;
        continue;
      }
      if (ended) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    yield { type: "result", result: await running };
  } finally {
    if (!ended) {
      stop.abort();
      await running.catch(() => {});
    }
  }
}

/** So that what is thrown before the first wait is the stream's error too. */
async function start<T>(work: (talk: Talk) => Promise<T>, talk: Talk): Promise<T> {
  return work(talk);
}
