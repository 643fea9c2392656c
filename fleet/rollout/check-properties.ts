import type { Test } from "tap";
import { fc } from "#core/fast-check.ts";
import { randomFrom } from "#core/random-from.ts";
import type { RolloutDefinition } from "#generated/fleet/rollout/definition.ts";
import type { Scenario } from "#generated/fleet/rollout/scenario.ts";
import { atLeast, atMost } from "./amount.ts";
import { command, newRollout } from "./commands.ts";
import { definitionOf, mondayMs } from "./fake-rollout.ts";
import { isInProgress, standingOf } from "./node-states.ts";
import { type Population, populationOf } from "./population.ts";
import { reconcile } from "./reconcile.ts";
import { isEnded, type Rollout } from "./rollout.ts";
import { simulate } from "./simulate.ts";
import { virtualFleet } from "./virtual-fleet.ts";

const amount = fc.oneof(
  fc.integer({ min: 1, max: 30 }),
  fc.integer({ min: 0, max: 100 }).map((share) => `${share}%`),
);
const optional = <T>(key: string, value: fc.Arbitrary<T>) =>
  fc
    .option(value, { nil: undefined })
    .map((given) => (given === undefined ? {} : { [key]: given }));
const all = <T extends object>(...parts: fc.Arbitrary<object>[]): fc.Arbitrary<T> =>
  fc.tuple(...parts).map((each) => Object.assign({}, ...each) as T);

const wave = all(
  optional("perModel", fc.integer({ min: 1, max: 3 })),
  optional("size", amount),
  optional("select", fc.constantFrom("site=site-1", "role=gateway", "site=none")),
  optional("success", amount),
  optional("failures", amount),
  optional("soak", fc.constantFrom("10m", "2h")),
);

const definition: fc.Arbitrary<RolloutDefinition> = fc
  .tuple(
    fc.array(wave, { maxLength: 3 }),
    all<Partial<RolloutDefinition>>(
      optional("onFailure", fc.constantFrom("pause", "roll-back")),
      optional(
        "holdModel",
        amount.map((failures) => ({ failures, atLeast: 2 })),
      ),
      optional(
        "budgets",
        fc.array(
          fc.record({
            by: fc.constantFrom("site", "role", "@hardware", "none"),
            max: amount,
            countOffline: fc.boolean(),
          }),
          { maxLength: 2 },
        ),
      ),
      optional("oneAtATime", fc.constantFrom(["site"], ["role"])),
      optional("maxInProgress", fc.integer({ min: 1, max: 20 })),
      optional("windows", fc.constantFrom([{ from: "22:00", to: "04:00" }])),
      optional("timeout", fc.constantFrom("20m", "2h")),
      optional("deadline", fc.constantFrom("6h", "3d")),
      fc.constant({ select: "role!=kiosk" }),
    ),
  )
  .map(([waves, parts]) =>
    definitionOf({
      ...parts,
      waves: [...waves, {}].map((each, at) => ({ name: `wave-${at}`, ...each })),
    }),
  );

