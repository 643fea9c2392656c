import { existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { type SystemClient, systemClient } from "./client.ts";
import { type FakeMachine, fakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import { readJournal } from "./journal.ts";
import { machineDirectory } from "./machine-directory.ts";
import type { ChangeReason, Verdict } from "./system.ts";

const reason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };
const healthy: Verdict = { healthy: true, reasons: ["all passed"], passes: 3, ms: 10 };
const sick: Verdict = { healthy: false, reasons: ["http: refused"], passes: 0, ms: 10 };
const before = fakeSources("before");
const after = fakeSources("after");

/** A whole change, from the build to its end. */
type Story = (c: SystemClient) => Promise<unknown>;

const stories: Readonly<Record<string, Story>> = {
  commit: async (c) => c.commit(await trial(c), healthy),
  "roll back": async (c) => c.rollBack(await trial(c), sick),
};

async function trial(c: SystemClient) {
  return c.try(await c.plan(await c.build(after, reason)));
}

/** What happens to the machine after firstlight has died. */
const accidents: Readonly<Record<string, (m: FakeMachine) => void>> = {
  "firstlight is started again": () => {},
  "the timers fire before firstlight is started again": (m) => m.fireTimers(),
  "the power goes": (m) => m.cutPower(),
};

/** A machine that has `before` committed, in an empty directory. */
async function prepare(systemd: boolean): Promise<FakeMachine> {
  const m = fakeMachine(machineDirectory("recover"), { systemd });
  const c = systemClient(m.start().system);
  const first = await c.try(await c.plan(await c.build(before, reason)));
  await c.commit(first, healthy);
  return m;
}

/** Runs work in a process that dies before the effect `dieAt`; whether it died. */
async function dies(m: FakeMachine, dieAt: number, work: Story): Promise<boolean> {
  const { system, dead } = m.start({ dieAt });
  try {
    await work(systemClient(system));
  } catch (error) {
    if (!dead()) throw error;
  }
  return dead();
}

/** The journal's own word on whether the system was to stay. */
function commitBegan(m: FakeMachine): boolean {
  const { records } = readJournal(m.start().io.files, "/var/lib/firstlight/journal/journal.jsonl");
  const steps = records.filter((r) => r.kind !== "checkpoint");
  const ofAfter = steps.filter(
    (r) => r.step === "build" && r.kind === "intent" && r.data.sourcesDigest === after.digest,
  );
  return steps.some(
    (r) =>
      r.step === "commit" && r.kind === "intent" && ofAfter.some((build) => build.txn === r.txn),
  );
}

/** Everything that must hold whenever recovery has ended; what does not, as sentences. */
async function inconsistencies(m: FakeMachine, expected: string): Promise<readonly string[]> {
  const wrong: string[] = [];
  const expect = (what: string, found: unknown, wanted: unknown) => {
    if (found !== wanted) wrong.push(`${what}: expected ${wanted}, found ${found}`);
  };
  const c = systemClient(m.start().system);
  expect("running", m.running(), expected);
  expect("profile", m.profile(), expected);
  expect("boot default", m.bootDefault(), expected);
  expect("the boot default's program", m.read(`${expected}/bin/switch-to-configuration`), expected);
  const described = expected === systemOf(after) ? after : before;
  const entry = m.read("/etc/nixos/firstlight/instance.nix");
  expect("/etc/nixos", entry, described.files[1]?.content);
  expect("armed timers", m.timers.size, 0);
  const roots = path.join(m.root, "nix/var/nix/gcroots/firstlight");
  expect("roots", existsSync(roots) ? readdirSync(roots).length : 0, 0);
  expect("second recovery", (await c.recover()).state, "clean");
  expect("runs", (await c.runs(described.digest)).runs, true);
  const { generations } = await c.history();
  const current = generations.filter((g) => g.running && g.bootDefault);
  expect("generations that run", current.length, 1);
  expect("its sources", current[0]?.sourcesDigest, described.digest);
  return wrong;
}

/** The same change once more, unharmed: no accident may stand in its way. */
async function appliesAgain(m: FakeMachine): Promise<readonly string[]> {
  const c = systemClient(m.start().system);
  const next = await c.try(await c.plan(await c.build(after, reason)));
  await c.commit(next, healthy);
  return inconsistencies(m, systemOf(after));
}

t.setTimeout(600_000);

for (const systemd of [true, false]) {
  for (const [story, work] of Object.entries(stories)) {
    for (const [accident, happen] of Object.entries(accidents)) {
      if (!systemd && accident !== "firstlight is started again") continue;
      const where = systemd ? "with systemd" : "without systemd";
      t.test(`${story} ${where}: whichever effect it dies at, and ${accident}`, async (t) => {
        let deaths = 0;
        for (let dieAt = 1, died = true; died; dieAt++) {
          const m = await prepare(systemd);
          try {
            died = await dies(m, dieAt, work);
            if (!died) break;
            deaths += 1;
            const stays = commitBegan(m);
            happen(m);
            await systemClient(m.start().system).recover();
            if (stays && m.running() !== systemOf(after)) {
              // After a power cut the old default was booted; the finished commit is the next one.
              m.cutPower();
            }
            const wrong = await inconsistencies(m, systemOf(stays ? after : before));
            const again = wrong.length === 0 ? await appliesAgain(m) : [];
            if (wrong.length + again.length > 0) {
              t.fail(`died at effect ${dieAt}`, { wrong, again, stays });
            }
          } finally {
            rmSync(m.root, { recursive: true, force: true });
          }
        }
        t.ok(deaths > 25, `${deaths} deaths`);
      });
    }
  }
}

t.test("a recovery that dies, at whichever effect, is finished by the next", async (t) => {
  const seen = new Set<string>();
  let deaths = 0;
  for (const work of Object.values(stories)) {
    for (let first = 1, died = true; died; first++) {
      for (let second = 1, diedAgain = true; diedAgain; second++) {
        const m = await prepare(true);
        try {
          died = await dies(m, first, work);
          const { io } = m.start();
          const { records } = readJournal(io.files, "/var/lib/firstlight/journal/journal.jsonl");
          const last = records.filter((r) => r.kind !== "checkpoint").at(-1);
          const point = `${last?.step} ${last?.kind} ${second}`;
          // Between two records of the journal recovery begins the same way, in either story.
          if (!died || seen.has(point)) break;
          seen.add(point);
          const stays = commitBegan(m);
          diedAgain = await dies(m, second, (c) => c.recover());
          await systemClient(m.start().system).recover();
          const wrong = await inconsistencies(m, systemOf(stays ? after : before));
          if (diedAgain) deaths += 1;
          if (wrong.length > 0) t.fail(`died at ${first}, then at ${second}`, { wrong });
        } finally {
          rmSync(m.root, { recursive: true, force: true });
        }
      }
    }
  }
  t.ok(deaths > 100, `${deaths} deaths`);
});
