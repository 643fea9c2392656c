import { rmSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { needs } from "#agent/datasources/images/make-images.ts";
import { skipWithoutNix } from "./nix-machine.ts";
import { randomFrom } from "./random.ts";
import {
  bootAndKill,
  recoverAlone,
  type Stage,
  storyStages,
  wrongAfterBoot,
  wrongWhenKilled,
  wrongWhenRecovered,
} from "./story-stages.ts";

t.setTimeout(1_500_000);

const skip = skipWithoutNix() || (needs("xorriso").skip ?? false);
const randomRounds = 20;
const mostKills = 4;
const seed = Number(process.env["KILL_SEED"] ?? 20_260_131);

t.test("the agent killed at every effect of its story, and at random ones", { skip }, async (t) => {
  const stages = await storyStages(t);
  const counts = await Promise.all(
    stages.map(async (stage) => {
      const points = await killEverywhere(stage);
      const rounds = await killAtRandom(stage, randomRounds / stages.length);
      return { stage, points, rounds };
    }),
  );
  for (const { stage, points, rounds } of counts) {
    t.same([...points.wrong, ...rounds.wrong], [], `${stage.name}: always a consistent generation`);
    t.equal(points.killed, stage.effects.length, `${stage.name}: killed at every effect`);
  }
  const sum = (of: (count: (typeof counts)[number]) => number) =>
    counts.reduce((all, count) => all + of(count), 0);
  const each = counts.map(({ stage, points }) => `${stage.name} ${points.killed}`).join(", ");
  t.comment(
    `killed at ${sum(({ points }) => points.killed)} effects (${each}), ` +
      `and ${sum(({ rounds }) => rounds.killed)} times in ${sum(({ rounds }) => rounds.rounds)} ` +
      `random rounds (KILL_SEED=${seed})`,
  );

  await t.test("the campaign sees a machine that does not recover", async (t) => {
    // Only where the trial must not stay: a change that is well is taken again, journal or not.
    for (const stage of stages.filter(({ outcome }) => outcome === "rolled-back")) {
      const { machine } = stage.node;
      const tried = stage.effects.indexOf("switch-to-configuration test") + 1;
      t.ok(tried > 0);
      machine.restore(stage.start);
      t.ok(await bootAndKill(stage, tried + 2), "killed during the trial");
      rmSync(path.join(machine.root, "var/lib/firstlight/journal"), { recursive: true });
      t.not((await wrongAfterBoot(stage)).length, 0, `${stage.name}: with the journal lost`);
    }
  });
});

interface Tally {
  readonly killed: number;
  readonly wrong: readonly string[];
}

/** Each effect in turn: what a power cut would boot, what recovery alone makes of it, and a boot. */
async function killEverywhere(stage: Stage): Promise<Tally> {
  const { machine } = stage.node;
  const wrong: string[] = [];
  let killed = 0;
  for (const [index, name] of stage.effects.entries()) {
    const say = (when: string, problems: readonly string[]) =>
      wrong.push(...problems.map((text) => `effect ${index + 1} ${name}: ${when}: ${text}`));
    machine.restore(stage.start);
    if (await bootAndKill(stage, index + 1)) killed += 1;
    else say("killed", ["the boot had ended before"]);
    say("killed", wrongWhenKilled(stage));
    const rest = machine.snapshot();
    const { fault } = await recoverAlone(stage);
    say("recovered", fault === null ? wrongWhenRecovered(stage) : [fault.message]);
    machine.restore(rest);
    machine.discard(rest);
    say("after the next boot", await wrongAfterBoot(stage));
  }
  machine.restore(stage.start);
  if (await bootAndKill(stage, stage.effects.length + 1)) wrong.push("there are more effects");
  return { killed, wrong };
}

/** Several kills after one another, each anywhere. */
async function killAtRandom(
  stage: Stage,
  rounds: number,
): Promise<Tally & { readonly rounds: number }> {
  const random = randomFrom(seed + stage.effects.length);
  const upTo = (most: number) => 1 + Math.floor(random() * most);
  const wrong: string[] = [];
  let killed = 0;
  const all = Math.ceil(rounds);
  for (let round = 1; round <= all; round++) {
    stage.node.machine.restore(stage.start);
    const kills = Array.from({ length: upTo(mostKills) }, () => upTo(stage.effects.length));
    for (const effect of kills) if (await bootAndKill(stage, effect)) killed += 1;
    const problems = await wrongAfterBoot(stage);
    wrong.push(...problems.map((text) => `killed at ${kills.join(", ")}: ${text}`));
  }
  return { killed, wrong, rounds: all };
}
