import t from "tap";
import { healthTimes } from "./health-times.ts";
import { checkSpec } from "./validate.ts";

const options = { document: "spec", findOrigin: () => undefined, secretNames: new Set<string>() };

t.test("the time limit is long enough for what is asked where it is not said", (t) => {
  t.match(healthTimes(undefined), { passes: 3, soakMs: 0, leastMs: 10_000, timeoutMs: 120_000 });
  t.match(healthTimes({ soak: "10m" }), { leastMs: 600_000, timeoutMs: 665_000 });
  t.match(healthTimes({ interval: "1m" }), { leastMs: 120_000, timeoutMs: 240_000 });
  t.match(healthTimes({ soak: "10s", timeout: "2s" }), { leastMs: 10_000, timeoutMs: 2_000 });
  t.end();
});

t.test("a time limit that no trial can meet is an error", (t) => {
  for (const [health, ms] of [
    [{ soak: "10s", timeout: "2s" }, 10_000],
    [{ passes: 5, interval: "1m", timeout: "4m" }, 240_000],
  ] as const) {
    const { spec, findings } = checkSpec({ version: 1, health: { ...health } }, options);
    t.match(findings, [{ path: "health.timeout", code: "spec/invalid", message: `${ms} ms` }]);
    t.equal(spec.health?.timeout, undefined, "what is left can be met");
  }
  const fine = { version: 1, health: { passes: 5, interval: "1m", timeout: "241s" } };
  t.same(checkSpec(fine, options).findings, []);
  t.end();
});
