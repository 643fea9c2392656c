import { rmSync } from "node:fs";
import t from "tap";
import { armFirstBoot } from "./arm-first-boot.ts";
import { systemClient } from "./client.ts";
import type { FakeLoader } from "./fake-firmware.ts";
import {
  arm,
  fresh,
  good,
  healthy,
  marks,
  provedMachine,
  reason,
  start,
  unproved,
  unprovedMachine,
} from "./fake-first-boot.ts";
import type { FakeMachine } from "./fake-machine.ts";
import type { Verdict } from "./system.ts";

const sick: Verdict = { healthy: false, reasons: ["http: refused"], passes: 0, ms: 1 };

t.setTimeout(120_000);
const loaders: readonly FakeLoader[] = ["systemd-boot", "grub"];

for (const loader of loaders) {
  t.test(`${loader}: killed anywhere, going back is finished by whoever comes next`, async (t) => {
    for (let dieAt = 1, isDone = false; !isDone; dieAt++) {
      const m = await unprovedMachine(t, loader);
      m.cutPower();
      await arm(m);
      m.cutPower();
      isDone = await start(m, dieAt)
        .recover({ judges: true })
        .then(() => true)
        .catch(() => false);
      if (dieAt % 2 === 0) {
        m.cutPower();
        t.ok(m.running() === good || m.running() === fresh, `${dieAt}: ${m.running()}`);
        await arm(m);
        if (m.running() === fresh) m.cutPower();
      }
      t.equal(m.running(), good, `killed at ${dieAt}`);
      for (let round = 0; round < 2; round++) await start(m).recover({ judges: true });
      t.strictSame([m.bootDefault(), m.profile()], [good, good], `killed at ${dieAt}`);
      t.same(marks(m), []);
      m.cutPower();
      t.equal(m.running(), good);
      t.match(await start(m).recover(), { state: "clean" }, `killed at ${dieAt}`);
    }
  });

  t.test(
    `${loader}: whenever the new system is booted first, it can arm its way back`,
    async (t) => {
      let first = 0;
      for (let dieAt = 1, isDone = false; !isDone; dieAt++) {
        const m = await provedMachine(t, loader);
        const c = start(m);
        const trial = await c.try(await c.plan(await c.build(unproved, reason)));
        const dying = start(m, dieAt);
        await dying.recover({ judges: true }).catch(() => {});
        isDone = await dying
          .commit(trial, healthy)
          .then(() => true)
          .catch(() => false);
        m.cutPower();
        if (m.running() !== fresh) continue;
        first += 1;
        t.match(await arm(m), { back: good }, `killed at ${dieAt}`);
        m.cutPower();
        t.equal(m.running(), good, `killed at ${dieAt}`);
        for (let round = 0; round < 3; round++) await start(m).recover({ judges: true });
        t.strictSame([m.bootDefault(), m.profile()], [good, good], `killed at ${dieAt}`);
        t.same(marks(m), []);
        m.cutPower();
        t.equal(m.running(), good, `killed at ${dieAt}`);
        t.match(await start(m).recover(), { state: "clean" }, `killed at ${dieAt}`);
      }
      t.ok(first > 3, "so it was booted");
    },
  );

  for (const verdict of [healthy, sick]) {
    const how = verdict.healthy ? "healthy" : "not healthy";
    t.test(
      `${loader}, ${how}: a first boot that is cut at any effect, and once more`,
      async (t) => {
        let points = 0;
        for (let first = 1, isDone = false; !isDone; first++) {
          for (let second = 1, isOver = false; !isOver; second++) {
            const m = await unprovedMachine(t, loader);
            const life = { m, verdict };
            m.cutPower();
            isDone = await bootOnce(life, first);
            if (isDone) break;
            m.cutPower();
            isOver = await bootOnce(life, second);
            m.cutPower();
            points += 1;
            const wrong = await wrongAtLast(life);
            rmSync(m.root, { recursive: true, force: true });
            if (wrong.length > 0) t.fail(`cut at ${first}, then at ${second}`, { wrong });
          }
        }
        t.ok(points > 100, `${points} points`);
      },
    );
  }
}

interface Life {
  readonly m: FakeMachine;
  readonly verdict: Verdict;
}

/** What happens in a boot, which is cut before the effect `dieAt` of all its processes; whether it was not. */
async function bootOnce({ m, verdict }: Life, dieAt = Number.POSITIVE_INFINITY): Promise<boolean> {
  const early = m.start({ dieAt });
  try {
    await armFirstBoot(early.io);
  } catch {
    return false;
  }
  const agent = m.start({ dieAt: dieAt - early.io.effects.length });
  try {
    const c = systemClient(agent.system);
    const { unproved: subject } = await c.recover({ judges: true });
    if (subject !== null) await c.prove(m.running() === fresh ? verdict : healthy);
  } catch {
    return false;
  }
  return true;
}

/** What must hold after a few boots that nobody has cut. */
async function wrongAtLast(life: Life): Promise<readonly string[]> {
  const { m } = life;
  const wrong: string[] = [];
  const wasProved = (await start(m).history()).boot?.proved === true;
  const before = m.bootDefault();
  for (let boot = 0; boot < 3; boot++) {
    if (!(await bootOnce(life))) wrong.push("a boot in which nobody died ended early");
    m.cutPower();
  }
  const runs = m.running() ?? "nothing";
  if (runs !== good && runs !== fresh) wrong.push(`${runs} runs`);
  if (wasProved && before !== runs) wrong.push(`${runs} runs, and ${before} was proved`);
  if (m.bootDefault() !== runs || m.profile() !== runs) {
    wrong.push(`${runs} runs, ${m.bootDefault()} is booted, ${m.profile()} is the profile`);
  }
  if (marks(m).length > 0) wrong.push(`marks are left: ${marks(m).join(", ")}`);
  const { state } = await start(m).recover();
  if (state !== "clean") wrong.push(`it is ${state} at last`);
  return wrong;
}
