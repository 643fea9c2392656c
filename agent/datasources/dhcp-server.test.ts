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
