import t from "tap";
import type { Code } from "#core/codes.ts";
import { fakeClock } from "#core/fake-io.ts";
import { Fault } from "#core/fault.ts";
import { Attempts, cachePool } from "./cache-pool.ts";

const [first, second] = ["https://a.example/", "https://b.example/"];
const { signal } = new AbortController();

/** A pool, and one path's attempts at it that fail as they are told. */
function prepare(urls: readonly string[]) {
  const clock = fakeClock();
  const pool = cachePool(urls, { clock, benchMs: 60_000 });
  const attempts = new Attempts();
  const fail = async (code: Code, of = attempts) => {
    const cache = await pool.next(of, signal);
    if (cache === undefined) return undefined;
    const fault = new Fault(code, "no");
    of.failed(cache, fault);
    pool.failed(cache, fault);
    return cache.url;
  };
  return { clock, pool, attempts, fail };
}

t.test("a cache that failed is left alone for a while, and then preferred again", async (t) => {
  const { clock, pool, fail } = prepare([first, second]);
  t.equal(await fail("system/cache-slow"), first);
  t.equal((await pool.next(new Attempts(), signal))?.url, second, "for other paths too");
  clock.advance(60_000);
  t.equal((await pool.next(new Attempts(), signal))?.url, first);
});

t.test("where there is no other it is waited for, and asked so often", async (t) => {
  const { clock, fail, attempts } = prepare([first]);
  for (let n = 0; n < 4; n++) t.equal(await fail("system/cache-unreachable"), first);
  t.equal(clock.monotonicMs(), 180_000, "a while between two");
  t.equal(await fail("system/cache-unreachable"), undefined);
  t.equal(attempts.reasons(), `${first}: no`);
});

t.test("a liar is never asked again, and what a cache lacks costs it nothing", async (t) => {
  const { clock, fail, pool } = prepare([first, second]);
  t.equal(await fail("system/cache-absent"), first);
  t.equal((await pool.next(new Attempts(), signal))?.url, first);
  t.equal(await fail("system/cache-lied"), second);
  t.equal(await fail("system/cache-lied"), undefined, "each has said its last word on this path");
  clock.advance(10 ** 9);
  const other = new Attempts();
  t.equal(await fail("system/cache-lied", other), first);
  t.equal(await pool.next(other, signal), undefined);
});

t.test("waiting is called off", async (t) => {
  const stop = new AbortController();
  const sleep = (_: number, signal?: AbortSignal) =>
    new Promise<void>((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
  const pool = cachePool([first], { clock: { ...fakeClock(), sleep }, benchMs: 1 });
  const cache = await pool.next(new Attempts(), signal);
  if (cache === undefined) throw new Error("expected a cache");
  pool.failed(cache, new Fault("system/cache-slow", "no"));
  const waiting = pool.next(new Attempts(), stop.signal);
  stop.abort();
  await t.rejects(waiting, { code: "system/canceled" });
});
