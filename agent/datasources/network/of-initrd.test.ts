import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { setKernelCommandLine } from "../fake-machine.ts";
import { writeTree } from "../images/make-images.ts";
import { networkOfInitrd } from "./of-initrd.ts";

/** As `ipconfig` leaves it after a lease. */
const leased = `DEVICE='eth0'
PROTO='dhcp'
IPV4ADDR='192.0.2.89'
IPV4BROADCAST='192.0.2.255'
IPV4NETMASK='255.255.255.0'
IPV4GATEWAY='192.0.2.1'
IPV4DNS0='192.0.2.1'
IPV4DNS1='0.0.0.0'
HOSTNAME='node'
DNSDOMAIN=''
NISDOMAIN=''
ROOTSERVER='192.0.2.1'
ROOTPATH=''
filename=''
UPTIME='21'
DHCPLEASETIME='3600'
DOMAINSEARCH='example.org'
`;
const fixed = leased
  .replace("dhcp", "none")
  .replace("DOMAINSEARCH='example.org'", "DOMAINSEARCH='example.org, example.net'");
/** As initramfs-tools leaves it for IPv6. */
const leased6 = `DEVICE6=eth0
HOSTNAME=
IPV6PROTO=dhcp6
IPV6ADDR=2001:db8::1:0
IPV6NETMASK=64
IPV6GATEWAY=2001:db8::1
IPV6DNS0=2001:db8::53
`;
const fixed6 = leased6.replace("dhcp6", "none");

const ethernets: readonly (readonly [string, Readonly<Record<string, string>>, object])[] = [
  ["a lease", { "net-eth0.conf": leased }, { dhcp4: true, critical: true }],
  [
    "a fixed address",
    { "net-eth0.conf": fixed },
    {
      critical: true,
      addresses: ["192.0.2.89/24"],
      routes: [{ to: "default", via: "192.0.2.1" }],
      nameservers: { addresses: ["192.0.2.1"], search: ["example.org", "example.net"] },
    },
  ],
  ["a lease of IPv6", { "net6-eth0.conf": leased6 }, { dhcp6: true, critical: true }],
  [
    "a file for each family",
    { "net-eth0.conf": leased, "net6-eth0.conf": fixed6 },
    {
      ...{ dhcp4: true, critical: true, addresses: ["2001:db8::1:0/64"] },
      routes: [{ to: "default", via: "2001:db8::1" }],
      nameservers: { addresses: ["2001:db8::53"], search: [] },
    },
  ],
  [
    "both in one, no way out and no masks",
    {
      "net-eth0.conf":
        "DEVICE=eth0\nPROTO=static\nIPV4ADDR=192.0.2.9\nIPV4GATEWAY=0.0.0.0\nIPV6ADDR=2001:db8::9\n",
    },
    { critical: true, addresses: ["192.0.2.9/24", "2001:db8::9/64"], routes: [] },
  ],
  [
    "an older ipconfig, which says the file that it booted and no protocol",
    { "net-eth0.conf": "DEVICE=eth0\nIPV4ADDR=192.0.2.9\nfilename=/boot/image\n" },
    { dhcp4: true, critical: true },
  ],
  [
    "one beside it that got no address",
    { "net-eth0.conf": leased, "net-eth1.conf": "DEVICE=eth1\nPROTO=none\nIPV4ADDR=0.0.0.0\n" },
    { dhcp4: true, critical: true },
  ],
];

for (const [title, files, expected] of ethernets) {
  t.test(`what an initrd leaves of its network: ${title}`, (t) => {
    const root = path.join(t.testdir(), "root");
    setKernelCommandLine(root, "quiet ip=dhcp");
    writeTree(path.join(root, "run"), files);
    writeTree(path.join(root, "sys/class/net/eth0"), { address: "52:54:00:AB:cd:01\n" });
    const { said, findings } = networkOfInitrd(fakeIo(root).files);
    t.same(findings, []);
    t.same(JSON.parse(Buffer.from(said?.bytes ?? []).toString()), {
      version: 2,
      ethernets: { eth0: { match: { macaddress: "52:54:00:ab:cd:01" }, ...expected } },
    });
    t.end();
  });
}

t.test("where nothing got an address, or nobody asked for a network, it says none", (t) => {
  const root = path.join(t.testdir(), "root");
  const { files } = fakeIo(root);
  const none = "DEVICE=eth0\nPROTO=dhcp\n";
  for (const [line, text] of [
    ["ip=dhcp", none],
    ["quiet", leased],
    ["rd.ip=dhcp skip=1", leased],
  ] as const) {
    setKernelCommandLine(root, line);
    writeTree(path.join(root, "run"), { "net-eth0.conf": text });
    t.same(networkOfInitrd(files), { findings: [] }, line);
  }
  t.end();
});

t.test("an interface without an address of hardware is found by its name", (t) => {
  const root = path.join(t.testdir(), "root");
  setKernelCommandLine(root, "ip=dhcp");
  writeTree(path.join(root, "run"), { "net-eth0.conf": leased });
  const { said } = networkOfInitrd(fakeIo(root).files);
  const { ethernets } = JSON.parse(Buffer.from(said?.bytes ?? []).toString());
  t.same(ethernets, { eth0: { dhcp4: true, critical: true } });
  t.end();
});

t.test("more files than are read are an error, and none is left out without a word", (t) => {
  const root = path.join(t.testdir(), "root");
  setKernelCommandLine(root, "ip=dhcp");
  const names = Array.from({ length: 65 }, (_, index) => `net-eth${index}.conf`);
  writeTree(path.join(root, "run"), Object.fromEntries(names.map((name) => [name, leased])));
  const { said, findings } = networkOfInitrd(fakeIo(root).files);
  t.equal(said, undefined);
  t.match(findings, [{ level: "error", code: "network/unreadable", message: /^65 files/ }]);
  t.end();
});

t.test("a file that is larger than any is an error at its place", (t) => {
  const root = path.join(t.testdir(), "root");
  setKernelCommandLine(root, "ip=dhcp");
  writeTree(path.join(root, "run"), { "net-eth0.conf": "#".repeat(70_000) });
  const { said, findings } = networkOfInitrd(fakeIo(root).files);
  t.equal(said, undefined);
  t.match(findings, [{ document: "/run/net-eth0.conf", level: "error", message: /larger/ }]);
  t.end();
});
