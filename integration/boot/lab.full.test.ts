import { existsSync, readdirSync } from "node:fs";
import t, { type Test } from "tap";
import { container } from "./container.ts";
import { childrenOf, onHost } from "./host.ts";
import { openLab } from "./lab.ts";
import { skipWithoutBoot } from "./needs.ts";
import { checkMetadataStays } from "./network.ts";

t.setTimeout(600_000);
const skip = skipWithoutBoot();

t.test("of a lab and its machine nothing is left, running or not", { skip }, async (t) => {
  const before = childrenOf(process.pid).length;
  let directory = "";
  await t.test("open, with a machine that boots", async (t) => {
    const lab = await openLab(t);
    directory = lab.directory;
    const machine = await container(t, lab);
    await machine.switchOn();
    t.match(await onHost(["losetup", "--list"]), directory);
    t.not(childrenOf(process.pid).length, before);
    t.ok(namespacesOf(process.pid).length > 0);
  });
  t.equal(childrenOf(process.pid).length, before, "no process");
  t.same(namespacesOf(process.pid), [], "no network");
  t.notMatch(await onHost(["losetup", "--list"]), directory, "no disk");
  t.notOk(existsSync(directory), "no file");
});

t.test(
  "metadata that would leave by a card of this host is a reason to stop",
  { skip },
  async (t) => {
    const away = await namespace(t, "away");
    await onHost(["ip", "-n", away, "link", "add", "eth0", "type", "veth", "peer", "name", "eth1"]);
    await onHost(["ip", "-n", away, "addr", "add", "192.0.2.2/24", "dev", "eth0"]);
    await onHost(["ip", "-n", away, "link", "set", "eth0", "up"]);
    await onHost(["ip", "-n", away, "route", "add", "default", "via", "192.0.2.1"]);
    await t.rejects(checkMetadataStays(away), { message: /would leave .* via 192\.0\.2\.1/ });
  },
);

async function namespace(t: Test, name: string): Promise<string> {
  const full = `firstlight-${process.pid}-${name}`;
  await onHost(["ip", "netns", "add", full]);
  t.teardown(() => onHost(["ip", "netns", "del", full]));
  return full;
}

function namespacesOf(pid: number): readonly string[] {
  const all = existsSync("/run/netns") ? readdirSync("/run/netns") : [];
  return all.filter((name) => name.startsWith(`firstlight-${pid}-`));
}
