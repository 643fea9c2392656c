import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fc } from "#core/fast-check.ts";
import { Fault } from "#core/fault.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import { type SystemClient, systemClient } from "./client.ts";
import type { FakeLoader } from "./fake-firmware.ts";
import { arm } from "./fake-first-boot.ts";
import { type FakeMachine, fakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import { machineDirectory } from "./machine-directory.ts";
import type { Trial, Verdict } from "./system.ts";

// Whole lives of a machine: whatever happens to it, in whichever order, it boots what was good.

const healthy: Verdict = { healthy: true, reasons: ["all passed"], passes: 3, ms: 10 };
const sick: Verdict = {
  ...{ healthy: false, reasons: ["http: refused"], passes: 0, ms: 10 },
  failed: ["http"],
};

/** Releases that are asked for; the ones with a kernel need a reboot. */
const releases = ["a", "b", "c with kernel-one", "d with kernel-two"].map((name) =>
  fakeSources(name),
);

/** What happens to a machine. */
type Happening =
  /**
   * An agent starts, wants a release, judges it so, finds that what it fails fails without it as well, or
   * not, and may die at an effect.
   */
  | {
      readonly what: "agent";
      readonly release: number;
      readonly by: "boot" | "apply";
      readonly well: boolean;
      readonly conclusive: boolean;
      readonly dieAt: number | null;
    }
  | { readonly what: "power" | "restart" | "timers" | "damage" | "collect" }
  /** The boot menu can be written no more, or again. */
  | { readonly what: "menu"; readonly isFull: boolean }
  /** A person activates the system of the image, or makes it the boot default as well. */
  | { readonly what: "hand"; readonly keeps: boolean };

const agent = fc.record({
  what: fc.constant("agent" as const),
  release: fc.nat(releases.length - 1),
  by: fc.constantFrom("boot" as const, "apply" as const),
  well: fc.boolean(),
  conclusive: fc.boolean(),
  dieAt: fc.option(fc.integer({ min: 1, max: 70 }), { freq: 2 }),
});
const accident = fc.record({
  what: fc.constantFrom("power" as const, "restart" as const, "timers" as const),
});
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 8, arbitrary: agent },
  { weight: 6, arbitrary: accident },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constantFrom("damage" as const, "collect" as const) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constant("menu" as const), isFull: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("hand" as const), keeps: fc.boolean() }) },
);

interface Life {
  readonly m: FakeMachine;
  /** Systems that may be booted: what it came with, was judged healthy, or was chosen by hand. */
  readonly good: Set<string>;
  /** Trials whose end was found to say something about their release. */
  readonly convicted: Set<string>;
}

async function happen(life: Life, one: Happening): Promise<void> {
  const { m } = life;
  switch (one.what) {
    case "agent":
      return live(life, one);
    case "power":
      m.cutPower();
      return early(m);
    case "restart":
      return m.restartIfAsked() ? early(m) : undefined;
    case "timers":
      m.fireTimers();
      return early(m);
    case "damage":
      return damage(m);
    case "collect":
      return collect(m);
    case "menu":
      if (one.isFull) m.faults.answers.set("switch boot", () => ({ code: 1 }));
      else m.faults.answers.delete("switch boot");
      return undefined;
    case "hand":
      m.link(m.image, "/run/current-system");
      if (one.keeps) m.choose(m.image);
  }
}

/** What a system does itself before anything else runs: firstlight may never come to it after that. */
async function early(m: FakeMachine): Promise<void> {
  await arm(m);
}

/** One start of the agent; what it throws as a fault is an answer like any other. */
async function live(life: Life, one: Agent): Promise<void> {
  const { m, good } = life;
  const { system, dead } = m.start(one.dieAt === null ? {} : { dieAt: one.dieAt });
  const c = systemClient(system);
  const sources = releases[one.release] ?? fakeSources("none");
  try {
    const trial = await trialOf(life, c, { one, sources });
    if (trial === undefined) return;
    if (trial.activation === "waits-for-restart") await c.restart();
    else if (one.well) {
      good.add(trial.toplevel);
      await c.commit(trial, healthy);
    } else if ((await c.rollBack(trial, sick)).restart) await c.restart();
    else await conclude(life, c, { one, trial });
  } catch (error) {
    if (!dead() && !(error instanceof Fault)) throw error;
  }
}

type Agent = Extract<Happening, { readonly what: "agent" }>;

async function trialOf(
  life: Life,
  c: SystemClient,
  { one, sources }: { readonly one: Agent; readonly sources: Sources },
): Promise<Trial | undefined> {
  const { by } = one;
  const { state, trial, back, unproved } = await c.recover({ judges: true });
  if (unproved !== null) await c.prove(one.well ? healthy : sick);
  if (trial !== null) return trial.trial;
  if (back !== null) await conclude(life, c, { one, trial: back });
  else if (state === "clean") await checkDenied(life, c);
  if (state === "restart") await c.restart();
  if (state === "restart" || (await c.runs(sources.digest)).runs) return undefined;
  const reason = { by, why: "a life", instanceId: "i-1" } as const;
  return c.try(await c.plan(await c.build(sources, reason)));
}

async function conclude(
  { convicted }: Life,
  c: SystemClient,
  { one, trial }: { readonly one: Agent; readonly trial: { readonly transaction: string } },
): Promise<void> {
  const { transaction } = trial;
  const { conclusive } = one;
  if (conclusive) convicted.add(transaction);
  await c.conclude({ transaction, conclusive, reasons: [] });
}

/** Nobody holds back by a verdict what nobody has found to be to blame, whoever died in between. */
async function checkDenied({ convicted }: Life, c: SystemClient): Promise<void> {
  const { denied } = await c.history();
  const judged = denied.filter(({ reasons }) => reasons.includes("http: refused"));
  const wrong = judged.find(({ transaction }) => !convicted.has(transaction));
  if (wrong !== undefined) throw new Error(`${wrong.transaction} is held back by no conclusion`);
}

