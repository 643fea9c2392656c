import { writeFileSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { needs } from "#agent/datasources/images/make-images.ts";
import { receive } from "#agent/update/receive.ts";
import { silentLog } from "#core/log.ts";
import { type FakeRelease, fakeFleet } from "#protocol/trust/fake-fleet.ts";
import { message } from "#protocol/trust/sign/message.ts";
import { skipWithoutNix } from "./nix-machine.ts";
import { power } from "./power.ts";
import { type StoryNode, storyNode } from "./story.ts";
import { cloudConfig } from "./story-documents.ts";
import { inconsistencies, leftovers, standing } from "./story-state.ts";

t.setTimeout(600_000);
const skip = skipWithoutNix() || (needs("xorriso").skip ?? false);

const rootFile = "/etc/firstlight/root.json";
const settings = {
  stateVersion: "25.11",
  fleet: { root: rootFile },
  report: { fleet: "plant-7", node: "edge-17" },
};
const health = { passes: 1, interval: "1s", timeout: "2s", soak: "0s" };

/** A node of a fleet that was booted with what its cloud says. */
async function fleetNode(t: Test) {
  const node = await storyNode(t, { settings });
  const fleet = fakeFleet({ nowMs: Date.now() });
  writeFileSync(path.join(node.machine.root, rootFile), JSON.stringify(fleet.firstRoot));
  node.insert("iso", { instanceId: "i-1", userData: cloudConfig({ motd: "by the cloud" }) });
  t.match(await node.firstlight(["boot"]), { code: 0, stdout: /^committed: generation 1 / });
  const releases: FakeRelease[] = [];
  /** Signs a release and assigns it; without a spec, one that was signed before. */
  const assign = async (id: string, spec?: object, name = id): Promise<void> => {
    const document = { spec: { version: 1, health, ...spec } };
    if (spec !== undefined) releases.push({ name, number: releases.length + 1, document });
    const bytes = message({ ...fleet.publish({ releases, assigned: name, update: { id } }) });
    const deps = { io: node.io, log: silentLog, node: fleet.node, rootFile };
    t.match(await receive({ topic: "desired", bytes }, deps), { kind: "assigned", updateId: id });
  };
  return { node, assign };
}

const motd = (content: string) => ({ files: [{ path: "/etc/motd", content: `${content}\n` }] });
const update = (node: StoryNode) => node.firstlight(["update", "run"]);

t.test(
  "signed, built by Nix, tried and committed; a sick one is taken back",
  { skip },
  async (t) => {
    const { node, assign } = await fleetNode(t);
    const before = { path: "/etc/edge/before", content: "x\n" };
    await assign("u-1", { files: [...motd("by the fleet").files, before] });
    t.match(await update(node), { code: 0, stdout: /^u-1: SUCCEEDED / });
    t.match(standing(node), { generation: 2, open: "none" });
    t.match(node.io.files.readText("/etc/motd"), /by the fleet/);
    t.match(await node.firstlight(["boot"]), { code: 0, stdout: /^unchanged/ });

    const checks = [{ type: "file", path: before.path }];
    await assign("u-2", { ...motd("sick"), health: { ...health, checks } });
    t.match(await update(node), { code: 3, stdout: /^u-2: ROLLED_BACK .*edge\/before/ });
    t.match(node.io.files.readText("/etc/motd"), /by the fleet/);
    t.match(await node.firstlight(["boot"]), { code: 0, stdout: /^unchanged/ });
    t.match(await node.firstlight(["history"]), {
      stdout: /rolled-back .*the release u-2, signed by the fleet/,
    });
    await assign("u-3", undefined, "u-2");
    t.match(await update(node), { code: 77, stdout: /^u-3: REJECTED .*update\/release-denied/ });
    await assign("u-4", motd("the next"));
    t.match(await update(node), { code: 0, stdout: /^u-4: SUCCEEDED / });
    t.same([...inconsistencies(node), ...leftovers(node)], []);
  },
);

t.test("one that takes a restart is judged by the boot after it", { skip }, async (t) => {
  const { node, assign } = await fleetNode(t);
  const supply = power(node.machine, "grub");
  await supply.cycle();
  await node.firstlight(["boot"]);
  await assign("u-1", { ...motd("x"), options: { "boot.kernelParams": ["quiet"] } });
  t.match(await update(node), { code: 75, stdout: /^u-1: REBOOTING / });
  t.equal(await supply.restartIfAsked(), true);
  t.match(await node.firstlight(["boot"]), { code: 0, stdout: /^committed: generation / });
  t.match(await update(node), { code: 0, stdout: /^u-1: SUCCEEDED / });
  const analyzed = await node.firstlight(["analyze", "update"]);
  t.match(analyzed, { code: 0, stdout: /REBOOTING[\s\S]*boot [\s\S]*TESTING[\s\S]*SUCCEEDED/ });
  t.same([...inconsistencies(node), ...leftovers(node)], []);
});
