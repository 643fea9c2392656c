import type { Code } from "#core/codes.ts";
import { Fault } from "#core/fault.ts";
import type { Clock } from "#core/io.ts";

/** A binary cache while a system is fetched. */
export interface Cache {
  readonly url: string;
  /** Bytes that came from it, over all transfers. */
  received: number;
  /** Left alone until then (monotonic); for good once it lied. */
  benchedUntilMs: number;
}

/** Whom to ask next. */
export interface CachePool {
  /**
   * The first cache that may be asked for a path, waiting for one that is benched when there is no
   * other; `undefined` when every one was asked often enough. Throws `system/canceled`.
   */
  next(attempts: Attempts, signal: AbortSignal): Promise<Cache | undefined>;
  /** Takes note of a failed attempt. */
  failed(cache: Cache, fault: Fault): void;
}

/** What was tried for one path. */
export class Attempts {
  readonly #tries = new Map<Cache, number>();
  readonly #reasons = new Map<Cache, Fault>();

  mayAsk(cache: Cache): boolean {
    const last = this.#reasons.get(cache);
    if (last !== undefined && finalFaults.has(last.code)) return false;
    return (this.#tries.get(cache) ?? 0) < maxTries;
  }

  failed(cache: Cache, fault: Fault): void {
    this.#tries.set(cache, (this.#tries.get(cache) ?? 0) + 1);
    this.#reasons.set(cache, fault);
  }

  /** The last word of each cache. */
  reasons(): string {
    return [...this.#reasons].map(([{ url }, { message }]) => `${url}: ${message}`).join("; ");
  }
}

/** So often one cache is asked for one path. */
const maxTries = 4;
/** After these another try at the same cache is of no use. */
const finalFaults: ReadonlySet<Code> = new Set([
  "system/cache-absent",
  "system/cache-lied",
  "system/cache-unusable",
]);

/** A pool of the caches at `urls`, the preferred one first. */
export function cachePool(
  urls: readonly string[],
  { clock, benchMs }: { readonly clock: Clock; readonly benchMs: number },
): CachePool {
  const caches = urls.map((url): Cache => ({ url, received: 0, benchedUntilMs: 0 }));
  return {
    async next(attempts, signal) {
      for (;;) {
        const usable = caches.filter(
          (cache) => attempts.mayAsk(cache) && cache.benchedUntilMs < Number.POSITIVE_INFINITY,
        );
        const now = clock.monotonicMs();
        const first = usable.find((cache) => cache.benchedUntilMs <= now);
        if (first !== undefined || usable.length === 0) return first;
        const free = Math.min(...usable.map((cache) => cache.benchedUntilMs));
        await clock.sleep(free - now, signal).catch(() => {
          throw new Fault("system/canceled", "fetching was called off");
        });
      }
    },
    failed(cache, { code }) {
      if (code === "system/cache-lied") cache.benchedUntilMs = Number.POSITIVE_INFINITY;
      if (code === "system/cache-slow" || code === "system/cache-unreachable") {
        cache.benchedUntilMs = Math.max(cache.benchedUntilMs, clock.monotonicMs() + benchMs);
      }
    },
  };
}

/** What is asked of several caches. */
export interface Asking<T> {
  readonly signal: AbortSignal;
  /** Throws `system/cache-…` where another cache, or another time, may do better. */
  readonly attempt: (cache: Cache) => Promise<T>;
  /** Made of the last word of each cache when none is left to ask. */
  readonly nowhere: (reasons: string) => Fault;
}

/**
 * Asks one cache after another until one has it; one that was away or slow is asked again in its turn. Throws
 * what no cache can help, `nowhere`, and `system/canceled`.
 */
export async function fromAny<T>(pool: CachePool, asking: Asking<T>): Promise<T> {
  const { signal, attempt, nowhere } = asking;
  const attempts = new Attempts();
  for (;;) {
    if (signal.aborted) throw new Fault("system/canceled", "fetching was called off");
    const cache = await pool.next(attempts, signal);
    if (cache === undefined) throw nowhere(attempts.reasons());
    try {
      return await attempt(cache);
    } catch (error) {
      if (!(error instanceof Fault) || !error.code.startsWith("system/cache-")) throw error;
      attempts.failed(cache, error);
      pool.failed(cache, error);
    }
  }
}
