import type { KeptIncludes } from "./read-parts.ts";

/** Keeps something on the disk. */
export type KeepWork = () => void | Promise<void>;

/**
 * What is to be kept of documents that may still be refused: in memory until they are let in, on the disk
 * from then on. Where they are not let in, what was kept before stays as it is.
 */
export class KeepAccepted {
  /** Absent once they are let in. */
  #waiting: KeepWork[] | undefined = [];
  readonly #included = new Map<string, Uint8Array>();

  /** Does it now where the documents are let in, else then. */
  readonly keep = async (work: KeepWork): Promise<void> => {
    if (this.#waiting === undefined) await work();
    else this.#waiting.push(work);
  };

  /** The documents are let in: does all that waits, in order. */
  async accept(): Promise<void> {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const work of waiting) await work();
  }

  /** Includes of one instance, of which those that wait are read as if they were kept. */
  includes(kept: KeptIncludes): KeptIncludes {
    return {
      read: async (address) => this.#included.get(address) ?? kept.read(address),
      keep: async (address, bytes) => {
        this.#included.set(address, bytes);
        await this.keep(() => kept.keep(address, bytes));
      },
    };
  }
}
