import { existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { isFault } from "#core/fault.ts";
import { type SystemClient, systemClient } from "./client.ts";
import { type FakeMachine, fakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import { readJournal } from "./journal.ts";
import { machineDirectory } from "./machine-directory.ts";
import type { ChangeReason, Trial, Verdict } from "./system.ts";

const reason: ChangeReason = { by: "boot", why: "a test", instanceId: "i-1" };
const healthy: Verdict = { healthy: true, reasons: ["all passed"], passes: 3, ms: 10 };
const sick: Verdict = { healthy: false, reasons: ["http: refused"], passes: 0, ms: 10 };
const before = fakeSources("before");
const after = fakeSources("after with kernel-next");

/** What an agent does at each start; whether the machine is to be restarted. */
async function agent(c: SystemClient, verdict: Verdict): Promise<"down" | "settled"> {
  const found = await c.recover({ judges: true });
  if (found.state === "restart") return goDown(c);
  const trial = found.trial?.trial ?? (await begin(c));
  if (trial === undefined) return "settled";
  if (trial.activation === "waits-for-restart") return goDown(c);
  if (verdict.healthy) await c.commit(trial, verdict);
  else if ((await c.rollBack(trial, verdict)).restart) return goDown(c);
  return "settled";
}

async function begin(c: SystemClient): Promise<Trial | undefined> {
  if ((await c.runs(after.digest)).runs) return undefined;
  try {
    return await c.try(await c.plan(await c.build(after, reason)));
  } catch (error) {
    if (isFault(error, "system/release-denied")) return undefined;
    throw error;
  }
}

async function goDown(c: SystemClient): Promise<"down"> {
  await c.restart();
  return "down";
}

interface Story {
  readonly m: FakeMachine;
  readonly verdict: Verdict;
}

/** Agents one after another until one has nothing left to do; it dies before the effect `dieAt` of them all. */
async function live(
  { m, verdict }: Story,
  { dieAt, accident }: { dieAt: number; accident: () => void },
): Promise<{ readonly died: boolean; readonly wrong: readonly string[] }> {
  let left = dieAt;
  let died = false;
  const wrong: string[] = [];
  for (let starts = 0; starts < 20; starts++) {
    const process = m.start({ dieAt: died ? Number.POSITIVE_INFINITY : left });
    try {
      const end = await agent(systemClient(process.system), verdict);
      if (end === "settled") return { died, wrong };
      left -= process.io.effects.length;
      if (!m.restartIfAsked()) wrong.push("the machine was not restarted");
    } catch (error) {
      if (!process.dead() || died) throw error;
      died = true;
      wrong.push(...unsafe(m));
      m.restartIfAsked();
      accident();
    }
  }
  return { died, wrong: [...wrong, "it never ends"] };
}

/** What must hold at every moment: the boot default is good, and was left alone unless the commit began. */
function unsafe(m: FakeMachine): readonly string[] {
  const { records } = readJournal(m.start().io.files, "/var/lib/firstlight/journal/journal.jsonl");
  const ofAfter = systemOf(after);
  const commits = records.some(
    (r) => r.kind === "intent" && r.step === "set-profile" && r.data.toplevel === ofAfter,
  );
  const allowed = commits ? [systemOf(before), ofAfter] : [systemOf(before)];
  const { root } = m;
  const sound = m.read(`${m.bootDefault()}/bin/switch-to-configuration`) === m.bootDefault();
  return [
    ...(allowed.includes(m.bootDefault() ?? "") ? [] : [`boot default ${m.bootDefault()}`]),
    ...(sound ? [] : [`${root}: the boot default is not whole`]),
  ];
}

/** What must hold at the end. */
async function inconsistencies({ m, verdict }: Story): Promise<readonly string[]> {
  const wrong: string[] = [];
  const expected = verdict.healthy ? after : before;
  const expect = (what: string, found: unknown, wanted: unknown) => {
    if (JSON.stringify(found) !== JSON.stringify(wanted)) {
      wrong.push(`${what}: expected ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`);
    }
  };
  const list = (directory: string) =>
    existsSync(path.join(m.root, directory)) ? readdirSync(path.join(m.root, directory)) : [];
  expect("running", m.running(), systemOf(expected));
  expect("boot default", m.bootDefault(), systemOf(expected));
  expect("profile", m.profile(), systemOf(expected));
  expect("profiles of trials", list("nix/var/nix/profiles/system-profiles"), []);
  expect("roots", list("nix/var/nix/gcroots/firstlight"), []);
  expect("timers", [...m.timers.keys()], []);
  const c = systemClient(m.start().system);
  expect("recovery", (await c.recover()).state, "clean");
  expect("runs", (await c.runs(expected.digest)).runs, true);
  m.cutPower();
  expect("after one more boot", m.running(), systemOf(expected));
  return wrong;
}

/** A machine that has `before` committed. */
async function prepare(loader: "systemd-boot" | "grub", verdict: Verdict): Promise<Story> {
  const root = machineDirectory("reboot-recover");
  const m = fakeMachine(root, { loader });
  const c = systemClient(m.start().system);
  await c.commit(await c.try(await c.plan(await c.build(before, reason))), healthy);
  return { m, verdict };
}

const accidents: Readonly<Record<string, (m: FakeMachine) => void>> = {
  "firstlight is started again": () => {},
  "the timers fire before firstlight is started again": (m) => m.fireTimers(),
  "the power goes": (m) => m.cutPower(),
  "the machine is restarted in good order": (m) => {
    m.cutPower();
    m.cutPower();
  },
};

t.setTimeout(900_000);

for (const loader of ["systemd-boot", "grub"] as const) {
  for (const verdict of [healthy, sick]) {
    const end = verdict.healthy ? "a commit" : "a way back";
    for (const [accident, happen] of Object.entries(accidents)) {
      if (loader === "grub" && accident !== "the power goes") continue;
      t.test(`${loader}, ${end}: whichever effect it dies at, and ${accident}`, async (t) => {
        let deaths = 0;
        for (let dieAt = 1, died = true; died; dieAt++) {
          const story = await prepare(loader, verdict);
          try {
            const lived = await live(story, { dieAt, accident: () => happen(story.m) });
            died = lived.died;
            if (died) deaths += 1;
            const wrong = [...lived.wrong, ...(await inconsistencies(story))];
            if (wrong.length > 0) t.fail(`died at effect ${dieAt}`, { wrong });
          } finally {
            rmSync(story.m.root, { recursive: true, force: true });
          }
        }
        t.ok(deaths > 60, `${deaths} deaths`);
      });
    }
  }
}
