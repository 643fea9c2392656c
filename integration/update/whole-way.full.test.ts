import t from "tap";
import { brokerKinds, brokerMissing, startBroker } from "../brokers.ts";
import { updateNode } from "./node.ts";

t.setTimeout(300_000);

for (const kind of brokerKinds) {
  t.test(
    `${kind}: what was refused changes nothing, and the next good update is made`,
    { skip: brokerMissing(kind) },
    async (t) => {
      const node = await updateNode(t, await startBroker(t, kind));
      await node.startRootSide();
      t.match(await node.boot(), { code: 0, stdout: /^committed: generation 1 / });
      const agent = node.startAgent();
      const old = node.sign("u-1", { timezone: "UTC" });
      await node.push(node.sign("u-2", { timezone: "Europe/Berlin" }));
      await node.assigned("u-2");
      t.match(await node.update(), { code: 0, stdout: /^u-2: SUCCEEDED/ });
      await node.event("update.changed", ({ body }) => body["to"] === "SUCCEEDED");
      const assigned = node.read("/var/lib/firstlight/update/assigned.json");

      const next = node.sign("u-3", { timezone: "Asia/Tokyo" });
      const forged = Buffer.from(next.toString().replaceAll("Asia/Tokyo", "Asia/Qatar"));
      for (const [bytes, code] of [
        [old, "trust/rollback"],
        [forged, "trust/target-hash"],
        [Buffer.from("run: reboot"), "trust/malformed"],
      ] as const) {
        await node.push(bytes);
        t.match((await node.event("desired.refused")).body, { code });
        t.equal(node.read("/var/lib/firstlight/update/assigned.json"), assigned);
      }
      t.match(await node.update(), { code: 0, stdout: /^u-2: SUCCEEDED/ }, "nothing is to be done");
      t.match(node.read("/etc/nixos/firstlight/instance.nix"), /Europe\/Berlin/);

      await node.push(next);
      await node.assigned("u-3");
      t.match(await node.update(), { code: 0, stdout: /^u-3: SUCCEEDED/ });
      await node.event(
        "update.changed",
        ({ body }) => body["updateId"] === "u-3" && body["to"] === "SUCCEEDED",
      );
      t.match(node.read("/etc/nixos/firstlight/instance.nix"), /Asia\/Tokyo/);
      await agent.stop();
    },
  );
}