const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    rollout: definition,
    models: fc.array(
      fc.record({
        model: fc.constantFrom("acme/a", "acme/b", "acme/c"),
        share: fc.integer({ min: 1, max: 10 }),
        failures: fc.constantFrom(0, 2, 40),
        hangs: fc.constantFrom(0, 0, 10),
        offline: fc.constantFrom(0, 20, 70, 100),
        offlineFor: fc.constantFrom("30m", "12h"),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    forged: fc.constantFrom(0, 5),
    resumeAfter: fc.constant("30m"),
  })
  .map((parts) => ({
    version: 1,
    every: "5m",
    labels: { site: [5], role: ["gateway", "sensor", "kiosk"] },
    ...parts,
  }));

/** Nodes in progress of each group beside the most that may be. */
function overruns(
  { budgets = [], oneAtATime = [], maxInProgress }: RolloutDefinition,
  population: Population,
) {
  const inProgress = (at: number) => {
    const { progress } = population.nodes[at] ?? {};
    return progress != null && isInProgress(progress.state);
  };
  const limits = [...budgets.map(({ max }) => max), ...oneAtATime.map(() => 1)];
  const over = population.groups.flatMap(({ of, sizes, names }, index) =>
    names.flatMap((name, group) => {
      const most = Math.max(1, atMost(limits[index] ?? 1, sizes[group] ?? 0));
      const count = of.reduce((sum, each, at) => sum + Number(each === group && inProgress(at)), 0);
      return count > most ? [`${name}: ${count} of ${most}`] : [];
    }),
  );
  const total = population.nodes.reduce((sum, _, at) => sum + Number(inProgress(at)), 0);
  return total > (maxInProgress ?? total) ? [...over, `${total} in progress`] : over;
}

/** Holds what is true of every rollout, on so many fleets by chance. */
export function checkProperties(t: Test, numRuns: number): void {
  t.test("whatever a fleet does, a rollout keeps its budgets and gates, and ends", async (t) => {
    await fc.assert(
      fc.asyncProperty(scenario, fc.integer(), async (each, seed) => {
        const passed = new Set<number>();
        const report = await simulate(each, {
          ...{ nodes: 60, seed },
          onStep({ rollout, decisions, tally }, population) {
            t.strictSame(overruns(each.rollout, population), [], "budgets");
            for (const decision of decisions) {
              if (decision.kind === "assign" && decision.progress.direction === "forward") {
                const { wave: at } = decision.progress;
                t.equal(rollout.phase.state === "ROLLING_BACK" || isEnded(rollout.phase), false);
                for (let before = 0; before < at; before++)
                  t.ok(rollout.waves[before]?.passedMs !== null, "gates");
              }
            }
            rollout.waves.forEach(({ passedMs, forgiven }, at) => {
              if (passedMs === null || passed.has(at)) return;
              passed.add(at);
              const counted = tally.waves[at] ?? { inProgress: 0, succeeded: 0, failed: 0 };
              const started = counted.inProgress + counted.succeeded + counted.failed;
              const needed = atLeast(each.rollout.waves[at]?.success ?? "95%", started);
              t.ok(counted.succeeded + forgiven >= needed, "a wave passes with its successes");
            });
          },
        });
        t.ok(
          isEnded({ state: report.state, wave: 0, reason: "" } as Rollout["phase"]),
          report.state,
        );
      }),
      { numRuns },
    );
  });

  t.test("the order in which nodes come changes nothing, at any step", async (t) => {
    await fc.assert(
      fc.asyncProperty(scenario, fc.integer(), async (each, seed) => {
        const shuffled = randomFrom(seed);
        let rollout = newRollout(each.rollout, 0);
        let last = -1;
        await simulate(each, {
          ...{ nodes: 30, seed },
          onStep(step, population, nowMs) {
            // What this step left is what the next one is decided from.
            const nodes = population.nodes.map((node) => ({ ...node }));
            const { decisions } = reconcile(step.rollout, nodes, nowMs + 1);
            nodes.sort(() => shuffled() - 0.5);
            t.strictSame(reconcile(step.rollout, nodes, nowMs + 1).decisions, decisions);
            ({ rollout, last } = { rollout: step.rollout, last: nowMs });
          },
        });
        t.ok(last >= 0 && rollout.phase.state !== "AWAITING_APPROVAL");
      }),
      { numRuns: Math.ceil(numRuns / 3) },
    );
  });

  t.test("after an abort at any time nothing is given to any node", async (t) => {
    fc.assert(
      fc.property(scenario, fc.integer(), fc.integer({ min: 0, max: 60 }), (each, seed, after) => {
        const fleet = virtualFleet(each, { count: 40, seed, startMs: mondayMs });
        const population = populationOf(each.rollout, fleet.nodes);
        let rollout = newRollout(each.rollout, mondayMs);
        for (let step = 0; step < after + 60; step++) {
          const nowMs = mondayMs + step * 300_000;
          fleet.advanceTo(nowMs);
          if (step === after && !isEnded(rollout.phase))
            rollout = command(rollout, "abort", { nowMs, reason: "stop" });
          const { decisions, rollout: next } = reconcile(rollout, population, nowMs);
          rollout = next;
          for (const decision of decisions) fleet.act(decision, nowMs);
          if (step < after) continue;
          t.ok(isEnded(rollout.phase));
          const untouched = population.nodes.filter(
            ({ progress }) => progress !== null && standingOf(progress.state) === "untouched",
          );
          t.strictSame(untouched, [], "whoever had not begun is let go");
          t.strictSame(
            decisions.filter(({ kind }) => kind === "assign" || kind === "event"),
            [],
          );
        }
      }),
      { numRuns },
    );
  });

  t.test("forged failures stop no more than their share of a wave", async (t) => {
    const rollout = definitionOf({
      waves: [
        { name: "canary", perModel: 10, failures: "20%", success: "70%" },
        { name: "tenth", size: "10%", failures: "20%", success: "70%" },
        { name: "wide", failures: "20%", success: "70%" },
      ],
      holdModel: { failures: "40%", atLeast: 5 },
    });
    const models = [{ model: "acme/a" }, { model: "acme/b" }];
    const forging = { version: 1, rollout, models, forged: 8 } as const satisfies Scenario;
    const report = await simulate(forging, { nodes: 2_000, seed: 11 });
    t.equal(report.state, "SUCCEEDED");
    t.ok(report.failed > 100, "they were heard of");
    t.equal(report.succeeded + report.failed, 2_000, "and everybody else has the release");
    t.notOk(report.models.some(({ held }) => held));
    const most = await simulate({ ...forging, forged: 60 }, { nodes: 2_000, seed: 11 });
    t.equal(most.state, "PAUSED", "more than a wave bears stops it");
    t.ok(most.succeeded + most.failed <= 20, "in the wave that they are in");
  });
}
