import type { MetadataAttempt } from "./service.ts";

/** How it began says most of why it failed. */
const firstOnes = 50;
const lastOnes = 450;

/** The exchanges of a crawl: the first and the last ones, because a service that is away is asked for long. */
export class AttemptLog {
  readonly #first: MetadataAttempt[] = [];
  readonly #last: MetadataAttempt[] = [];
  /** How many there were between those that are kept. */
  unrecorded = 0;

  readonly record = (attempt: MetadataAttempt): void => {
    if (this.#first.length < firstOnes) {
      this.#first.push(attempt);
      return;
    }
    this.#last.push(attempt);
    if (this.#last.length <= lastOnes) return;
    this.#last.shift();
    this.unrecorded++;
  };

  /** Those that are kept, in order. */
  get attempts(): readonly MetadataAttempt[] {
    return [...this.#first, ...this.#last];
  }
}
