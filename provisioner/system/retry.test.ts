import { rmSync } from "node:fs";
import t from "tap";
import { systemClient } from "./client.ts";
import { type FakeMachine, fakeMachine, fakeSources } from "./fake-machine.ts";
import { machineDirectory } from "./machine-directory.ts";
import { checkRelease, type Releases } from "./releases.ts";
import { retryMs } from "./retry.ts";
import type { ChangeReason, Verdict } from "./system.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const limits = { denyMs: dayMs, tries: 3, withinMs: 6 * hourMs };
const nowMs = Date.parse("2026-01-02T00:00:00.000Z");

/** Releases of which trials began, and were to blame, so long ago. */
function ago(began: readonly number[], denied: readonly number[] = [], release = "r"): Releases {
  const at = (ms: number) => new Date(nowMs - ms).toISOString();
  const subject = { release, hardwareProfile: null };
  return {
    tries: began.map((ms) => ({ ...subject, at: at(ms) })),
    denied: denied.map((ms) => ({ ...subject, transaction: "t", at: at(ms), reasons: [] })),
  };
}

const waits: Readonly<Record<string, readonly [Releases, number]>> = {
  "that is held back until that is over": [ago([hourMs], [hourMs]), 23 * hourMs],
  "whose time is over in a moment no less than a minute": [ago([], [dayMs - 5]), minuteMs],
  "that nobody is to blame for not for long": [ago([minuteMs]), 5 * minuteMs],
  "longer with each trial": [ago([hourMs, minuteMs]), 15 * minuteMs],
  "that began too often until it did not": [
    ago([5.5 * hourMs, 5 * hourMs, 2 * hourMs, hourMs]),
    hourMs,
  ],
  "whose trials are long past as if there were none": [ago([dayMs, 7 * hourMs]), 5 * minuteMs],
  "no longer by what became of another": [ago([hourMs], [hourMs], "other"), 5 * minuteMs],
};

for (const [what, [releases, expected]] of Object.entries(waits)) {
  t.test(`a release waits ${what}`, async (t) => {
    t.equal(retryMs(releases, { sourcesDigest: "r" }, { limits, nowMs }), expected);
  });
}

t.test("a release waits as it is held back on its own hardware", async (t) => {
  const releases = ago([], [hourMs]);
  const waitMs = (hardwareProfile: string | null) =>
    retryMs(releases, { sourcesDigest: "r", hardwareProfile }, { limits, nowMs });
  t.strictSame([waitMs(null), waitMs("another")], [23 * hourMs, 5 * minuteMs]);
});

t.test(
  "a clock that is set while a release waits lets it wait three times as long at most",
  (t) => {
    const wanted = { sourcesDigest: "r" };
    const asked = { release: "r", reason: { by: "boot", why: "w", instanceId: null } } as const;
    const isAllowed = (releases: Releases, at: number) => {
      try {
        checkRelease(releases, asked, { limits, nowMs: at });
        return true;
      } catch {
        return false;
      }
    };
    const jumps = [-30, -24, -12, -1, 0, 1, 12, 24].map((hours) => hours * hourMs);
    for (const jumpMs of [...jumps, -nowMs, 10 * 365 * dayMs]) {
      for (const releases of [ago([0], [0]), ago([2, 1, 0])]) {
        let [timeMs, waitedMs, boots] = [nowMs, 0, 0];
        while (!isAllowed(releases, timeMs) && boots < 10) {
          const waitMs = retryMs(releases, wanted, { limits, nowMs: timeMs });
          waitedMs += waitMs;
          timeMs += waitMs + (boots === 0 ? jumpMs : 0);
          boots += 1;
        }
        t.ok(boots <= 2, `${jumpMs / hourMs} h: ${boots} boots`);
        t.ok(waitedMs <= 3 * dayMs, `${jumpMs / hourMs} h: ${waitedMs / hourMs} h`);
      }
    }
    t.end();
  },
);

const reason: ChangeReason = { by: "boot", why: "a test", instanceId: "i-1" };
const sick: Verdict = { healthy: false, reasons: ["http: refused"], passes: 0, ms: 10 };
const unit = "/etc/systemd/system/firstlight-boot.service";

function machine(test: { teardown(action: () => void): unknown }, systemd = true): FakeMachine {
  const root = machineDirectory("retry");
  test.teardown(() => rmSync(root, { recursive: true, force: true }));
  return fakeMachine(root, { systemd });
}

t.test("systemd starts the boot again when the time has come, and no more than once", async (t) => {
  const m = machine(t);
  m.write(unit, "[Service]\n");
  const { system, io } = m.start();
  const c = systemClient(system);
  const sources = fakeSources("a");
  await c.rollBack(await c.try(await c.plan(await c.build(sources, reason))), sick);
  const wanted = { sourcesDigest: sources.digest };
  const { at } = await c.retry(wanted);
  const waitMs = Date.parse(at ?? "") - io.clock.now();
  t.ok(waitMs >= dayMs && waitMs <= dayMs + 10 * minuteMs, `${at}`);
  t.same([...m.timers], [["firstlight-retry", "start firstlight-boot.service"]]);
  const armed = io.executed.findLast(({ file }) => file === "systemd-run");
  t.ok(armed?.args.includes(`--on-active=${Math.ceil(waitMs / 1000)}s`));
  await systemClient(m.start().system).retry(wanted);
  t.equal(m.timers.size, 1, "the one before is gone");
  m.faults.answers.set("systemd-run", () => ({ code: 1, stderr: "no bus" }));
  await t.rejects(c.retry(wanted), { code: "system/retry-failed" });
  m.faults.answers.clear();
  await c.retry(wanted);
  t.match(await c.runs(sources.digest), { retries: true });
  t.same(await c.retry(null), { at: null }, "nothing is left to be tried");
  t.equal(m.timers.size, 0);
  t.match(await c.runs(sources.digest), { retries: false });
  const before = io.executed.length;
  await c.retry(null);
  t.equal(io.executed.length, before, "where none is set none is stopped");
});

t.test("where nobody can start it, nobody is told so", async (t) => {
  for (const m of [machine(t), machine(t, false)]) {
    t.same(await systemClient(m.start().system).retry({ sourcesDigest: null }), { at: null });
    t.equal(m.timers.size, 0);
  }
});
