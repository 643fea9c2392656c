import { mkdirSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { systemClient } from "#provisioner/system/client.ts";
import { openDriver } from "#provisioner/system/driver.ts";
import type { FakeLoader } from "#provisioner/system/fake-firmware.ts";
import type { Recovery } from "#provisioner/system/system.ts";
import { qemuQ35 } from "./machines/qemu-q35.ts";
import { type Power, power } from "./power.ts";
import { type Run, type Seed, type StoryNode, storyNode } from "./story.ts";
import { cloudConfig } from "./story-documents.ts";
import {
  inconsistencies,
  isTriedAgain,
  lastOutcome,
  leftovers,
  type Standing,
  standing,
} from "./story-state.ts";

/** What a node runs, and what starts fastest. */
const program = "bundle";
const copier = pathToFileURL(path.join(import.meta.dirname, "copy-at-effects.ts")).href;
/** A change takes so many boots at most, restarts and a recovery among them. */
const mostBoots = 6;

/** A part of the story, to be begun from the same machine again and again. */
export interface Stage {
  readonly name: string;
  readonly node: StoryNode;
  /** Of a machine that is restarted on the way; `null` where every step is done in the running system. */
  readonly power: Power | null;
  /** The machine before it. */
  readonly start: string;
  readonly before: Standing;
  /** The machine after it, when nothing disturbs it. */
  readonly after: Standing;
  /** Text of /etc/motd after it. */
  readonly motd: string;
  /** How it may end: the last boot's outcome, and its exit code. */
  readonly ends: Readonly<Record<string, number>>;
  /** What a kill immediately before each effect leaves, in order. */
  readonly states: readonly State[];
  /** Effects of its longest boot. */
  readonly mostEffects: number;
}

/** A machine immediately before an effect. */
export interface State {
  /** `boot 1, effect 17 append …`. */
  readonly name: string;
  /** As {@link NixMachine.snapshot} gives it. */
  readonly copy: string;
}

/** What is put into the machine before each stage, and how it ends. */
interface Part {
  readonly name: string;
  readonly seed: Seed;
  readonly outcome: "committed" | "rolled-back";
  readonly motd: string;
}

interface Way {
  readonly parts: readonly Part[];
  /** Of a machine that is restarted on the way. */
  readonly loader?: FakeLoader;
}

interface Wish {
  readonly motd: string;
  readonly kernelParams?: readonly string[];
  readonly sick?: boolean;
}

function seed({ motd, kernelParams = [], sick = false }: Wish): Seed {
  const checks = ["/etc/motd", ...(sick ? ["/run/never"] : [])];
  return {
    instanceId: "i-1",
    userData: cloudConfig({
      motd,
      kernelParams,
      checks: checks.map((file) => ({ type: "file", path: file })),
    }),
  };
}

function part(name: string, wish: Wish, motd = wish.motd): Part {
  const outcome = wish.sick === true ? "rolled-back" : "committed";
  return { name, seed: seed(wish), outcome, motd: `${motd}\n` };
}

const first = part("first boot", { motd: "the first" });
const change = part("change", { motd: "the second" });
const kernel = part("change with a restart", { motd: "the second", kernelParams: ["quiet"] });
const sick = { motd: "the third", sick: true };

const ways: readonly Way[] = [
  { parts: [first] },
  { parts: [first, change] },
  { parts: [first, change, part("not healthy", sick, "the second")] },
  { loader: "systemd-boot", parts: [first, kernel] },
  {
    loader: "grub",
    parts: [
      first,
      part("not healthy after a restart", { ...sick, kernelParams: ["quiet"] }, "the first"),
    ],
  },
];

/** Every stage on a machine of its own, so that they can go side by side. */
export function storyStages(t: { teardown(close: () => void): unknown }): Promise<Stage[]> {
  return Promise.all(ways.map((way) => prepare(t, way)));
}

/** The hardware that a loader boots. */
function hardwareFor(loader: FakeLoader | undefined) {
  if (loader !== "systemd-boot") return qemuQ35;
  const esp = { path: "/boot", partition: "vda2", type: "vfat", label: "ESP" };
  const uefi = { secureBoot: false, setupMode: true };
  return { ...qemuQ35, uefi, fileSystems: [...qemuQ35.fileSystems, esp] };
}

async function prepare(
  t: { teardown(close: () => void): unknown },
  { parts, loader }: Way,
): Promise<Stage> {
  const node = await storyNode(t, { hardware: hardwareFor(loader) });
  const { machine } = node;
  const supply = loader === undefined ? null : power(machine, loader);
  await supply?.cycle();
  const last = parts.at(-1);
  if (last === undefined) throw new Error("expected a part");
  for (const each of parts.slice(0, -1)) {
    node.insert("iso", each.seed);
    await drive({ node, power: supply });
    // What is booted proves itself, and is what another kernel is told from.
    await supply?.cycle();
    if (supply !== null) await drive({ node, power: supply });
  }
  node.insert("iso", last.seed);
  const start = machine.snapshot();
  const before = standing(node);
  const told = await record(node, supply);
  const after = standing(node);
  if (lastOutcome(node) !== last.outcome) throw new Error(`${last.name}: ${lastOutcome(node)}`);
  const { name, motd, outcome } = last;
  // A commit that the next start finishes leaves nothing to do; what was taken back may be held back.
  const ends: Stage["ends"] =
    outcome === "committed" ? { committed: 0, unchanged: 0 } : { "rolled-back": 3, held: 77 };
  return { name, motd, ends, node, power: supply, start, before, after, ...told };
}

/** Goes the whole way, and keeps the machine as it is before each effect. */
async function record(
  node: StoryNode,
  supply: Power | null,
): Promise<Pick<Stage, "states" | "mostEffects">> {
  const states: State[] = [];
  let mostEffects = 0;
  for (let boot = 1; boot <= mostBoots; boot++) {
    const place = path.join(path.dirname(node.machine.root), `states-${boot}`);
    mkdirSync(place);
    const run = await node.firstlight(["boot"], {
      program,
      env: {
        ...{ FIRSTLIGHT_COUNT_EFFECTS: "1", NODE_OPTIONS: `--import=${copier}` },
        ...{ COPY_FROM: node.machine.root, COPY_TO: place },
      },
    });
    const effects = [...run.stderr.matchAll(/^effect ([0-9]+) (.*)$/gm)];
    for (const [, number = "", name = ""] of effects) {
      const copy = path.join(place, number);
      states.push({ name: `boot ${boot}, effect ${number} ${name}`, copy });
    }
    mostEffects = Math.max(mostEffects, effects.length);
    if ((await supply?.restartIfAsked()) !== true) break;
  }
  return { states: supply === null ? states : sinceTrial(states), mostEffects };
}

/** Up to its trial a change with a restart is like any other, which has a stage of its own. */
function sinceTrial(states: readonly State[]): readonly State[] {
  const profile = states.findIndex(({ name }) => name.endsWith("nix-env --set the trial"));
  const before = states
    .slice(0, profile)
    .findLastIndex(({ name }) => name.endsWith("create /run/firstlight/system.lock"));
  return states.slice(before);
}

/** Boots until nothing asks for a restart any more; the last run. */
export async function drive({ node, power: supply }: Pick<Stage, "node" | "power">): Promise<Run> {
  for (let boots = 1; ; boots++) {
    const run = await node.firstlight(["boot"], { program });
    if ((await supply?.restartIfAsked()) !== true || boots === mostBoots) return run;
  }
}

/** Boots and kills the agent immediately before an effect; whether it came so far. */
export async function bootAndKill({ node }: Stage, effect: number): Promise<boolean> {
  const run = await node.firstlight(["boot"], {
    program,
    env: { FIRSTLIGHT_DIE_AT_EFFECT: String(effect) },
  });
  return run.code === null && run.signal === "SIGKILL";
}

/** The first request of every start, and nothing else but the restarts that it asks for. */
export async function recoverAlone({ node: { machine }, power: supply }: Stage): Promise<Recovery> {
  for (let boots = 1; ; boots++) {
    const io = machine.io();
    const system = systemClient(openDriver(io, { driver: "nix", storeFiles: machine.storeFiles }));
    const recovery = await system.recover();
    if (recovery.state !== "restart" || supply === null || boots === mostBoots) return recovery;
    await system.restart();
    await supply.restartIfAsked();
  }
}

/** What is wrong with a node on which the agent has just been killed: what a power cut would boot. */
export function wrongWhenKilled({ node, power: supply, before, after }: Stage): readonly string[] {
  const now = standing(node);
  const either = (what: string, value: unknown, ...allowed: readonly unknown[]) =>
    allowed.includes(value) ? [] : [`${what}: ${value}, expected ${allowed.join(" or ")}`];
  return [
    ...(before.bootDefault === undefined
      ? []
      : either("boot default", now.bootDefault, before.bootDefault, after.bootDefault)),
    ...(supply === null
      ? []
      : either("the menu's default", supply.bootDefault(), before.bootDefault, after.bootDefault)),
    ...either("generation", now.generation, before.generation, after.generation),
    ...(before.generation === null
      ? []
      : now.published.flatMap((digest) =>
          either("/etc/nixos", digest, before.published[0], after.published[0]),
        )),
    ...either("instance", now.instanceId, before.instanceId, after.instanceId),
    ...either("the journal's last line", now.open === "torn", false),
  ];
}

/** What is wrong with a node that has recovered and done nothing else. */
export function wrongWhenRecovered(stage: Stage): readonly string[] {
  const { node, before, after } = stage;
  const now = standing(node);
  const isNew = now.generation === after.generation && after.generation !== before.generation;
  const expected = isNew ? after : before;
  // A first trial that is taken back has nothing to go back to: it goes on running, once.
  const found = inconsistencies(node).filter(
    (problem) => expected.generation !== null || !problem.startsWith("running"),
  );
  return [
    ...found,
    ...(now.generation === expected.generation ? [] : [`generation ${now.generation}`]),
  ];
}

/** Boots unharmed, as often as it takes; what is wrong with the node then. */
export async function wrongAfterBoot(stage: Stage): Promise<readonly string[]> {
  const { node, power: supply, after, before, ends, motd } = stage;
  const run = await drive(stage);
  const problems: string[] = [];
  const expect = (what: string, value: unknown, ...allowed: readonly unknown[]) => {
    if (!allowed.includes(value))
      problems.push(`${what}: ${value}, expected ${allowed.join(" or ")}`);
  };
  const outcome = lastOutcome(node) ?? "nothing";
  expect("outcome", outcome, ...Object.keys(ends));
  expect("exit code", run.code, ends[outcome]);
  const now = standing(node);
  expect("generation", now.generation, after.generation);
  expect("generations", now.generations, after.generations);
  expect("instance", now.instanceId, after.instanceId);
  // Before the first boot no salt is there, which the names of credential files depend on.
  if (before.generation !== null) {
    expect("running", now.running, after.running);
    expect("published", now.published[0], after.published[0]);
  }
  if (supply !== null) {
    expect("the menu's default", supply.bootDefault(), now.bootDefault);
    if (outcome !== "committed" && outcome !== "unchanged")
      expect("a timer for the next try", isTriedAgain(node), true);
  }
  expect("/etc/motd", node.io.files.readText("/etc/motd"), motd);
  const last = now.outbox.findLast(({ kind }) => kind === "boot.finished");
  expect("last word in the outbox", last?.body.outcome, outcome);
  expect("its generation", last?.body.generation, after.generation);
  return [...problems, ...inconsistencies(node), ...leftovers(node)];
}
