import t from "tap";
import { brokerMissing, startBroker } from "../brokers.ts";
import { updateNode } from "./node.ts";

t.setTimeout(120_000);

t.test(
  "an update from the fleet's signature to its success, and no older one after it",
  { skip: brokerMissing("mosquitto") },
  async (t) => {
    const node = await updateNode(t, await startBroker(t, "mosquitto"));
    const { fleet, topics } = node;
    const side = await node.startRootSide();
    t.match(await node.boot(), { code: 0, stdout: /^committed: generation 1 / });
    const agent = node.startAgent();
    const old = node.sign("u-1", { timezone: "UTC" });
    await node.push(node.sign("u-2", { timezone: "Europe/Berlin" }));
    await node.assigned("u-2");
    const run = await node.update();
    t.match(run, { code: 0, stdout: /^u-2: SUCCEEDED/ }, run.stderr);
    t.match(node.read("/etc/nixos/firstlight/instance.nix"), /Europe\/Berlin/);
    const last = await node.event("update.changed", ({ body }) => body["to"] === "SUCCEEDED");
    t.match(last.body, { updateId: "u-2", release: "edge-u-2", from: "COMMITTING" });
    await fleet.wait(
      "the kept state",
      ({ topic, body }) => topic === topics.of("update") && body["state"] === "SUCCEEDED",
    );

    const before = node.read("/var/lib/firstlight/trust/state.json");
    await node.push(old);
    t.match((await node.event("desired.refused")).body, {
      code: "trust/rollback",
      trusted: { root: 1, timestamp: 2, snapshot: 2, targets: 2, director: 2 },
    });
    t.equal(node.read("/var/lib/firstlight/trust/state.json"), before, "what is believed stays");
    t.ok(side.lines.some((line) => line.includes("trust.refused")));
    await agent.stop();
    await fleet.wait("a farewell", ({ body }) => body["reason"] === "stopped");
  },
);
