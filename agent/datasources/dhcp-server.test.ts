import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { dhcpServers } from "./dhcp-server.ts";
import { writeTree } from "./images/make-images.ts";

const header =
  "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
const local = "ens3\t000200C0\t00000000\t0001\t0\t0\t1024\t00FFFFFF\t0\t0\t0\n";
const blackhole = "*\t00000000\t00000000\t0201\t0\t0\t9\t00000000\t0\t0\t0\n";
const viaGateway = "ens3\t00000000\tFE0200C0\t0003\t0\t0\t1024\t00000000\t0\t0\t0\n";
const lease = (server: string) =>
  `# This is private data. Do not parse.\nADDRESS=192.0.2.7\nSERVER_ADDRESS=${server}\nMTU=1500\n`;

/** A message of DHCP with these options. */
function answer(...options: readonly (readonly number[])[]): Buffer {
  return Buffer.from([...Array<number>(236).fill(0), 0x63, 0x82, 0x53, 0x63, ...options.flat()]);
}

t.test("who gave the lease is named by dhcpcd and NetworkManager too", async (t) => {
  const type = [53, 1, 5];
  const by = (last: number) => [54, 4, 192, 0, 2, last];
  const other = "var/lib/dhcpcd/wlan0-home.lease";
  const manager = { "run/NetworkManager/devices/2": "[dhcp4]\ndhcp-server-identifier=192.0.2.3\n" };
  const cases: readonly (readonly [Record<string, string | Buffer>, readonly string[]])[] = [
    [{ "var/lib/dhcpcd/eth0.lease": answer([0], type, by(1), [255]) }, ["192.0.2.1"]],
    [
      { "var/db/dhcpcd/eth0.lease": answer(by(1)), [other]: answer(by(2)) },
      ["192.0.2.2", "192.0.2.1"],
    ],
    [{ "var/lib/dhcpcd/eth0.lease": answer(type, [255], by(1)) }, ["192.0.2.254"]],
    [{ "var/lib/dhcpcd/eth0.lease": answer([54, 4, 192]) }, ["192.0.2.254"]],
    [{ "var/lib/dhcpcd/eth0.lease": Buffer.alloc(300) }, ["192.0.2.254"]],
    [{ "var/lib/dhcpcd/eth0.lease6": answer(by(1)), ...manager }, ["192.0.2.3"]],
    [{ ...manager, [other]: answer(by(2)) }, ["192.0.2.2"]],
    [{ [other]: answer(by(2)), "run/systemd/netif/leases/2": lease("192.0.2.9") }, ["192.0.2.9"]],
  ];
  for (const [files, found] of cases) {
    const root = path.join(t.testdir(), "root");
    writeTree(root, { "proc/net/route": header + viaGateway, ...files });
    t.strictSame(dhcpServers(fakeIo(root).files), found, Object.keys(files).join());
  }
});

t.test(
  "who gave the lease is named by systemd-networkd, else the gateway stands for it",
  async (t) => {
    const cases: Record<
      string,
      { leases?: Record<string, string>; route?: string; found: string[] }
    > = {
      nothing: { found: [] },
      "one lease": {
        leases: { 2: lease("192.0.2.1") },
        route: header + viaGateway,
        found: ["192.0.2.1"],
      },
      "several, in the order of the interfaces, each once": {
        leases: { 10: lease("198.51.100.1"), 9: lease("192.0.2.1"), 11: lease("192.0.2.1") },
        found: ["192.0.2.1", "198.51.100.1"],
      },
      "a lease that names no server, and another file": {
        leases: { 2: "ADDRESS=192.0.2.7\n", 3: lease("not an address"), ".#3": lease("192.0.2.9") },
        route: header + local + blackhole + viaGateway,
        found: ["192.0.2.254"],
      },
      "no default route": { route: header + local + blackhole, found: [] },
    };
    for (const [name, { leases = {}, route, found }] of Object.entries(cases)) {
      const root = path.join(t.testdir(), "root");
      writeTree(path.join(root, "run/systemd/netif/leases"), leases);
      if (route !== undefined) writeTree(path.join(root, "proc/net"), { route });
      t.strictSame(dhcpServers(fakeIo(root).files), found, name);
    }
  },
);
