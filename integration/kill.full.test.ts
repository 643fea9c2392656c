import { rmSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { needs } from "#agent/datasources/images/make-images.ts";
import { randomFrom } from "#core/random-from.ts";
import { skipWithoutNix } from "./nix-machine.ts";
import {
  bootAndKill,
  recoverAlone,
  type Stage,
  storyStages,
  wrongAfterBoot,
  wrongWhenKilled,
  wrongWhenRecovered,
} from "./story-stages.ts";

t.setTimeout(Number(process.env["KILL_TIMEOUT_MS"] ?? 1_500_000));

const skip = skipWithoutNix() || (needs("xorriso").skip ?? false);
const leastPoints = 300;
const randomRounds = Number(process.env["KILL_ROUNDS"] ?? 10);
const mostKills = 4;
const seed = Number(process.env["KILL_SEED"] ?? 20_260_131);

t.test("the agent killed at every effect of its story, and at random ones", { skip }, async (t) => {
  const stages = await storyStages(t);
  const counts = await Promise.all(
    stages.map(async (stage) => {
      const rounds = await killAtRandom(stage, randomRounds / stages.length);
      const points = await killEverywhere(stage);
      return { stage, points, rounds };
    }),
  );
  for (const { stage, points, rounds } of counts) {
    t.same([...points.wrong, ...rounds.wrong], [], `${stage.name}: always a consistent generation`);
    t.equal(points.killed, stage.states.length, `${stage.name}: killed at every effect`);
  }
  const sum = (of: (count: (typeof counts)[number]) => number) =>
    counts.reduce((all, count) => all + of(count), 0);
  const everywhere = sum(({ points }) => points.killed);
  const each = counts.map(({ stage, points }) => `${stage.name} ${points.killed}`).join(", ");
  t.ok(everywhere >= leastPoints, `${everywhere} points`);
  t.comment(
    `killed at ${everywhere} effects (${each}), and ${sum(({ rounds }) => rounds.killed)} times ` +
      `in ${sum(({ rounds }) => rounds.rounds)} random rounds (KILL_SEED=${seed})`,
  );
});

t.test("the campaign sees a machine that does not recover", { skip }, async (t) => {
  // Only where the trial must not stay: a change that is well is taken again, journal or not.
  const stages = await storyStages(t);
  const stage = stages.find(({ name }) => name === "not healthy");
  const { machine } = stage?.node ?? {};
  const tried = stage?.states.find(({ name }) => name.endsWith("switch-to-configuration test"));
  if (stage === undefined || machine === undefined || tried === undefined) {
    return t.fail("expected a trial");
  }
  const next = stage.states[stage.states.indexOf(tried) + 2];
  if (next === undefined) return t.fail("expected an effect after it");
  machine.become(next.copy);
  rmSync(path.join(machine.root, "var/lib/firstlight/journal"), { recursive: true });
  t.not((await wrongAfterBoot(stage)).length, 0, "with the journal lost");
});

interface Tally {
  readonly killed: number;
  readonly wrong: readonly string[];
}

/**
 * Each effect in turn: what a power cut would boot, what recovery alone makes of it, and what the
 * next boots do; where the machine is restarted on the way, after every other kill the power goes too.
 */
async function killEverywhere(stage: Stage): Promise<Tally> {
  const { node, power, states } = stage;
  const wrong: string[] = [];
  for (const [index, { name, copy }] of states.entries()) {
    const say = (when: string, problems: readonly string[]) =>
      wrong.push(...problems.map((text) => `${name}: ${when}: ${text}`));
    node.machine.restore(copy);
    say("killed", wrongWhenKilled(stage));
    const { fault } = await recoverAlone(stage);
    say("recovered", fault === null ? wrongWhenRecovered(stage) : [fault.message]);
    node.machine.become(copy);
    if (power !== null && index % 2 === 1) await power.cycle();
    else await power?.restartIfAsked();
    say("after the next boot", await wrongAfterBoot(stage));
  }
  return { killed: states.length, wrong };
}

/** Several kills after one another, each anywhere. */
async function killAtRandom(
  stage: Stage,
  rounds: number,
): Promise<Tally & { readonly rounds: number }> {
  const { node, power, mostEffects } = stage;
  const random = randomFrom(seed + mostEffects);
  const upTo = (most: number) => 1 + Math.floor(random() * most);
  const wrong: string[] = [];
  let killed = 0;
  const all = Math.ceil(rounds);
  for (let round = 1; round <= all; round++) {
    node.machine.restore(stage.start);
    const kills = Array.from({ length: upTo(mostKills) }, () => upTo(mostEffects));
    for (const effect of kills) {
      if (await bootAndKill(stage, effect)) killed += 1;
      if (power !== null && random() < 0.3) await power.cycle();
      else await power?.restartIfAsked();
    }
    const problems = await wrongAfterBoot(stage);
    wrong.push(...problems.map((text) => `killed at ${kills.join(", ")}: ${text}`));
  }
  return { killed, wrong, rounds: all };
}
