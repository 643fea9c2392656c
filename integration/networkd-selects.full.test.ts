import { spawn, spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { Network } from "#generated/provisioner/spec/v1.ts";
import { networkdFiles } from "#provisioner/render/network.ts";

const networkd = "/lib/systemd/systemd-networkd";
const mac = "52:54:00:12:34:56";

/** In namespaces of its own: a card as a container has one, and what has its address and sorts behind it. */
const makeLinks = `set -e
mount -t tmpfs tmpfs /run
mount -t sysfs sysfs /sys
mkdir -p /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp
ip link add net7 address ${mac} type veth peer name net8
ip link add storage address ${mac} type vxlan id 7 dstport 4789
ip link add vmbr0 address ${mac} type bridge
`;

/** Then what udev does of each, and networkd, which asks nobody where /sys cannot be written. */
const look = `
cp "$1"/* /run/systemd/network/
chmod -R a+rX /run/systemd
chown -R systemd-network /run/systemd/netif
for name in net7 storage vmbr0; do
  udevadm test-builtin net_setup_link "/sys/class/net/$name" 2>/dev/null |
    sed -n "s/^ID_NET_LINK_FILE=/udev: $name: /p"
done
mount -o remount,ro /sys
exec ${networkd}
`;

const needed =
  process.getuid?.() !== 0
    ? "namespaces of network and mounts need root"
    : existsSync(networkd)
      ? false
      : "systemd-networkd is not on this machine";

/** Which file systemd takes for each interface: `networkd: vmbr0: 10-vmbr0.network`. */
async function taken(files: string): Promise<readonly string[]> {
  const child = spawn("unshare", ["-nm", "sh", "-c", makeLinks + look, "sh", files], {
    env: { ...process.env, SYSTEMD_LOG_LEVEL: "info", SYSTEMD_LOG_TARGET: "console" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000,
  });
  let text = "";
  const found = () => [
    ...[...text.matchAll(/^(udev: \w+: )(.*)$/gm)].map(
      ([, start, file = ""]) => `${start}${path.basename(file)}`,
    ),
    ...[...text.matchAll(/(\w+): Configuring with (\S+)\.$/gm)].map(
      ([, name, file = ""]) => `networkd: ${name}: ${path.basename(file)}`,
    ),
  ];
  const take = (chunk: Buffer) => {
    text += chunk;
    if (found().length >= 6) child.kill();
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  await new Promise((resolve) => child.on("close", resolve));
  return found().sort();
}

/** Why the kernel cannot be asked, or `false`. */
function cannotMake(): string | false {
  if (needed !== false) return needed;
  const made = spawnSync("unshare", ["-nm", "sh", "-c", makeLinks]);
  return made.status === 0 ? false : `this kernel makes no such interfaces: ${made.stderr}`;
}

t.test(
  "systemd takes for a card, and what has its address, each its own file",
  { skip: cannotMake() },
  async (t) => {
    const network: Network = {
      ethernets: { lan: { match: { mac }, setName: "lan0", addresses: ["192.0.2.10/24"] } },
      bridges: { vmbr0: { mac, addresses: ["198.51.100.10/24"] } },
      tunnels: { storage: { mode: "vxlan", id: 7, port: 4789, addresses: ["203.0.113.10/24"] } },
    };
    const files = t.testdir();
    for (const { name, content } of networkdFiles({ version: 1, network }))
      writeFileSync(path.join(files, name), content);
    t.same(await taken(files), [
      `networkd: net7: 10-lan.network`,
      `networkd: storage: 10-storage.network`,
      `networkd: vmbr0: 10-vmbr0.network`,
      `udev: net7: 10-lan.link`,
      `udev: storage: 99-default.link`,
      `udev: vmbr0: 99-default.link`,
    ]);
  },
);
