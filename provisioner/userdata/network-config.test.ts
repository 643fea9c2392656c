import t from "tap";
import type { Ethernet, Spec } from "#generated/provisioner/spec/v1.ts";
import { linesOf, translateText } from "./sample-translation.ts";
import { translate } from "./translate.ts";

function network(text: string, userData = "#firstlight\n") {
  const networkConfig = { document: "network-config", bytes: Buffer.from(text) };
  return translateText(userData, {}, { networkConfig });
}

interface Case {
  readonly name: string;
  readonly yaml: string;
  readonly lan: Ethernet | undefined;
  readonly says?: readonly string[];
}

function check(cases: readonly Case[]): void {
  for (const { name, yaml, lan, says = [] } of cases) {
    t.test(name, async (t) => {
      const translation = network(yaml);
      t.strictSame(translation.spec.network?.ethernets?.["lan"], lan);
      t.strictSame(linesOf(translation), says);
    });
  }
}

const v2 = (keys: string) => `version: 2\nethernets:\n  lan:\n    ${keys}\n`;

check([
  { name: "v2: an interface of which nothing is said", yaml: v2(""), lan: {} },
  {
    name: "v2: every key that is translated, under `network`",
    yaml: `network:
  version: 2
  ethernets:
    lan:
      match: {name: "en*", macaddress: "AA:BB:CC:00:11:22", driver: virtio_net}
      set-name: lan0
      dhcp4: yes
      dhcp6: false
      accept-ra: no
      optional: true
      mtu: 1400
      addresses: [192.0.2.10/24, "2001:db8::1/64"]
      gateway4: 192.0.2.1
      gateway6: 2001:db8::ff
      routes:
        - {to: 198.51.100.0/24, via: 192.0.2.2, metric: 7, on-link: true}
        - {to: default, via: 192.0.2.3}
        - {to: "::/0", via: "fe80::1"}
        - {to: 203.0.113.9, via: 192.0.2.4}
      nameservers: {addresses: [192.0.2.53], search: [example.org]}
`,
    lan: {
      match: { name: "en*", mac: "aa:bb:cc:00:11:22", driver: "virtio_net" },
      setName: "lan0",
      dhcp4: true,
      dhcp6: false,
      acceptRa: false,
      optional: true,
      mtu: 1400,
      addresses: ["192.0.2.10/24", "2001:db8::1/64"],
      routes: [
        { to: "default", via: "192.0.2.1" },
        { to: "default", via: "2001:db8::ff" },
        { to: "198.51.100.0/24", via: "192.0.2.2", metric: 7, onLink: true },
        { to: "default", via: "192.0.2.3" },
        { to: "default", via: "fe80::1" },
        { to: "203.0.113.9/32", via: "192.0.2.4" },
      ],
      nameservers: ["192.0.2.53"],
      search: ["example.org"],
    },
  },
  {
    name: "v2: a whole family without a gateway stays what it is",
    yaml: v2("routes: [{to: '::/0'}, {to: 0.0.0.0/0}]"),
    lan: { routes: [{ to: "::/0" }, { to: "0.0.0.0/0" }] },
  },
  {
    name: "v2: an address with more said of it",
    yaml: v2(
      "addresses: [{192.0.2.1/24: {label: a, lifetime: 0}}, {x: {}}, {192.0.2.2/24: {labl: b}}]",
    ),
    lan: {
      addresses: ["192.0.2.1/24", "192.0.2.2/24"],
      addressOptions: { "192.0.2.1/24": { label: "a", lifetime: "0" } },
    },
    says: [
      "error network/invalid 4:62 ethernets.lan.addresses.1.x",
      "warning network/unknown-key 4:83 ethernets.lan.addresses.2.192.0.2.2/24.labl",
    ],
  },
  {
    name: "v2: what is not translated is named once for a section",
    yaml: `${v2("virtual-function-count: 2\n    openvswitch: {external-ids: {a: b}, other-config: {c: d}}")}modems: {cdc: {apn: x, pin: y}}\nrenderer: networkd\n`,
    lan: {},
    says: [
      "warning network/unsupported 4:5 ethernets.lan.virtual-function-count",
      "warning network/unsupported 5:5 ethernets.lan.openvswitch",
      "warning network/unsupported 6:1 modems",
    ],
  },
  {
    name: "v2: the metric of routes from outside is one where both families have the same",
    yaml: v2(
      "dhcp4: true\n    dhcp4-overrides: {route-metric: 100, use-dns: false}\n    dhcp6-overrides: {route-metric: 100}",
    ),
    lan: { dhcp4: true, dhcpMetric: 100, dhcp4Overrides: { useDns: false } },
  },
  {
    name: "v2: each family has its own metric where they differ",
    yaml: v2(
      "dhcp4: true\n    dhcp4-overrides: {route-metric: 100}\n    dhcp6-overrides: {route-metric: 200, use-dns: false}",
    ),
    lan: {
      dhcp4: true,
      dhcp4Overrides: { routeMetric: 100 },
      dhcp6Overrides: { routeMetric: 200, useDns: false },
    },
  },
  {
    name: "v2: what is no address",
    yaml: v2(
      "addresses: [192.0.2.1, 192.0.2.1/33, x/24, 192.0.2.1/24/1]\n    gateway4: x\n    routes: [{via: 192.0.2.1}, {to: x}]",
    ),
    lan: {},
    says: [
      "error network/invalid 4:17 ethernets.lan.addresses.0",
      "error network/invalid 4:28 ethernets.lan.addresses.1",
      "error network/invalid 4:42 ethernets.lan.addresses.2",
      "error network/invalid 4:48 ethernets.lan.addresses.3",
      "error network/invalid 5:15 ethernets.lan.gateway4",
      "error network/invalid 6:14 ethernets.lan.routes.0",
      "error network/invalid 6:37 ethernets.lan.routes.1.to",
    ],
  },
  {
    name: "v2: a MAC address that YAML reads as a number",
    yaml: v2("match: {macaddress: 52:54:00:12:34:00}"),
    lan: { match: {} },
    says: ["error user-data/wrong-type 4:25 ethernets.lan.match.macaddress"],
  },
  {
    name: "v1: every key that is translated",
    yaml: `version: 1
config:
  - type: physical
    name: lan
    mac_address: AA:BB:CC:00:11:22
    mtu: 9000
    accept-ra: 'no'
    subnets:
      - {type: dhcp, control: auto}
      - type: static
        address: 192.0.2.10
        netmask: 255.255.255.240
        gateway: 192.0.2.1
        dns_nameservers: [192.0.2.53, 192.0.2.54]
        dns_search: a.example.org b.example.org
        routes:
          - {network: 198.51.100.0, netmask: 255.255.255.0, gateway: 192.0.2.2, metric: 3}
          - {network: "2001:db8::", netmask: "ffff:ffff::", gateway: "2001:db8::1"}
          - {destination: "::", netmask: "::", gateway: "fe80::1"}
          - {network: default, gateway: 192.0.2.3}
      - {type: static6, address: "2001:db8::10"}
      - {type: static, address: 192.0.2.20}
      - {type: ipv6_dhcpv6-stateful}
`,
    lan: {
      match: { mac: "aa:bb:cc:00:11:22" },
      setName: "lan",
      mtu: 9000,
      acceptRa: false,
      dhcp4: true,
      addresses: ["192.0.2.10/28", "2001:db8::10/64", "192.0.2.20/24"],
      routes: [
        { to: "default", via: "192.0.2.1" },
        { to: "198.51.100.0/24", via: "192.0.2.2", metric: 3 },
        { to: "2001:db8::/32", via: "2001:db8::1" },
        { to: "default", via: "fe80::1" },
        { to: "default", via: "192.0.2.3" },
      ],
      nameservers: ["192.0.2.53", "192.0.2.54"],
      search: ["a.example.org", "b.example.org"],
      dhcp6: true,
    },
  },
  {
    name: "v1: what is not translated is named",
    yaml: "version: 1\nconfig:\n  - {type: bond, name: b}\n  - {type: physical, name: lan, ipv4_conf: {forwarding: 1}, subnets: [{type: manual, control: manual}]}\n  - {type: tunnel, name: x}\n",
    lan: { activation: "manual" },
    says: [
      "error network/invalid 3:5 config.0",
      "warning network/unsupported 4:33 config.1.ipv4_conf",
      "error user-data/wrong-type 5:12 config.2.type",
    ],
  },
  {
    name: "v1: what lacks what it needs",
    yaml: "version: 1\nconfig:\n  - {type: physical, name: lan, subnets: [{type: static}, {type: x}, {}, {type: static, address: 192.0.2.1, netmask: 255.0.255.0}]}\n  - {type: physical}\n  - {type: physical, name: lan}\n",
    lan: {},
    says: [
      "error network/invalid 3:43 config.0.subnets.0",
      "error user-data/wrong-type 3:66 config.0.subnets.1.type",
      "error network/invalid 3:70 config.0.subnets.2",
      "error network/invalid 3:98 config.0.subnets.3.address",
      "error network/invalid 4:5 config.1",
      "error network/invalid 5:5 config.2",
    ],
  },
  {
    name: "nothing is not translated when it is disabled",
    yaml: "network: {config: disabled}\n",
    lan: undefined,
  },
  { name: "an empty document", yaml: "", lan: undefined },
  {
    name: "another version",
    yaml: "version: 3\n",
    lan: undefined,
    says: ["error network/version 1:1 "],
  },
  {
    name: "no mapping",
    yaml: "- a\n",
    lan: undefined,
    says: ["error user-data/wrong-type 1:1 "],
  },
]);

