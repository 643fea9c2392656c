import t, { type Test } from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { Fault } from "#core/fault.ts";
import { silentLog } from "#core/log.ts";
import { validate } from "#generated/protocol/messages/drift-found.validate.js";
import type { NewEvent } from "#protocol/events.ts";
import { fitEvent } from "#protocol/fit-event.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { DriftItem, DriftReport, RepairReport } from "#provisioner/system/drift/report.ts";
import type { ChangeReason } from "#provisioner/system/system.ts";
import { driftRound } from "./drift-round.ts";
import { driftSettings } from "./drift-settings.ts";
import { watchDrift } from "./drift-watch.ts";
import type { Recurring } from "./schedule.ts";

function item(subject: string, level: DriftItem["level"] = "error"): DriftItem {
  return {
    layer: "store",
    kind: "path-corrupt",
    subject,
    declared: "a",
    actual: "b",
    since: "2026-01-01T00:00:00.000Z",
    by: null,
    level,
    remedy: "repair",
  };
}

function report(...items: readonly DriftItem[]): DriftReport {
  const toplevel = "/nix/store/x";
  const declared = { generation: 2, toplevel, sourcesDigest: "d", at: "t", by: "boot: first" };
  return { v: 1, at: "t", deep: false, declared, items, store: null, unseen: [] };
}

/** Rounds on one machine whose system answers one thing after the other. */
function rounds(t: Test, answers: readonly (DriftReport | RepairReport)[]) {
  const events: NewEvent[] = [];
  const asked: string[] = [];
  const left = [...answers];
  const next = async (what: string) => {
    asked.push(what);
    return left.shift() as never;
  };
  const system = {
    drift: ({ share }: { share: number }) => next(`drift 1/${share}`),
    repair: () => next("repair"),
    recover: async () => ({ state: "clean", transaction: null, details: [], fault: null }),
    planGeneration: async (generation: number, { by, why }: ChangeReason) => {
      asked.push(`plan ${generation}, ${by}: ${why}`);
      throw new Fault("system/generation-unknown", "gone meanwhile");
    },
  } as unknown as SystemClient;
  const io = fakeIo(t.testdir());
  const deps = {
    io,
    log: silentLog,
    system,
    probe: async () => ({ passed: true, reason: "" }),
    report: (event: NewEvent) => void events.push(event),
    version: "0",
  } as unknown as Parameters<typeof driftRound>[0];
  const round = (repair = false) => driftRound(deps, { deep: false, repair, share: 7 });
  return { round, events, asked };
}

t.test("drift is told when it changes, and not every day anew", async (t) => {
  const [one, two] = [item("/a"), item("/b", "note")];
  const all = [
    report(),
    report(one),
    report(one),
    report(two, one),
    report(two),
    report(),
    report(),
  ];
  const { round, events } = rounds(t, all);
  for (const _ of all) await round();
  const told = events.map(({ body }) => (body as { counts: object }).counts);
  t.same(told, [
    { errors: 1, warnings: 0, notes: 0 },
    { errors: 1, warnings: 0, notes: 1 },
    { errors: 0, warnings: 0, notes: 1 },
    { errors: 0, warnings: 0, notes: 0 },
  ]);
  t.match(events[1]?.body, { items: [{ subject: "/a" }, { subject: "/b" }] }, "the worst first");
  for (const { body } of events) t.ok(validate(fitEvent(body)), JSON.stringify(validate.errors));
});

t.test("an event of any size fits its schema", async (t) => {
  const many = Array.from({ length: 500 }, (_, n) => item(`/nix/store/${n}${"x".repeat(400)}`));
  const { round, events } = rounds(t, [{ ...report(...many), unseen: ["y".repeat(9_000)] }]);
  await round();
  t.match(events[0]?.body, { counts: { errors: 500 } });
  t.ok(validate(fitEvent(events[0]?.body)), JSON.stringify(validate.errors));
});

t.test("what was mended is told although nothing is left", async (t) => {
  const mended: RepairReport = {
    repaired: [{ subject: "/a", by: "cache" }],
    unrepaired: [],
    fallback: null,
    after: report(),
  };
  const { round, events, asked } = rounds(t, [mended]);
  t.match(await round(true), { outcome: null, repaired: [{ by: "cache" }] });
  t.match(events, [{ body: { repaired: [{ subject: "/a" }], items: [] } }]);
  t.same(asked, ["repair"]);
});

t.test("what cannot be mended is gone back from, but not to what is there already", async (t) => {
  const broken = (fallback: number): RepairReport => ({
    repaired: [],
    unrepaired: ["/a"],
    fallback,
    after: report(item("/a")),
  });
  const { round, asked, events } = rounds(t, [broken(1), broken(2)]);
  await t.rejects(round(true), { code: "system/generation-unknown" });
  const why = "back to generation 1: 1 path of the store cannot be mended";
  t.same(asked, ["repair", `plan 1, repair: ${why}`]);
  t.match(events, [{ kind: "drift.found" }], "told before");
  t.match(await round(true), { outcome: null });
});

t.test("the settings, and what holds without them", async (t) => {
  t.same(driftSettings({}), { check: true, repair: false, intervalMs: 86_400_000, share: 7 });
  const often = { schedule: "6h", storeRound: "2d", repair: true, check: false };
  t.same(driftSettings({ drift: often }), {
    check: false,
    repair: true,
    intervalMs: 21_600_000,
    share: 8,
  });
  t.equal(driftSettings({ drift: { schedule: "30d" } }).share, 1);
});

t.test("a watch looks as the settings say, spread at random, and outlives a failure", async (t) => {
  const planned: Recurring[] = [];
  const tasks: (() => Promise<void>)[] = [];
  const schedule = {
    every: (recurring: Recurring, task: () => Promise<void>) => {
      planned.push(recurring);
      tasks.push(task);
      return () => void tasks.splice(0);
    },
  };
  const { round } = rounds(t, [report()]);
  const looks: object[] = [];
  const watch = (settings: object) =>
    watchDrift({
      log: silentLog,
      schedule,
      settings: { ...driftSettings({}), ...settings },
      round: async (options) => {
        looks.push(options);
        if (looks.length > 1) throw new Fault("system/locked", "busy");
        return round();
      },
    });
  watch({ check: false });
  t.same(planned, []);
  const stop = watch({ repair: true });
  t.match(planned, [{ name: "drift", intervalMs: 86_400_000, jitterMs: 21_600_000 }]);
  await tasks[0]?.();
  await tasks[0]?.();
  t.same(looks, Array(2).fill({ deep: false, repair: true, share: 7 }));
  stop();
  t.same(tasks, []);
});
