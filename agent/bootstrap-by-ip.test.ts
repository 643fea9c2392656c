import { symlinkSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { fakeIo } from "#core/fake-io.ts";
import type { Ethernet, Spec } from "#generated/provisioner/spec/v1.ts";
import { hasRouter, networkRequests } from "./bootstrap-by-ip.ts";

const links = [
  { ifname: "lo", link_type: "loopback", address: "00:00:00:00:00:00" },
  { ifname: "eth0", link_type: "ether", address: "52:54:00:12:34:56" },
  { ifname: "eth1", link_type: "ether", address: "52:54:00:12:34:57" },
];

/** A machine with these cards, or whose `ip` says something else. */
function machine(t: Test, stdout = JSON.stringify(links), code = 0) {
  const root = t.testdir({
    sys: { class: { net: { eth1: { device: {} } } } },
    run: { "current-system": { sw: { bin: { resolvconf: "" } } } },
    proc: { net: {} },
  });
  symlinkSync(
    "../../../../bus/pci/drivers/virtio_net",
    path.join(root, "sys/class/net/eth1/device/driver"),
  );
  return fakeIo(root, { ip: () => ({ stdout, code }) });
}

const fixed = { addresses: ["192.0.2.10/24"] };

t.test("fixed addresses and routes, and name servers, become requests", async (t) => {
  const io = machine(t);
  const spec: Spec = {
    version: 1,
    network: {
      ethernets: {
        lan: {
          ...{ match: { mac: "52:54:00:12:34:56" }, setName: "lan0", mtu: 1400 },
          addresses: ["192.0.2.10/24", "2001:db8::10/64"],
          routes: [
            { to: "default", via: "192.0.2.1", metric: 50 },
            { to: "198.51.100.0/24", via: "203.0.113.1", onLink: true },
            { to: "2001:db8:1::/48" },
          ],
          ...{ nameservers: ["192.0.2.53"], search: ["example.org"] },
        },
      },
    },
    resolver: { nameservers: ["192.0.2.53", "2001:db8::53"], search: ["example.net"] },
  };
  t.match(await networkRequests(io, spec), [
    {
      ...{ file: "ip", args: ["-force", "-batch", "-"] },
      stdin: `link set dev eth0 mtu 1400 up
address replace 192.0.2.10/24 dev eth0
address replace 2001:db8::10/64 dev eth0
route replace default via 192.0.2.1 dev eth0 metric 50
route replace 198.51.100.0/24 via 203.0.113.1 dev eth0 onlink
route replace 2001:db8:1::/48 dev eth0
`,
    },
    {
      ...{ file: "/run/current-system/sw/bin/resolvconf", args: ["-a", "firstlight"] },
      stdin: "nameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch example.org example.net\n",
    },
  ]);
});

t.test("an interface is found as systemd-networkd finds it", async (t) => {
  const io = machine(t);
  const found = async (name: string, ethernet: Ethernet) => {
    const spec = { version: 1, network: { ethernets: { [name]: { ...fixed, ...ethernet } } } };
    const [request] = await networkRequests(io, spec as Spec);
    return [...String(request?.stdin ?? "").matchAll(/^link set dev (\S+) /gm)].map(
      ([, dev]) => dev,
    );
  };
  t.same(await found("eth1", {}), ["eth1"]);
  t.same(await found("eth9", { setName: "eth0" }), ["eth0"]);
  t.same(await found("lan", { match: { name: "eth*" } }), ["eth0", "eth1"]);
  t.same(await found("lan", { match: { name: "eth?", driver: "virtio_net" } }), ["eth1"]);
  t.same(await found("lan", { match: { mac: "52:54:00:12:34:57".toUpperCase() } }), ["eth1"]);
  for (const match of [
    { name: "lo" },
    { name: "eth." },
    { name: "eth(" },
    { driver: "e1000" },
    { name: `${"*".repeat(9_999)}x` },
  ])
    t.same(await found("lan", { match }), [], JSON.stringify(match));
});

t.test("what is made of a card has its address, and is not taken for it", async (t) => {
  const made = (ifname: string, kind: string) => ({
    ...{ ifname, link_type: "ether", address: "52:54:00:12:34:57" },
    linkinfo: { info_kind: kind },
  });
  const all = [made("ethbr", "bridge"), made("eth1.7", "vlan"), ...links, made("ethpair", "veth")];
  const io = machine(t, JSON.stringify([...all, { ...made("eth7", "bond"), linkinfo: null }]));
  const found = async (name: string, ethernet: Ethernet) => {
    const spec: Spec = {
      version: 1,
      network: { ethernets: { [name]: { ...fixed, ...ethernet } } },
    };
    const [request] = await networkRequests(io, spec);
    return String(request?.stdin ?? "").match(/(?<=^link set dev )\S+/gm);
  };
  t.same(await found("lan", { match: { mac: "52:54:00:12:34:57" } }), ["eth1", "ethpair", "eth7"]);
  t.same(await found("lan", { match: { name: "eth*" } }), ["eth0", "eth1", "ethpair", "eth7"]);
  t.same(await found("lan", { match: { name: "ethbr" } }), ["ethbr"], "by its own name");
});

t.test("what is leased is left alone, and what is no address begins no line", async (t) => {
  const io = machine(t);
  const requests = (eth0: Ethernet) =>
    networkRequests(io, { version: 1, network: { ethernets: { eth0 } } });
  t.same(await requests({ dhcp4: true, nameservers: ["192.0.2.53"] }), []);
  const evil = "192.0.2.1\nlink set dev eth1 down";
  const [ip, dns] = await requests({
    addresses: ["192.0.2.10/24", evil],
    routes: [
      { to: evil, via: "192.0.2.1" },
      { to: "default", via: evil },
    ],
    ...{ nameservers: [evil], search: [evil] },
  });
  t.equal(ip?.stdin, "link set dev eth0 up\naddress replace 192.0.2.10/24 dev eth0\n");
  t.equal(dns, undefined);
});

t.test("where ip says nothing of interfaces nothing is set up", async (t) => {
  const spec: Spec = { version: 1, network: { ethernets: { eth0: fixed, "eth1 x": fixed } } };
  const evil = [{ ifname: "eth1 x", link_type: "ether" }, { ifname: 1 }, {}];
  for (const stdout of ["", "{", "{}", "[]", JSON.stringify(evil)])
    t.same(await networkRequests(machine(t, stdout), spec), [], stdout);
  t.same(await networkRequests(machine(t, JSON.stringify(links), 1), spec), []);
  await t.rejects(networkRequests(fakeIo(t.testdir()), spec), { code: "exec/not-found" });
});

t.test("a default route without a router is no way out", (t) => {
  const { files } = machine(t);
  const row4 = (via: string) => `eth0 00000000 ${via} 0003 0 0 100 00000000 0 0 0\n`;
  const row6 = (via: string) => `${"0".repeat(32)} 00 ${"0".repeat(32)} 00 ${via} 400 1 0 3 eth0\n`;
  const tables: readonly (readonly [string, string, boolean])[] = [
    ["", "", false],
    [row4("00000000"), row6("0".repeat(32)), false],
    [row4("010200C0"), "", true],
    ["", row6(`fe8${"0".repeat(28)}1`), true],
  ];
  for (const [ipv4, ipv6, expected] of tables) {
    files.write("/proc/net/route", ipv4);
    files.write("/proc/net/ipv6_route", ipv6);
    t.equal(hasRouter(files), expected);
  }
  t.end();
});
