import type { Clock } from "#core/io.ts";
import { maxBytes } from "#provisioner/userdata/user-data-format.ts";

/** What may be read of one kind of thing that documents name. */
export interface Most {
  /** Of one address. */
  readonly eachBytes: number;
  /** Of all together. */
  readonly bytes: number;
  readonly ms: number;
  readonly templates: number;
}

/** Of documents that others include; what templates come to counts as well. */
export const mostOfParts: Most = {
  eachBytes: maxBytes,
  bytes: 4 * maxBytes,
  ms: 180_000,
  templates: 64,
};

/** Of files and keys that come from addresses. They are held in memory until the credential store has them. */
export const mostOfFiles: Most = {
  eachBytes: 32 * 1024 * 1024,
  bytes: 64 * 1024 * 1024,
  ms: 120_000,
  templates: 0,
};

/** Which limit ended the reading, in words. */
export const limitsReached = {
  bytes: "what is included and rendered comes to more than 64 MiB in all: no more of it is read",
  time: "reading what is included and rendering templates takes more than 180 s in all: no more of it is done",
  templates: "at most 64 templates are rendered in all: those from here on are not",
} as const;

/**
 * What is left for all that documents include and for all their templates, or for all files that they name. Once one
 * limit is reached nothing more is read or rendered.
 */
export class ReadingLimits {
  readonly #clock: Clock | undefined;
  readonly #most: Most;
  #end: number | undefined;
  #bytesLeft: number;
  #templatesLeft: number;
  /** Addresses that a limit of all together kept from being read. */
  readonly beyond = new Set<string>();
  #reached: keyof typeof limitsReached | undefined;

  /** Without a clock there is no limit of time. */
  constructor(clock: Clock | undefined, most: Most = mostOfParts) {
    this.#clock = clock;
    this.#most = most;
    this.#bytesLeft = most.bytes;
    this.#templatesLeft = most.templates;
  }

  /** Bytes of one address at most. */
  get eachBytes(): number {
    return this.#most.eachBytes;
  }

  get reached(): keyof typeof limitsReached | undefined {
    return this.#reached;
  }

  /** The time begins with the first question: a boot that reads and renders nothing asks for none. */
  get msLeft(): number {
    const now = this.#clock?.monotonicMs();
    if (now === undefined) return Number.POSITIVE_INFINITY;
    this.#end ??= now + this.#most.ms;
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
