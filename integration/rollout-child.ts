import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { fakeNode, fleet } from "#fleet/registry/fake-node.ts";
import { openRegistry, type Registry } from "#fleet/registry/open-registry.ts";
import type { Untold } from "#fleet/registry/rollouts.ts";
import { isEnded } from "#fleet/rollout/rollout.ts";

// A server for `rollout-kill.full.test.ts`: plays a rollout to its end on a registry, over nodes that
// answer what they are told. `rollout-child.ts ADDRESS WORLD [EFFECT]`: WORLD is a file of what nodes were
// told; immediately before the numbered effect the process is killed. Prints the number of its effects.

const names = ["edge-1", "edge-2", "edge-3", "edge-4", "edge-5"];
const rollout = "web-7";
const [address = "", world = "", dieAt = "0"] = process.argv.slice(2);

let effects = 0;
function effect(): void {
  effects++;
  if (effects === Number(dieAt)) process.kill(process.pid, "SIGKILL");
}

const store = await openRegistry(address, { admit: "any", effect });
await begin(store);
// What was decided before a kill comes to the nodes before they go on: so only the kill makes a difference.
await tell(store);
for (;;) {
  await answer(store);
  const lease = await store.lease("reconciler", `server-${process.pid}`, 50);
  // Whoever was killed has it for a moment yet.
  if (lease === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    continue;
  }
  const { rollout: now } = await store.rollouts.step(fleet, rollout, lease);
  await tell(store);
  if (isEnded(now.phase) && (await store.rollouts.untold(fleet, 1)).length === 0) break;
}
await store.close();
console.log(effects);

async function begin({ ingest, nodes, rollouts }: Registry): Promise<void> {
  if ((await rollouts.history(fleet, rollout)).length > 0) return;
  for (const [at, name] of names.entries()) {
    const node = fakeNode(name, at);
    await ingest(node.status(1, 1, true));
    const profile = { id: at === 0 ? "acme/gateway" : "acme/box", confidence: "certain" };
    const about = { agent: "0.1.0", platform: "x86_64-linux", capabilities: [], profile };
    await ingest(node.report("about", { session: 1, seq: 2 }, about));
    const had = { state: "SUCCEEDED", updateId: "web-6", release: "web", number: 6 };
    await ingest(node.report("update", { session: 1, seq: 3 }, { ...had, seq: 1, attempt: 1 }));
    await nodes.change({ fleet, node: name }, { labels: { site: at < 3 ? "berlin" : "bonn" } });
  }
  const definition = {
    ...{ version: 1 as const, name: rollout, release: { name: "web", number: 7 }, select: "*" },
    waves: [
      { name: "canary", perModel: 1 },
      { name: "wide", failures: 0 },
    ],
    ...{ onFailure: "roll-back" as const, budgets: [{ by: "site", max: 1 }] },
  };
  await rollouts.start(fleet, definition, "test");
}

/** Tells each node what it was not told yet, and says so afterwards. */
async function tell({ rollouts }: Registry): Promise<void> {
  for (const each of await rollouts.untold(fleet, 100)) {
    effect();
    appendFileSync(world, `${JSON.stringify(each)}\n`);
    await rollouts.told(fleet, each);
  }
}

/** Every node says again how it came out with what it was told, as after a reconnect. */
async function answer({ ingest }: Registry): Promise<void> {
  const lines = existsSync(world) ? readFileSync(world, "utf8").trim().split("\n") : [];
  const last = new Map<string, Untold>();
  for (const line of lines) {
    const told: Untold = JSON.parse(line);
    last.set(told.node, told);
  }
  for (const [at, name] of names.entries()) {
    const told = last.get(name);
    if (told?.update == null) continue;
    const { updateId, release, urgent } = told.update;

    const end = name === failing(last) && !urgent ? "ROLLED_BACK" : "SUCCEEDED";
    for (const [step, state] of ["RECEIVED", "TESTING", end].entries()) {
      const seq = told.revision * 10 + step;
      const body = { state, updateId, release: release.name, number: release.number };
      await ingest(
        fakeNode(name, at).report("update", { session: 1, seq }, { ...body, seq, attempt: 1 }),
      );
    }
  }
}

/** The node that was told last of all when three had been: it is one of the wide wave. */
function failing(told: ReadonlyMap<string, unknown>): string | undefined {
  return [...told.keys()][3];
}