t.test("v1: name servers of the machine and of one interface", async (t) => {
  const { spec, findings } = network(`version: 1
config:
  - {type: nameserver, address: 192.0.2.1, search: example.org}
  - {type: nameserver, interface: lan, address: [192.0.2.2]}
  - {type: nameserver, interface: wan, address: [192.0.2.3]}
  - {type: physical, name: lan}
`);
  const expected: Partial<Spec> = {
    resolver: { nameservers: ["192.0.2.1"], search: ["example.org"] },
    network: { ethernets: { lan: { nameservers: ["192.0.2.2"] } } },
  };
  t.strictSame(spec, { version: 1, ...expected });
  t.strictSame(linesOf({ findings }), ["warning network/unsupported 5:5 config.2"]);
});

t.test("an interface that the user-data describes stays as it is there", async (t) => {
  const own = "#firstlight\nnetwork: {ethernets: {lan: {dhcp4: false}}}\n";
  const { spec, findings } = network(
    v2("dhcp4: true\n  wan: {dhcp4: true}").replace("    wan", "wan"),
    own,
  );
  t.strictSame(spec.network?.ethernets, { lan: { dhcp4: false }, wan: { dhcp4: true } });
  t.strictSame(linesOf({ findings }), ["note network/overridden 3:3 ethernets.lan"]);
});

t.test("a user-data of the wrong shape does not get in its way", async (t) => {
  for (const own of ["network: x", "resolver: [1]", "network: {ethernets: 7}"]) {
    const { spec } = network(
      "version: 1\nconfig: [{type: nameserver, address: 192.0.2.1}, {type: physical, name: lan}]\n",
      `#firstlight\n${own}\n`,
    );
    t.strictSame(spec.network?.ethernets, { lan: {} }, own);
    t.strictSame(spec.resolver, { nameservers: ["192.0.2.1"] }, own);
  }
});

t.test("names of interfaces that are none are refused at their line", async (t) => {
  const { spec, findings } = network('version: 2\nethernets: {"../x": {dhcp4: true}}\n');
  t.strictSame(spec.network?.ethernets, {});
  t.strictSame(linesOf({ findings }), ["error spec/invalid 2:13 network.ethernets.../x"]);
});

t.test("an empty network config alone is an empty cloud-config", async (t) => {
  const context = { hostname: null, publicKeys: [], defaultUser: "nixos", fetched: new Map() };
  const networkConfig = { document: "network-config", bytes: Buffer.from("") };
  t.strictSame(translate({ networkConfig }, context).findings, []);
});
