import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { silentLog } from "#core/log.ts";
import { noTotals, noWork } from "#provisioner/system/build-activity.ts";
import type { SystemEvent } from "#provisioner/system/system.ts";
import { progressPace, shareOf } from "./progress.ts";
import { readUpdateState } from "./read-state.ts";
import { openTracker } from "./tracker.ts";

const totals = (more: Partial<typeof noTotals>): SystemEvent => ({
  type: "build",
  activity: { kind: "totals", totals: { ...noTotals, ...more } },
});

t.test("a share comes from bytes that are fetched, and from builds and paths", async (t) => {
  t.equal(shareOf({ type: "fetch-progress", doneBytes: 1, totalBytes: 4 }), 0.25);
  t.equal(shareOf({ type: "fetch-progress", doneBytes: 0, totalBytes: 0 }), undefined);
  const builds = { ...noWork, done: 1, expected: 2 };
  t.equal(shareOf(totals({ builds })), 0.5);
  const fetches = { ...noWork, done: 0, expected: 2 };
  t.equal(shareOf(totals({ builds, fetches })), 0.25);
  const downloadBytes = { done: 50, expected: 100 };
  t.equal(shareOf(totals({ builds, fetches, downloadBytes })), 0.5, "bytes move before paths do");
  t.equal(shareOf(totals({})), undefined, "nothing is known yet");
  t.equal(shareOf({ type: "builders", builders: "children" }), undefined);
});

t.test("what is told moves by hundredths, never back, and once a second", async (t) => {
  const pace = progressPace();
  const told = (share: number, upMs: number, seq = 1) => pace({ share, seq, upMs });
  t.equal(told(0.104, 0), 0.1);
  t.equal(told(0.9, 999), undefined, "too soon");
  t.equal(told(0.109, 1_000), undefined, "too little");
  t.equal(told(0.05, 2_000), undefined, "Nix has found more to do");
  t.equal(told(0.5, 2_000), 0.5);
  t.equal(told(0.2, 3_000, 2), 0.2, "another state begins anew");
});

t.test("a flood of them is written once a second, and not after the state", async (t) => {
  const io = fakeIo(t.testdir());
  const tracker = openTracker(io, silentLog, {
    self: () => ({ pid: 1, started: "1" }),
    isAlive: () => true,
  });
  const release = { path: "release/a", name: "a", number: 1, sha256: "0".repeat(64) };
  tracker.happen({ name: "received", update: { updateId: "u-1", release } });
  tracker.progress(0.5);
  t.equal(readUpdateState(io.files)?.progress, undefined, "nothing is made yet");
  for (const name of ["verify", "verified", "due"] as const) tracker.happen({ name });
  const before = io.effects.length;
  for (let count = 1; count <= 1_000; count += 1) {
    io.clock.advance(10);
    tracker.progress(count / 1_000);
  }
  const state = readUpdateState(io.files);
  t.match(state, { state: "DOWNLOADING", updateId: "u-1" });
  t.ok((state?.progress ?? 0) > 0.8, `${state?.progress}`);
  const writes = io.effects.slice(before).filter((name) => name.includes("state.json")).length;
  t.ok(writes >= 9 && writes <= 11, `${writes} writes in 10 seconds`);
  tracker.happen({ name: "building" });
  t.equal(readUpdateState(io.files)?.progress, undefined);
  tracker.release();
});
