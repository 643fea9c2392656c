import t from "tap";
import { prettyJson } from "#core/canonical-json.ts";
import { fakeEntry, fakeManifest, makeKeys } from "#provisioner/system/fetch/fake-closure.ts";
import { signManifest } from "#provisioner/system/fetch/sign-manifest.ts";
import { manifestDigest } from "#provisioner/system/fetch/verify-manifest.ts";
import { brokerMissing, startBroker } from "../brokers.ts";
import { quickHealth, updateNode } from "./node.ts";

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

t.test(
  "a release that is a built system, from the fleet's signature to the boots after it",
  { skip: brokerMissing("mosquitto") },
  async (t) => {
    const keys = makeKeys("builders-1");
    const fetch = { trustedKeys: [keys.publicKey], manifests: ["file:///mirror"] };
    const broker = await startBroker(t, "mosquitto");
    const node = await updateNode(t, broker, { settings: { fetch } });
    await node.startRootSide();
    t.match(await node.boot(), { code: 0, stdout: /^committed: generation 1 / });
    const entry = fakeEntry("edge-built", Buffer.from("nar"));
    const manifest = fakeManifest([entry], "ab".repeat(32));
    node.write(entry.path, prettyJson(entry)); // as the dry store has what it has taken in
    node.write(`/mirror/${manifest.inputDigest}.json`, signManifest(manifest, [keys.secret]));
    const { toplevel, inputDigest } = manifest;
    const closure = { toplevel, inputDigest, manifestDigest: manifestDigest(manifest) };
    const before = node.startAgent();
    await node.push(node.signDocument("u-1", { closure, health: quickHealth }));
    await node.assigned("u-1");
    const run = await node.update();
    t.match(run, { code: 0, stdout: /^u-1: SUCCEEDED/ }, run.stderr);
    // This system does not say itself where it reports: the agent ends, and is started anew.
    await before.stop();
    const agent = node.startAgent();
    const last = await node.event("update.changed", ({ body }) => body["to"] === "SUCCEEDED");
    t.match(last.body, { updateId: "u-1", toplevel });
    const again = await node.boot();
    t.match(again, { code: 0, stdout: /^unchanged/ }, again.stderr);
    t.match(JSON.parse((await node.firstlight("status", "--json")).stdout), {
      result: { toplevel, sourcesDigest: null },
      trust: null,
    });
    const plan = await node.firstlight("plan", "--driver", "dry");
    t.match(plan, { code: 1, stderr: /update\/nothing-to-render/ });
    await agent.stop();
  },
);
