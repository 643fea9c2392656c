import { systemClient } from "#provisioner/system/client.ts";
import { openDriver } from "#provisioner/system/driver.ts";
import type { Recovery } from "#provisioner/system/system.ts";
import { type Run, type Seed, type StoryNode, storyNode } from "./story.ts";
import { cloudConfig } from "./story-documents.ts";
import { inconsistencies, lastOutcome, leftovers, type Standing, standing } from "./story-state.ts";

/** What a node runs, and what starts fastest. */
const program = "bundle";

/** A part of the story that one boot does, to be begun from the same machine again and again. */
export interface Stage {
  readonly name: string;
  readonly node: StoryNode;
  /** The machine before it. */
  readonly start: string;
  readonly before: Standing;
  /** The machine after it, when nothing disturbs it. */
  readonly after: Standing;
  /** Text of /etc/motd after it. */
  readonly motd: string;
  readonly exitCode: number;
  readonly outcome: string;
  /** Names of its effects, in order: the first is number 1. */
  readonly effects: readonly string[];
}

/** What is put into the machine before each stage, and how it ends. */
interface Part extends Pick<Stage, "name" | "exitCode" | "outcome" | "motd"> {
  readonly seed: Seed;
}

const seed = (motd: string, ...sick: readonly { type: "file"; path: string }[]): Seed => ({
  instanceId: "i-1",
  userData: cloudConfig({ motd, checks: [{ type: "file", path: "/etc/motd" }, ...sick] }),
});

const parts: readonly Part[] = [
  {
    name: "first boot",
    seed: seed("the first"),
    ...{ exitCode: 0, outcome: "committed", motd: "the first\n" },
  },
  {
    name: "change",
    seed: seed("the second"),
    ...{ exitCode: 0, outcome: "committed", motd: "the second\n" },
  },
  {
    name: "not healthy",
    seed: seed("the third", { type: "file", path: "/run/never" }),
    ...{ exitCode: 3, outcome: "rolled-back", motd: "the second\n" },
  },
];

/** Every stage on a machine of its own, so that they can go side by side. */
export function storyStages(t: { teardown(close: () => void): unknown }): Promise<Stage[]> {
  return Promise.all(parts.map((_, index) => prepare(t, parts.slice(0, index + 1))));
}

async function prepare(
  t: { teardown(close: () => void): unknown },
  way: readonly Part[],
): Promise<Stage> {
  const node = await storyNode(t);
  let start = node.machine.snapshot();
  let run: Run | undefined;
  for (const part of way) {
    node.insert("iso", part.seed);
    node.machine.discard(start);
    start = node.machine.snapshot();
    run = await node.firstlight(["boot"], { program, env: { FIRSTLIGHT_COUNT_EFFECTS: "1" } });
    if (run.code !== part.exitCode) throw new Error(`${part.name}: ${run.code}\n${run.stderr}`);
  }
  const part = way.at(-1);
  if (part === undefined || run === undefined) throw new Error("expected a stage");
  const after = standing(node);
  const effects = [...run.stderr.matchAll(/^effect ([0-9]+) (.*)$/gm)].map(([, , name]) => name);
  node.machine.restore(start);
  const { name, exitCode, outcome, motd } = part;
  return {
    ...{ name, exitCode, outcome, motd, node, start, after },
    before: standing(node),
    effects: effects.map((effect) => effect ?? ""),
  };
}

/** Boots and kills the agent immediately before an effect; whether it came so far. */
export async function bootAndKill({ node }: Stage, effect: number): Promise<boolean> {
  const run = await node.firstlight(["boot"], {
    program,
    env: { FIRSTLIGHT_DIE_AT_EFFECT: String(effect) },
  });
  return run.code === null && run.signal === "SIGKILL";
}

/** The first request of every start, and nothing else. */
export function recoverAlone({ node: { machine } }: Stage): Promise<Recovery> {
  const io = machine.io();
  return systemClient(openDriver(io, { driver: "nix", storeFiles: machine.storeFiles })).recover();
}

/** What is wrong with a node on which the agent has just been killed: what a power cut would boot. */
export function wrongWhenKilled({ node, before, after }: Stage): readonly string[] {
  const now = standing(node);
  const either = (what: string, value: unknown, ...allowed: readonly unknown[]) =>
    allowed.includes(value) ? [] : [`${what}: ${value}, expected ${allowed.join(" or ")}`];
  return [
    ...(before.bootDefault === undefined
      ? []
      : either("boot default", now.bootDefault, before.bootDefault, after.bootDefault)),
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

/** Boots unharmed; what is wrong with the node then. */
export async function wrongAfterBoot(stage: Stage): Promise<readonly string[]> {
  const { node, after, before, exitCode, outcome, motd } = stage;
  const run = await node.firstlight(["boot"], { program });
  const problems: string[] = [];
  const expect = (what: string, value: unknown, ...allowed: readonly unknown[]) => {
    if (!allowed.includes(value))
      problems.push(`${what}: ${value}, expected ${allowed.join(" or ")}`);
  };
  // A commit that the first start of afterwards finishes leaves nothing to do.
  const ends = outcome === "committed" ? [outcome, "unchanged"] : [outcome];
  expect("exit code", run.code, exitCode);
  expect("outcome", lastOutcome(node), ...ends);
  const now = standing(node);
  expect("generation", now.generation, after.generation);
  expect("generations", now.generations, after.generations);
  expect("instance", now.instanceId, after.instanceId);
  // Before the first boot no salt is there, which the names of credential files depend on.
  if (before.generation !== null) {
    expect("running", now.running, after.running);
    expect("published", now.published[0], after.published[0]);
  }
  expect("/etc/motd", node.io.files.readText("/etc/motd"), motd);
  const last = now.outbox.findLast(({ kind }) => kind === "boot.finished");
  expect("last word in the outbox", last?.body.outcome, lastOutcome(node));
  expect("its generation", last?.body.generation, after.generation);
  return [...problems, ...inconsistencies(node), ...leftovers(node)];
}
