import { validate } from "node-cron";
import t from "tap";
import { silentLog } from "#core/log.ts";
import { cronExpression, cronSchedule } from "./schedule.ts";

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
