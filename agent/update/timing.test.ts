import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { isClockTrusted, type TimingInput, timingOf } from "./timing.ts";

const at = (text: string) => Date.parse(text);
const nights = { cron: "0 2 * * *", durationMinutes: 90, timezone: "Europe/Berlin" };

/** At noon of a Wednesday in UTC, with a clock that can be believed. */
function timing(input: Partial<TimingInput>) {
  return timingOf({
    ...{ update: {}, windows: [], nowMs: at("2026-07-01T12:00:00Z"), clockTrusted: true },
    ...{ withoutClock: "wait", ...input },
  });
}

t.test("an update with no times begins at once", async (t) => {
  t.match(await timing({}), { kind: "now" });
  t.match(await timing({ clockTrusted: false }), { kind: "now" });
});

t.test("not before its time, and not after its deadline", async (t) => {
  const notBefore = "2026-07-01T13:00:00Z";
  t.match(await timing({ update: { notBefore } }), { kind: "later", afterMs: 3_600_000 });
  t.match(await timing({ update: { notBefore }, nowMs: at(notBefore) }), { kind: "now" });
  const deadline = "2026-07-01T12:00:00Z";
  t.match(await timing({ update: { deadline } }), { kind: "expired", why: /2026-07-01T12/ });
  t.match(await timing({ update: { deadline, urgent: true } }), { kind: "expired" });
  const far = { notBefore: "2026-09-01T00:00:00Z" };
  t.match(
    await timing({ update: far }),
    { kind: "later", afterMs: 86_400_000 },
    "a timer of a day",
  );
});

t.test(
  "a window is open for its time, in its own zone, over midnight and over daylight saving",
  async (t) => {
    const cases: readonly (readonly [now: string, kind: string])[] = [
      ["2026-06-30T23:59:59Z", "later"],
      ["2026-07-01T00:00:00Z", "now"], // 02:00 in Berlin
      ["2026-07-01T01:29:59Z", "now"],
      ["2026-07-01T01:30:00Z", "later"],
      ["2026-12-01T00:30:00Z", "later"], // an hour later in winter
      ["2026-12-01T01:00:00Z", "now"],
    ];
    for (const [now, kind] of cases)
      t.match(await timing({ update: { window: nights }, nowMs: at(now) }), { kind }, now);
    const late = { cron: "30 23 * * *", durationMinutes: 60, timezone: "UTC" };
    t.match(await timing({ update: { window: late }, nowMs: at("2026-07-02T00:15:00Z") }), {
      kind: "now",
    });
  },
);

t.test(
  "what waits for a window is looked at again when it opens, at its deadline, or in a day",
  async (t) => {
    const update = { window: nights };
    t.match(await timing({ update }), { kind: "later", afterMs: 12 * 3_600_000 });
    const deadline = "2026-07-01T14:00:00Z";
    t.match(await timing({ update: { ...update, deadline } }), {
      kind: "later",
      afterMs: 7_200_000,
    });
    const sundays = { cron: "0 2 * * 0", durationMinutes: 60, timezone: "UTC" };
    t.match(await timing({ update: { window: sundays } }), { kind: "later", afterMs: 86_400_000 });
  },
);

t.test(
  "the fleet's window and one of the owner's have to be open, unless it is urgent",
  async (t) => {
    const noon = { cron: "0 12 * * *", durationMinutes: 30, timezone: "UTC" };
    const update = { window: noon };
    t.match(await timing({ update, windows: [nights] }), { kind: "later", why: /0 2 \* \* \*/ });
    t.match(await timing({ update, windows: [nights, noon] }), { kind: "now" });
    t.match(await timing({ update: { ...update, urgent: true }, windows: [nights] }), {
      kind: "now",
    });
  },
);

t.test("without a clock that was set, times mean nothing", async (t) => {
  const deadline = "2020-01-01T00:00:00Z";
  const clockTrusted = false;
  t.match(
    await timing({ update: { deadline }, clockTrusted }),
    { kind: "now" },
    "none expires by it",
  );
  const update = { window: nights };
  t.match(await timing({ update, clockTrusted }), { kind: "later", why: /clock/ });
  t.match(await timing({ update: { ...update, urgent: true }, clockTrusted }), { kind: "now" });
  t.match(await timing({ update, clockTrusted, withoutClock: "begin" }), { kind: "now" });
});

t.test("a window that cannot be read is refused, with or without a clock", async (t) => {
  for (const window of [
    { cron: "61 * * * *", durationMinutes: 5 },
    { cron: "0 0 2 * * *", durationMinutes: 5 },
    { cron: "0 2 * * *", durationMinutes: 0 },
    { cron: "0 2 * * *", durationMinutes: 10_081 },
    { cron: "0 2 * * *", durationMinutes: 5, timezone: "Mars/Olympus" },
  ])
    for (const clockTrusted of [true, false])
      await t.rejects(timing({ update: { window }, clockTrusted }), {
        code: "update/window-invalid",
      });
});

t.test("who has set the clock", async (t) => {
  const says = (stdout: string) => fakeIo(t.testdir(), { timedatectl: () => ({ stdout }) });
  t.equal(await isClockTrusted(says("yes\n")), true);
  t.equal(await isClockTrusted(says("no\n")), false);
  const io = fakeIo(t.testdir());
  t.equal(await isClockTrusted(io), false, "nobody can be asked");
  io.files.write("/run/systemd/timesync/synchronized", "");
  t.equal(await isClockTrusted(io), true);
});
