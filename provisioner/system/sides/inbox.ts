import type { Readable } from "node:stream";
import { Fault } from "#core/fault.ts";
import { LineSplitter } from "./lines.ts";

/**
 * What the other end of a connection asks, one line at a time: it has to wait for the answer before
 * it asks again, so that no more than one message is ever held. It is read all the time, because
 * only so its going away is seen.
 */
export class Inbox {
  readonly #splitter: LineSplitter;
  readonly #gone = new AbortController();
  #line: Uint8Array | undefined;
  #fault: Fault | undefined;
  #ended = false;
  /** Whether a line was handed out and the next one has not been asked for yet. */
  #busy = false;
  #wake = () => {};

  constructor(connection: Readable, maxBytes: number) {
    this.#splitter = new LineSplitter(maxBytes);
    connection.on("data", (bytes: Uint8Array) => this.#take(bytes));
    connection.on("end", () => this.#end());
    connection.on("close", () => this.#end());
    connection.on("error", () => this.#end());
  }

  /** Aborted when the other end has gone, or has broken the rules. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /**
   * The next line; `undefined` when no more come. Throws `side/too-large`, `side/out-of-turn`, and the
   * signal's reason.
   */
  async next(signal: AbortSignal): Promise<Uint8Array | undefined> {
    this.#busy = false;
    for (;;) {
      if (this.#fault !== undefined) throw this.#fault;
      const line = this.#line;
      this.#line = undefined;
      this.#busy = line !== undefined;
      if (line !== undefined || this.#ended) return line;
      await this.#change(signal);
    }
  }

  async #change(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  #take(bytes: Uint8Array): void {
    if (this.#fault !== undefined) return;
    try {
      const lines = this.#splitter.push(bytes);
      const free = this.#busy || this.#line !== undefined ? 0 : 1;
      if (lines.length > free) {
        throw new Fault("side/out-of-turn", "a message came before the one before was answered");
      }
      this.#line ??= lines[0];
    } catch (error) {
      this.#fault = error as Fault;
      this.#gone.abort(error);
    }
    this.#wake();
  }

  #end(): void {
    this.#ended = true;
    this.#gone.abort(new Fault("system/canceled", "the connection was closed"));
    this.#wake();
  }
}
