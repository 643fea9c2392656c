import { validate } from "node-cron";
import t from "tap";
import { silentLog } from "#core/log.ts";
import { cronExpression, cronSchedule, phaseOf } from "./schedule.ts";

t.test("an interval becomes the longest even one that is not longer", async (t) => {
  const cases = [
    [0, "*/1 * * * * *"],
    [1_000, "*/1 * * * * *"],
    [15_000, "*/15 * * * * *"],
    [20_500, "*/20 * * * * *"],
    [45_000, "*/30 * * * * *"],
    [60_000, "0 */1 * * * *"],
    [90_000, "0 */1 * * * *"],
    [7 * 60_000, "0 */6 * * * *"],
    [3_600_000, "0 0 */1 * * *"],
    [5 * 3_600_000, "0 0 */4 * * *"],
    [24 * 3_600_000, "0 0 0 * * *"],
    [900 * 3_600_000, "0 0 0 * * *"],
  ] as const;
  for (const [intervalMs, expression] of cases) {
    t.equal(cronExpression(intervalMs), expression, `${intervalMs} ms`);
    t.ok(validate(expression));
  }
});

t.test("each node has a moment of its own in the interval, and a fleet is spread", async (t) => {
  const cases = [
    [10_000, 0.5, "5-59/10 * * * * *"],
    [60_000, 0.25, "15 */1 * * * *"],
    [5 * 60_000, 0.5, "30 2-59/5 * * * *"],
    [4 * 3_600_000, 0.5, "0 0 2-23/4 * * *"],
    [24 * 3_600_000, 0.999_999, "59 59 23 * * *"],
  ] as const;
  for (const [intervalMs, phase, expression] of cases) {
    t.equal(cronExpression(intervalMs, phase), expression, `${intervalMs} ms at ${phase}`);
    t.ok(validate(expression));
  }
  const seconds = Array.from({ length: 6_000 }, (_, i) =>
    Number(cronExpression(60_000, phaseOf(`edge-${i}`, "health")).split(" ")[0]),
  );
  const most = Math.max(
    ...Array.from({ length: 60 }, (_, s) => seconds.filter((x) => x === s).length),
  );
  t.ok(most < 150, `of 6000 nodes at most ${most} in one second`);
  t.equal(phaseOf("edge-1", "health"), phaseOf("edge-1", "health"));
  t.not(phaseOf("edge-1", "health"), phaseOf("edge-1", "drift"));
});

t.test(
  "a task can be taken off the schedule, after which nothing keeps the program alive",
  async (t) => {
    const schedule = await cronSchedule(silentLog);
    const stop = schedule.every(
      { name: "health", intervalMs: 3_600_000, jitterMs: 1_000 },
      async () => {},
    );
    t.doesNotThrow(stop);
  },
);
