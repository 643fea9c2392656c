import type { Clock } from "#core/io.ts";
import { maxBytes } from "#provisioner/userdata/user-data-format.ts";

/** Of one document that another one includes; more is not read of any. */
export const maxIncludedBytes = maxBytes;
/** All that is included, and all that templates come to. */
const maxTotalBytes = 4 * maxBytes;
const maxTemplates = 64;
const totalMs = 180_000;

/** Which limit ended the reading, in words. */
export const limitsReached = {
  bytes: "what is included and rendered comes to more than 64 MiB in all: no more of it is read",
  time: "reading what is included and rendering templates takes more than 180 s in all: no more of it is done",
  templates: "at most 64 templates are rendered in all: those from here on are not",
} as const;

/**
 * What is left for all that documents include and for all their templates. Once one limit is reached
 * nothing more is read or rendered.
 */
export class PartsLimits {
  readonly #clock: Clock | undefined;
  #end: number | undefined;
  #bytesLeft = maxTotalBytes;
  #templatesLeft = maxTemplates;
  #reached: keyof typeof limitsReached | undefined;

  /** Without a clock there is no limit of time. */
  constructor(clock: Clock | undefined) {
    this.#clock = clock;
  }

  get reached(): keyof typeof limitsReached | undefined {
    return this.#reached;
  }

  /** The time begins with the first question: a boot that reads and renders nothing asks for none. */
  get msLeft(): number {
    const now = this.#clock?.monotonicMs();
    if (now === undefined) return Number.POSITIVE_INFINITY;
    this.#end ??= now + totalMs;
    return Math.max(0, this.#end - now);
  }

  /** Whether something more may be begun. */
  goesOn(): boolean {
    if (this.msLeft === 0) this.#reached ??= "time";
    return this.#reached === undefined;
  }

  /** Whether so many bytes may be held beside the others. */
  takeBytes(count: number): boolean {
    if (this.#reached === "bytes") return false;
    if (count > this.#bytesLeft) {
      this.#reached ??= "bytes";
      return false;
    }
    this.#bytesLeft -= count;
    return true;
  }

  /** Of what was taken and is not held after all. */
  giveBack(count: number): void {
    this.#bytesLeft += count;
  }

  /** Whether one more template may be rendered. */
  takeTemplate(): boolean {
    if (!this.goesOn()) return false;
    this.#templatesLeft -= 1;
    if (this.#templatesLeft < 0) this.#reached = "templates";
    return this.#reached === undefined;
  }
}
