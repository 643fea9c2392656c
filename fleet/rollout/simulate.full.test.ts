import t from "tap";
import type { Scenario } from "#generated/fleet/rollout/scenario.ts";
import { newRollout } from "./commands.ts";
import { definitionOf, nodesOf } from "./fake-rollout.ts";
import { populationOf } from "./population.ts";
import { reconcile } from "./reconcile.ts";
import { simulate } from "./simulate.ts";

const scenario: Scenario = {
  version: 1,
  rollout: definitionOf({
    waves: [
      { name: "canary", perModel: 2, soak: "1h", success: "50%", failures: "50%" },
      { name: "tenth", size: "10%", soak: "2h" },
      { name: "wide" },
    ],
    budgets: [{ by: "site", max: "25%" }],
    maxInProgress: 20_000,
  }),
  models: [
    { model: "acme/a", share: 60, failures: 1, offline: 20 },
    { model: "acme/b", share: 30, failures: 2, hangs: 0.2, offline: 10 },
    { model: "acme/c", share: 10, failures: 1, offline: 60 },
  ],
  labels: { site: [2_000], role: ["gateway", "sensor"] },
};

t.setTimeout(600_000);

t.test("a rollout over 100,000 nodes is played in under a minute of this processor", async (t) => {
  const before = process.cpuUsage();
  const report = await simulate(scenario, { nodes: 100_000, seed: 1 });
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1e6;
  t.comment(`${seconds.toFixed(1)} s for ${report.steps} steps`);
  t.match(report, { state: "SUCCEEDED", nodes: 100_000 });
  t.ok(report.succeeded > 95_000);
  t.ok(report.mostInProgress <= 20_000);
  t.ok(seconds < 60, `${seconds} s`);
});

t.test("a step over 10,000 nodes takes milliseconds", async (t) => {
  const population = populationOf(scenario.rollout, nodesOf(10_000, { labels: { site: "a" } }));
  const rollout = newRollout(scenario.rollout, 0);
  const before = process.cpuUsage();
  const steps = 50;
  for (let step = 0; step < steps; step++) reconcile(rollout, population, step);
  const { user, system } = process.cpuUsage(before);
  const ms = (user + system) / 1000 / steps;
  t.comment(`${ms.toFixed(2)} ms a step`);
  t.ok(ms < 50, `${ms} ms`);
});
