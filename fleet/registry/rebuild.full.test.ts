import { join } from "node:path";
import t from "tap";
import { fakeNode, fleet } from "./fake-node.ts";
import { openRegistry } from "./open-registry.ts";

t.setTimeout(600_000);

const count = 1_000;

t.test("a registry that was lost has a thousand nodes back from their births", async (t) => {
  const store = await openRegistry(join(t.testdir(), "registry.db"), { admit: "any" });
  t.teardown(() => store.close());
  await store.nodes.addRelease({ fleet, name: "web", number: 7, sha256: "a", document: "{}" });
  const messages = Array.from({ length: count }, (_, at) => {
    const node = fakeNode(`edge-${at}`, at);
    const profile = { id: `acme/box-${at % 7}`, confidence: "certain" };
    return [
      node.status(1, 1, true),
      node.report(
        "about",
        { session: 1, seq: 2 },
        {
          ...{ agent: "0.1.0", platform: "x86_64-linux", capabilities: [], profile },
        },
      ),
      node.report(
        "update",
        { session: 1, seq: 3 },
        {
          ...{ state: "SUCCEEDED", updateId: "web-7.to1.x", release: "web", number: 7 },
          ...{ seq: 1, attempt: 1 },
        },
      ),
      node.report("get", { session: 1, seq: 4 }, { stream: node.outbox, acknowledged: 12 }),
    ];
  }).flat();
  const results = await Promise.all(messages.map((message) => store.ingest(message)));
  t.equal(results.filter(({ outcome }) => outcome === "stored").length, 3 * count);
  t.equal(results.filter((each) => each.outcome === "asked" && each.ack.upTo === 12).length, count);
  const nodes = await store.nodes.list(fleet, "@hardware=acme/box-3");
  t.equal(nodes.length, Math.floor((count + 3) / 7));
  t.match(nodes[0], { online: true, release: { name: "web", number: 7 } });
  t.equal((await store.nodes.gaps(fleet)).length, count, "what of them is gone is counted");
});