/** Takes out whatever nothing holds. */
async function collect(m: FakeMachine): Promise<void> {
  const limits = { keep: 1, maxAgeMs: null, minFreeBytes: 0, garbage: "always" } as const;
  await systemClient(m.start().system)
    .collect(limits, false)
    .catch((error: unknown) => {
      if (!(error instanceof Fault)) throw error;
    });
}

/** Spoils a line in the middle of the journal, where there is a middle. */
function damage({ root }: FakeMachine): void {
  const file = path.join(root, "var/lib/firstlight/journal/journal.jsonl");
  if (!existsSync(file)) return;
  const lines = readFileSync(file, "utf8").split("\n");
  if (lines.length < 5) return;
  lines[2] = (lines[2] ?? "").replace('"bootId"', '"bootIe"');
  writeFileSync(file, lines.join("\n"));
}

/** What must hold at every moment. */
function unsafe({ m, good }: Life): readonly string[] {
  const bootDefault = m.bootDefault() ?? "nothing";
  const whole = m.read(`${bootDefault}/bin/switch-to-configuration`) === bootDefault;
  return [
    ...(good.has(bootDefault) ? [] : [`${bootDefault} is booted, and was never good`]),
    ...(whole ? [] : [`${bootDefault} is booted, and is not whole`]),
  ];
}

const always = { what: "agent", well: true, conclusive: true, dieAt: null } as const;

/** What must hold once the agent has had its time, and nothing has happened any more. */
async function unsettled(life: Life): Promise<readonly string[]> {
  const { m } = life;
  m.faults.answers.delete("switch boot");
  const wish: Agent = { ...always, release: 0, by: "apply" };
  for (let round = 0; round < 6; round++) {
    await live(life, wish);
    if (m.restartIfAsked()) await early(m);
  }
  const wanted = systemOf(releases[0] ?? fakeSources("none"));
  const wrong: string[] = [...unsafe(life)];
  if (m.running() !== wanted) wrong.push(`${m.running()} runs at last`);
  if (m.bootDefault() !== wanted) wrong.push(`${m.bootDefault()} is booted at last`);
  const c = systemClient(m.start().system);
  const { state } = await c.recover();
  if (state !== "clean") wrong.push(`the journal is ${state} at last`);
  const list = (directory: string) =>
    existsSync(path.join(m.root, directory)) ? readdirSync(path.join(m.root, directory)) : [];
  const left = [
    ...list("nix/var/nix/profiles/system-profiles"),
    ...list("nix/var/nix/gcroots/firstlight"),
    ...m.timers.keys(),
  ];
  return [...wrong, ...left.map((name) => `${name} is left at last`)];
}

t.setTimeout(600_000);
const lives = Number(process.env["LIVES"] ?? 60);

/** Lives that once ended badly. */
const lived: [Happening[]][] = [
  // Damage of one build was forgotten once another had succeeded.
  [
    [
      { what: "agent", release: 0, by: "boot", well: false, conclusive: true, dieAt: 9 },
      { what: "power" },
      { what: "agent", release: 1, by: "boot", well: false, conclusive: true, dieAt: null },
      { what: "hand", keeps: false },
    ],
  ],
  // Killed before it could conclude: the release was held back though it was not to blame.
  [
    [
      { what: "agent", release: 0, by: "boot", well: false, conclusive: false, dieAt: 35 },
      { what: "agent", release: 0, by: "boot", well: false, conclusive: false, dieAt: null },
    ],
  ],
  // Committed without its boot entry, which nobody wrote any more.
  [
    [
      { what: "menu", isFull: true },
      { what: "agent", release: 0, by: "boot", well: true, conclusive: false, dieAt: null },
      { what: "agent", release: 0, by: "boot", well: true, conclusive: false, dieAt: null },
      { what: "agent", release: 0, by: "boot", well: true, conclusive: false, dieAt: null },
      { what: "menu", isFull: false },
    ],
  ],
  // The same in the first boot of another system.
  [
    [
      { what: "agent", release: 0, by: "boot", well: true, conclusive: false, dieAt: null },
      { what: "power" },
      { what: "agent", release: 0, by: "boot", well: true, conclusive: false, dieAt: null },
      { what: "agent", release: 1, by: "boot", well: true, conclusive: false, dieAt: null },
      { what: "menu", isFull: true },
      { what: "agent", release: 2, by: "boot", well: true, conclusive: false, dieAt: null },
      { what: "agent", release: 1, by: "boot", well: true, conclusive: false, dieAt: null },
      { what: "agent", release: 1, by: "boot", well: true, conclusive: false, dieAt: 1 },
      { what: "power" },
      { what: "menu", isFull: false },
    ],
  ],
];

for (const loader of ["systemd-boot", "grub"] as readonly FakeLoader[]) {
  t.test(`${loader}: whatever happens, the machine boots what was good`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 1, maxLength: 14 }), async (happenings) => {
        const root = machineDirectory("lives");
        try {
          const m = fakeMachine(root, { loader });
          const life: Life = { m, good: new Set([m.image]), convicted: new Set() };
          for (const [index, one] of happenings.entries()) {
            await happen(life, one);
            const wrong = unsafe(life);
            if (wrong.length > 0) throw new Error(`after ${index}: ${wrong.join("; ")}`);
          }
          const wrong = await unsettled(life);
          if (wrong.length > 0) throw new Error(wrong.join("; "));
        } finally {
          rmSync(root, { recursive: true, force: true });
        }
      }),
      { numRuns: lives, examples: lived },
    );
  });
}
