import t from "tap";
import type { Window } from "#generated/fleet/rollout/definition.ts";
import { cronWindow, windowCheck } from "./windows.ts";

const night: Window = { days: ["fri"], from: "22:00", to: "04:00" };

const cases: readonly (readonly [
  window: Window,
  at: string,
  zone: string | undefined,
  open: boolean,
])[] = [
  [night, "2026-01-09T21:59:00Z", undefined, false],
  [night, "2026-01-09T22:00:00Z", undefined, true],
  [night, "2026-01-10T03:59:00Z", undefined, true],
  [night, "2026-01-10T04:00:00Z", undefined, false],
  [night, "2026-01-10T23:00:00Z", undefined, false],
  [night, "2026-01-09T21:30:00Z", "Europe/Berlin", true],
  [{ ...night, timezone: "America/New_York" }, "2026-01-10T04:00:00Z", "Europe/Berlin", true],
  [{ from: "00:00", to: "00:00" }, "2026-01-09T12:34:00Z", undefined, true],
  // The clocks of Berlin go from 02:00 to 03:00 on 29 March 2026.
  [{ from: "02:30", to: "03:30" }, "2026-03-29T01:10:00Z", "Europe/Berlin", true],
  [{ from: "02:00", to: "03:00" }, "2026-03-29T01:10:00Z", "Europe/Berlin", false],
  [{ from: "08:00", to: "09:00" }, "2026-01-09T08:30:00Z", "Not/AZone", true],
];

t.test("a window is open at its time of day, in its own time zone or the node's", async (t) => {
  for (const [window, at, zone, open] of cases)
    t.equal(windowCheck([window], Date.parse(at))(zone), open, `${JSON.stringify(window)} ${at}`);
  t.ok(windowCheck(undefined, 0)("UTC"), "always without one");
  t.ok(windowCheck([night, { from: "00:00", to: "00:00" }], 0)("UTC"), "any of them is enough");
});

t.test("a node takes a window as cron has it", async (t) => {
  t.strictSame(cronWindow({ ...night, timezone: "Europe/Berlin" }), {
    ...{ cron: "0 22 * * 5", durationMinutes: 360, timezone: "Europe/Berlin" },
  });
  t.match(cronWindow({ from: "08:05", to: "08:05" }), { cron: "5 8 * * *", durationMinutes: 1440 });
});
