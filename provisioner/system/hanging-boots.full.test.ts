import { rmSync } from "node:fs";
import t from "tap";
import { fc } from "#core/fast-check.ts";
import { Fault } from "#core/fault.ts";
import { type SystemClient, systemClient } from "./client.ts";
import type { FakeLoader } from "./fake-firmware.ts";
import { arm, healthy, marks, reason } from "./fake-first-boot.ts";
import { type FakeMachine, fakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import { machineDirectory } from "./machine-directory.ts";
import type { Trial } from "./system.ts";

// Systems that are healthy where they were activated and hang in the boot after: firstlight never runs
// in them, so only what was armed before brings the machine back, wherever the power went in between.

t.setTimeout(900_000);

const names = ["a", "b hangs", "c hangs", "d", "e with kernel-one hangs", "f with kernel-two"];
const releases = names.map((name) => fakeSources(name));
const hanging = new Set(releases.filter((_, at) => names[at]?.includes("hangs")).map(systemOf));
/** After these a machine is where it stays. */
const settlingBoots = 6;
/** A boot of the trial, of what was committed, of what was before, and one for a mark that is late. */
const mostBoots = 4;

/** What happens to a machine; an agent may die at an effect. */
type Happening =
  | { readonly what: "agent"; readonly release: number; readonly dieAt: number | null }
  | { readonly what: "back"; readonly dieAt: number | null }
  | { readonly what: "power" };

const dieAt = fc.option(fc.integer({ min: 1, max: 60 }), { freq: 2 });
const release = fc.nat(releases.length - 1);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ what: fc.constant("agent" as const), release, dieAt }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant("power" as const) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("back" as const), dieAt }) },
);

for (const loader of ["systemd-boot", "grub"] as readonly FakeLoader[]) {
  t.test(`no order of hanging boots and power cuts strands a machine, by ${loader}`, async () => {
    const lives = fc.asyncProperty(
      fc.array(happening, { minLength: 2, maxLength: 12 }),
      async (happenings) => {
        const m = fakeMachine(machineDirectory("hang"), { loader });
        try {
          for (const one of happenings) await happen(m, one);
          await settle(m);
          check(m);
        } finally {
          rmSync(m.root, { recursive: true, force: true });
        }
      },
    );
    await fc.assert(lives, {
      numRuns: Number(process.env["LIVES"] ?? 40),
      seed: Number(process.env["LIVES_SEED"] ?? 1),
      // The first boot of `f` is its trial's, and the change after it dies before its menu is written.
      examples: [[[wants(1), wants(5), wants(0, 15)]]],
    });
  });
}

function wants(release: number, dieAt: number | null = null): Happening {
  return { what: "agent", release, dieAt };
}

async function happen(m: FakeMachine, one: Happening): Promise<void> {
  if (one.what === "power") return cut(m);
  await live(m, one);
  if (m.restartIfAsked()) await boot(m);
}

async function cut(m: FakeMachine): Promise<void> {
  m.cutPower();
  await boot(m);
}

/** A system that hangs does only what it does early in its boot, until somebody cuts the power. */
async function boot(m: FakeMachine): Promise<void> {
  for (let boots = 0; boots < mostBoots; boots++) {
    await arm(m);
    if (!hanging.has(m.running() ?? "")) return;
    m.cutPower();
  }
  throw new Error(`the machine does not get out of ${m.running()}`);
}

/** One start of the agent; what it throws as a fault is an answer like any other. */
async function live(m: FakeMachine, one: Exclude<Happening, { what: "power" }>): Promise<void> {
  const { system, dead } = m.start(one.dieAt === null ? {} : { dieAt: one.dieAt });
  const c = systemClient(system);
  try {
    const { state, trial, unproved } = await c.recover({ judges: one.what === "agent" });
    if (unproved !== null) await c.prove(healthy);
    if (state === "restart") return void (await c.restart());
    const tried = trial?.trial ?? (await tryNext(c, one));
    if (tried === undefined) return;
    if (tried.activation === "waits-for-restart") await c.restart();
    else await c.commit(tried, healthy);
  } catch (error) {
    if (!dead() && !(error instanceof Fault)) throw error;
  }
}

async function tryNext(
  c: SystemClient,
  one: Exclude<Happening, { what: "power" }>,
): Promise<Trial | undefined> {
  if (one.what === "back") {
    const { plan } = await c.planGeneration(null, { ...reason, by: "rollback" });
    return c.try(plan);
  }
  const sources = releases[one.release] ?? fakeSources("none");
  if ((await c.runs(sources.digest)).runs) return undefined;
  return c.try(await c.plan(await c.build(sources, reason)));
}

/** Nothing is asked for any more, and the power goes now and then. */
async function settle(m: FakeMachine): Promise<void> {
  for (let boots = 0; boots < settlingBoots; boots++) {
    await cut(m);
    const c = systemClient(m.start().system);
    const { state, unproved } = await c.recover({ judges: false });
    if (unproved !== null) await c.prove(healthy);
    if (state === "restart") await c.restart();
    if (m.restartIfAsked()) await boot(m);
  }
}

/** What runs is the newest generation and the boot default, and nothing waits to be proved. */
function check(m: FakeMachine): void {
  const now = [m.running(), m.profile(), m.bootDefault()];
  m.cutPower();
  const all = new Set([...now, m.running()]);
  if (all.size !== 1) throw new Error(`not settled: ${now.join(", ")}, then ${m.running()}`);
  const left = marks(m);
  if (left.length > 0) throw new Error(`marks are left: ${left.join(", ")}`);
}
