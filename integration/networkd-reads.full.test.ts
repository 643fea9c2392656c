import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { Network } from "#generated/provisioner/spec/v1.ts";
import { everyNetwork } from "#provisioner/render/every-network.ts";
import { unitText } from "#provisioner/render/networkd/unit-text.ts";
import { networkdUnits } from "#provisioner/render/networkd/units.ts";

const networkd = "/lib/systemd/systemd-networkd";
const skip =
  process.getuid?.() !== 0
    ? "namespaces of network and mounts need root"
    : existsSync(networkd)
      ? false
      : "systemd-networkd is not on this machine";

/** Known since version 255, and `[IPoIB]` of a .network by none that reads it wrong (252). */
const newer = [
  /Unknown key '(SendHostname|Hostname)' in section \[DHCPv6\]/,
  /Unknown section 'IPoIB'/,
];

/** In namespaces of its own: files in an empty /run, and networkd until it has looked at everything. */
const inside = `
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp
cp "$1"/* /run/systemd/network/
chmod -R a+rX /run/systemd
chown -R systemd-network /run/systemd/netif
exec ${networkd}
`;

/** What networkd says until it has read its files and seen every interface. */
async function said(files: string): Promise<readonly string[]> {
  const child = spawn("unshare", ["-nm", "sh", "-c", inside, "sh", files], {
    env: { ...process.env, SYSTEMD_LOG_LEVEL: "debug", SYSTEMD_LOG_TARGET: "console" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000,
  });
  let text = "";
  const take = (chunk: Buffer) => {
    text += chunk;
    if (text.includes("Enumeration completed")) child.kill();
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  await new Promise((resolve) => child.on("close", resolve));
  return text.split("\n");
}

t.test("networkd itself reads everything that can be said of a network", { skip }, async (t) => {
  const network = structuredClone(everyNetwork) as unknown as Network;
  const units = networkdUnits(network, () => "/run/systemd/network/key");
  const files = t.testdir({ key: `${"A".repeat(43)}=\n` });
  for (const unit of units)
    writeFileSync(path.join(files, `${unit.name}.${unit.kind}`), unitText(unit));
  const broken = "[Match]\nName=x\n\n[Network]\nDHCPP=no\n";
  writeFileSync(path.join(files, "90-broken.network"), broken);
  const lines = await said(files);
  t.ok(
    lines.some((line) => line.includes("Enumeration completed")),
    "it came up",
  );
  const complaints = lines.filter((line) => /\/run\/systemd\/network\/.*:\d+: /.test(line));
  t.ok(complaints.some((line) => line.includes("90-broken.network:5: Unknown key 'DHCPP'")));
  t.same(
    complaints.filter(
      (line) => !line.includes("90-broken") && !newer.some((known) => known.test(line)),
    ),
    [],
  );
});
