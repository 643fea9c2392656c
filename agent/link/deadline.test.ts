import t from "tap";
import { fakeClock } from "#core/fake-io.ts";
import type { Clock } from "#core/io.ts";
import { within } from "./deadline.ts";

/** A clock that stands still until it is aborted. */
const standing: Clock = {
  now: () => 0,
  monotonicMs: () => 0,
  sleep: (_ms, signal) =>
    new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
};
const never = new Promise<never>(() => {});

t.test("what is done in time is handed on, its failure too", async (t) => {
  const deadline = { clock: standing, timeoutMs: 5, late: "nothing came" };
  t.equal(await within(Promise.resolve(7), deadline), 7);
  await t.rejects(within(Promise.reject(new Error("broken")), deadline), { message: "broken" });
});

t.test("what is late is a fault that says what was waited for", async (t) => {
  const late = within(never, { clock: fakeClock(), timeoutMs: 5, late: "nothing came" });
  await t.rejects(late, { code: "link/timeout", message: "nothing came within 5 ms" });
});

t.test("a signal ends the wait with its own reason, before or during it", async (t) => {
  const during = new AbortController();
  const wait = within(never, { clock: standing, timeoutMs: 5, late: "x", signal: during.signal });
  during.abort(new Error("called off"));
  await t.rejects(wait, { message: "called off" });
  const before = AbortSignal.abort(new Error("off already"));
  await t.rejects(within(never, { clock: fakeClock(), timeoutMs: 5, late: "x", signal: before }), {
    message: "off already",
  });
});
