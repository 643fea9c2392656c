import type { EventEmitter } from "node:events";

/**
 * Waits for an event of a stream. Throws the stream's error, that it was closed before, or the
 * signal's reason.
 */
export async function untilEvent(
  stream: EventEmitter,
  event: string,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const done = new AbortController();
  try {
    await new Promise<void>((resolve, reject) => {
      const on = (name: string, act: (value: unknown) => void) => {
        stream.once(name, act);
        done.signal.addEventListener("abort", () => stream.off(name, act));
      };
      on(event, () => resolve());
      on("error", reject);
      on("close", () => reject(closedEarly()));
      signal.addEventListener("abort", () => reject(signal.reason), { signal: done.signal });
    });
  } finally {
    done.abort();
  }
}

/** As the system says it where the other side went away. */
export function closedEarly(): Error {
  return Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" });
}
