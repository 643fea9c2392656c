import { maxBytes } from "../user-data-format.ts";

/** All that is unpacked for one document, its parts and the documents that it names. */
const maxTotalBytes = 4 * maxBytes;
const maxContents = 1000;
const maxIncludes = 64;

/** Whether one more is within a limit; the first one beyond is told apart, to be said once. */
export type Allowed = "yes" | "first-beyond" | "no";

/** What is left for one document with all that it holds and names. */
export class SplitBudget {
  #bytesLeft = maxTotalBytes;
  #contents = 0;
  #includes = 0;

  /** As much as one content may be unpacked to. */
  get mostBytes(): number {
    return Math.max(1, Math.min(maxBytes, this.#bytesLeft));
  }

  takeContent(): Allowed {
    this.#contents += 1;
    return allowed(this.#contents, maxContents);
  }

  takeInclude(): Allowed {
    this.#includes += 1;
    return allowed(this.#includes, maxIncludes);
  }

  /** Whether so many bytes are still within the limit. */
  takeBytes(count: number): boolean {
    this.#bytesLeft -= count;
    return this.#bytesLeft >= 0;
  }
}

function allowed(count: number, most: number): Allowed {
  if (count <= most) return "yes";
  return count === most + 1 ? "first-beyond" : "no";
}
