import t from "tap";
import type { Json } from "#core/canonical-json.ts";
import { fc } from "#core/fast-check.ts";
import { placeOfFinding } from "#core/finding.ts";
import type { Ethernet, Network } from "#generated/provisioner/spec/v1.ts";
import { translateText } from "#provisioner/userdata/sample-translation.ts";
import { readJson } from "./json-document.ts";
import { convertNetworkData } from "./openstack-network.ts";

const mac = "FA:16:3E:9C:BF:3D";
const match = { mac: mac.toLowerCase() };
const phy = {
  id: "tap1a81968a-79",
  type: "phy",
  ethernet_mac_address: mac,
  vif_id: "v",
  mtu: null,
};

/** What the document becomes, read by our own reader of network configs; its findings come last. */
function convert(document: Json): {
  readonly ethernets: Readonly<Record<string, Ethernet>> | undefined;
  readonly network: Network | undefined;
  readonly findings: readonly string[];
} {
  const bytes = Buffer.from(JSON.stringify(document, undefined, 1));
  const { networkConfig, findings } = convertNetworkData(
    readJson(bytes, "network_data.json", "place"),
  );
  const read =
    networkConfig === undefined
      ? undefined
      : translateText("", {}, { networkConfig: { document: "made", bytes: networkConfig } });
  const all = [...findings, ...(read?.findings ?? [])];
  return {
    ethernets: read?.spec.network?.ethernets,
    network: read?.spec.network,
    findings: all.map(
      (finding) => `${finding.level} ${placeOfFinding(finding)}: ${finding.message}`,
    ),
  };
}

const dns = (address: string) => ({ type: "dns", address });

/** One network on one plain link. */
function on(
  network: { readonly [key: string]: Json },
  link: { readonly [key: string]: Json } = {},
) {
  return {
    links: [{ ...phy, ...link }],
    networks: [{ id: "network0", link: phy.id, network_id: "n", ...network }],
  };
}

const ipv4 = { type: "ipv4", ip_address: "192.0.2.10", netmask: "255.255.255.0" };
const ipv6 = { type: "ipv6", ip_address: "2001:db8::10", netmask: "ffff:ffff:ffff:ffff::" };

const single: Record<string, { document: Json; ethernet: Ethernet; findings?: readonly string[] }> =
  {
    "nothing on the link": { document: { links: [phy] }, ethernet: { match } },
    "a name and an MTU of its own": {
      document: { links: [{ ...phy, name: "lan0", mtu: 1450 }] },
      ethernet: { match, setName: "lan0", mtu: 1450 },
    },
    "a name alone": {
      document: { links: [{ id: phy.id, type: null, name: "ens3" }] },
      ethernet: { match: { name: "ens3" } },
    },
    ipv4_dhcp: { document: on({ type: "ipv4_dhcp" }), ethernet: { match, dhcp4: true } },
    ipv6_dhcp: {
      document: on({ type: "ipv6_dhcp" }),
      ethernet: { match, dhcp6: true, acceptRa: true },
    },
    "an address that the network gives is named beside its kind": {
      document: {
        ...on(ipv4),
        networks: [
          { ...ipv4, link: phy.id },
          { ...ipv6, type: "ipv6_slaac", link: phy.id, gateway: "2001:db8::1" },
          { ...ipv6, type: "ipv6_dhcpv6-stateless", link: phy.id },
        ],
      },
      ethernet: { match, dhcp6: true, acceptRa: true, addresses: ["192.0.2.10/24"] },
    },
    "ipv6_dhcpv6-stateful": {
      document: on({ type: "ipv6_dhcpv6-stateful" }),
      ethernet: { match, dhcp6: true, acceptRa: true },
    },
    "ipv6_dhcpv6-stateless": {
      document: on({ type: "ipv6_dhcpv6-stateless" }),
      ethernet: { match, dhcp6: true, acceptRa: true },
    },
    ipv6_slaac: { document: on({ type: "ipv6_slaac" }), ethernet: { match, acceptRa: true } },
    "static IPv4 with routes and name servers": {
      document: {
        ...on({
          ...ipv4,
          routes: [
            { network: "0.0.0.0", netmask: "0.0.0.0", gateway: "192.0.2.1" },
            { network: "198.51.100.0", netmask: "255.255.255.0", gateway: "192.0.2.2" },
            { network: "203.0.113.0/24", gateway: "192.0.2.3", services: [dns("192.0.2.54")] },
          ],
          services: [dns("192.0.2.53")],
          dns_search: ["example.org"],
        }),
        services: [dns("192.0.2.53"), dns("2001:db8::53")],
      },
      ethernet: {
        match,
        addresses: ["192.0.2.10/24"],
        routes: [
          { to: "default", via: "192.0.2.1" },
          { to: "198.51.100.0/24", via: "192.0.2.2" },
          { to: "203.0.113.0/24", via: "192.0.2.3" },
        ],
        nameservers: ["192.0.2.54", "192.0.2.53", "2001:db8::53"],
        search: ["example.org"],
      },
    },
    "static IPv6 with a gateway that is said twice": {
      document: on({
        ...ipv6,
        gateway: "2001:db8::1",
        routes: [{ network: "::", netmask: "::", gateway: "2001:db8::1" }],
      }),
      ethernet: {
        match,
        acceptRa: false,
        addresses: ["2001:db8::10/64"],
        routes: [{ to: "default", via: "2001:db8::1" }],
      },
    },
    "an address with its length": {
      document: on({ type: "static", ip_address: "192.0.2.10/28", netmask: null, routes: null }),
      ethernet: { match, addresses: ["192.0.2.10/28"] },
    },
    "an address without a length": {
      document: on({ type: "static6", ip_address: "2001:db8::10" }),
      ethernet: { match, acceptRa: false, addresses: ["2001:db8::10/64"] },
    },
    "both families and autoconfiguration on one link": {
      document: {
        links: [phy],
        networks: [ipv4, ipv6, { type: "ipv6_slaac" }].map((each) => ({ ...each, link: phy.id })),
      },
      ethernet: { match, acceptRa: true, addresses: ["192.0.2.10/24", "2001:db8::10/64"] },
    },
    "keys and services that are not known": {
      document: {
        ...on({ type: "ipv4_dhcp", metric: 7 }, { speed: 10 }),
        services: [{ type: "ntp", address: "192.0.2.123" }],
        more: 1,
      },
      ethernet: { match, dhcp4: true },
      findings: [
        "warning network_data.json:9:4 links.0.speed: this part of the network config is not translated",
        "warning network_data.json:18:4 networks.0.metric: this part of the network config is not translated",
        "warning network_data.json:21:2 services: this part of the network config is not translated",
        "warning network_data.json:27:2 more: this part of the network config is not translated",
      ],
    },
    "a type of link that is not known": {
      document: { links: [{ ...phy, type: "quantum" }] },
      ethernet: { match },
      findings: [
        "warning network_data.json:5:12 links.0.type: this type of link is not known; it is taken for a plain interface",
      ],
    },
    "values that are none": {
      document: on(
        {
          type: "ipv4",
          ip_address: "192.0.2.999",
          gateway: "\n[Route]",
          routes: [{ network: "192.0.2.0", netmask: "255.0.255.0" }, {}],
          services: [{ type: "dns", address: "ns.example.org" }],
        },
        { name: "../../etc", mtu: -1 },
      ),
      ethernet: { match },
      findings: [
        "error network_data.json:9:12 links.0.name: expected a name of at most 15 letters, digits, `_`, `.` and `-`",
        "error network_data.json:8:11 links.0.mtu: expected a whole number of 0 or more, got a negative number",
        "error network_data.json:18:18 networks.0.ip_address: expected an address with a prefix length, such as 192.0.2.10/24",
        "error network_data.json:19:15 networks.0.gateway: expected an address of IPv4 or IPv6",
        "error network_data.json:22:17 networks.0.routes.0.network: expected a prefix length of at most 32, or a netmask without holes",
        "error network_data.json:25:5 networks.0.routes.1: a route lacks `network`",
        "error network_data.json:30:17 networks.0.services.0.address: expected an address of IPv4 or IPv6",
      ],
    },
  };

for (const [name, { document, ethernet, findings = [] }] of Object.entries(single)) {
  t.test(`network_data.json: ${name}`, async (t) => {
    const converted = convert(document);
    t.strictSame(converted.findings, findings);
    t.strictSame(converted.ethernets, { [phy.id]: ethernet });
  });
}

t.test("a document of nothing describes no network", async (t) => {
  for (const document of [{}, { links: [], networks: [], services: [] }, { links: null }]) {
    t.strictSame(convert(document), { ethernets: undefined, network: undefined, findings: [] });
  }
  const services = [dns("192.0.2.53")];
  t.match(convert({ services }).findings, [/services: name servers are those of a link/]);
});

t.test("bonds and VLANs are made of other links", async (t) => {
  const link = (id: string, last: string, more: { readonly [key: string]: Json } = {}) => ({
    ...{ id, type: "phy", ethernet_mac_address: `52:54:00:00:00:${last}`, ...more },
  });
  const { network, findings } = convert({
    links: [
      {
        id: "vlan7",
        type: "vlan",
        vlan_link: "bond",
        vlan_id: 7,
        vlan_mac_address: "52:54:00:00:00:04",
      },
      link("a", "01"),
      link("b", "02"),
      link("c", "03"),
      link("bond", "01", {
        type: "bond",
        bond_links: ["a", "b"],
        bond_mode: "802.3ad",
        bond_xmit_hash_policy: "layer3+4",
        bond_miimon: 100,
        mtu: 9000,
      }),
      { id: "second", type: "vlan", vlan_link: "c", vlan_id: 7, name: "storage" },
      { id: "third", type: "vlan", vlan_link: "c", vlan_id: 7 },
    ],
    networks: ["bond", "vlan7", "c"].map((id) => ({ link: id, type: "ipv4_dhcp" })),
  });
  t.strictSame(findings, []);
  const device = (last: string) => ({ match: { mac: `52:54:00:00:00:${last}` } });
  t.strictSame(network, {
    ethernets: { a: device("01"), b: device("02"), c: { ...device("03"), dhcp4: true } },
    bonds: {
      bond0: {
        interfaces: ["a", "b"],
        parameters: {
          mode: "802.3ad",
          transmitHashPolicy: "layer3+4",
          miiMonitorInterval: "100ms",
        },
        mac: "52:54:00:00:00:01",
        mtu: 9000,
        dhcp4: true,
      },
    },
    vlans: {
      vlan7: { id: 7, link: "bond0", mac: "52:54:00:00:00:04", dhcp4: true },
      storage: { id: 7, link: "c" },
      "vlan7-1": { id: 7, link: "c" },
    },
  });
});

t.test("a link that lacks what it is made of is named, and what is made of it", async (t) => {
  const { network, findings } = convert({
    links: [
      phy,
      { id: "bond", type: "bond", bond_links: [phy.id, "nowhere"] },
      { id: "over", type: "vlan", vlan_link: "bond", vlan_id: 7 },
      { id: "itself", type: "vlan", vlan_link: "itself", vlan_id: 8 },
      { id: "empty", type: "bond", bond_links: [] },
      { id: "none", type: "vlan", vlan_link: phy.id },
      { id: "odd", type: "bond", bond_links: [phy.id], bond_mode: "fast", bond_queue_id: 1 },
    ],
    networks: [{ link: "over", type: "ipv4_dhcp" }],
  });
  t.strictSame(network, {
    ethernets: { [phy.id]: { match } },
    bonds: { bond1: { interfaces: [phy.id], parameters: {} } },
  });
  t.strictSame(
    findings.map((line) => line.replace(/:\d+:\d+/, "")),
    [
      "error network_data.json links.4: a bond lacks `bond_links`",
      "error network_data.json links.5: a VLAN lacks `vlan_link` or `vlan_id`",
      "error network_data.json links.6.bond_mode: expected balance-rr, active-backup, balance-xor, broadcast, 802.3ad, balance-tlb, balance-alb",
      "warning network_data.json links.1: not translated: a link that it is made of is not among the links",
      "warning network_data.json links.2: not translated: a link that it is made of is not among the links",
      "warning network_data.json links.3: not translated: a link that it is made of is not among the links",
      "warning network_data.json networks.0: its link is not among the links",
      "warning network_data.json links.6.bond_queue_id: this part of the network config is not translated",
    ],
  );
});

t.test("links that cannot be told apart or found are errors", async (t) => {
  const { ethernets, findings } = convert({
    links: [phy, phy, { id: "x", type: "phy" }, { id: "y", ethernet_mac_address: "no" }, {}],
  });
  t.strictSame(Object.keys(ethernets ?? {}), [phy.id]);
  t.strictSame(
    findings.map((line) => line.replace(/:\d+:\d+/, "")),
    [
      "error network_data.json links.1: a link of this id stands above already",
      "error network_data.json links.4: a link lacks `id`",
      "error network_data.json links.2: a link lacks `ethernet_mac_address`, so that it cannot be found",
      "error network_data.json links.3.ethernet_mac_address: expected a MAC address such as 52:54:00:12:34:56",
    ],
  );
});

t.test("an id that is no name of the spec gets another", async (t) => {
  const ids = ["link1", "../x\n", "constructor", "__proto__", ""];
  const links = ids.map((id, index) => ({
    ...{ id, type: "phy", ethernet_mac_address: `52:54:00:00:00:0${index}` },
  }));
  const networks = ids.map((id) => ({ link: id, type: "ipv4_dhcp" }));
  const { ethernets, findings } = convert({ links, networks });
  t.strictSame(findings, []);
  t.strictSame(Object.keys(ethernets ?? {}), ["link1", "link1-0", "constructor", "link3", "link4"]);
  t.ok(Object.values(ethernets ?? {}).every(({ dhcp4 }) => dhcp4));
});

t.test(
  "whatever the document holds, our reader takes the result or an error is named",
  async (t) => {
    let runs = 0;
    const scalar = fc.oneof(
      fc.constantFrom<Json>(
        ...[
          null,
          true,
          7,
          -1,
          "",
          "a",
          mac,
          "lan0",
          "192.0.2.1",
          "::1",
          "192.0.2.0/24",
          "\n[Match]",
        ],
        ...["phy", "vlan", "bond", "ipv4", "ipv6", "ipv4_dhcp", "ipv6_slaac", "dns", "default"],
      ),
      fc.string({ unit: "grapheme" }),
    );
    const value = fc.oneof(
      scalar,
      fc.array(scalar, { maxLength: 3 }),
      fc.dictionary(fc.string(), scalar),
    );
    const keyed = (keys: readonly string[], inner: fc.Arbitrary<Json>) =>
      fc.record(Object.fromEntries(keys.map((key) => [key, inner])), { requiredKeys: [] });
    const route = keyed(["network", "netmask", "gateway"], scalar);
    const service = keyed(["type", "address"], scalar);
    const id = fc.constantFrom<Json>("a", "b", "c", 7);
    const link = fc.record(
      {
        ...{ id, type: value, mtu: value, name: value, bond_links: fc.oneof(value, fc.array(id)) },
        ...{ bond_mode: value, bond_miimon: value, vlan_link: fc.oneof(value, id), vlan_id: value },
        ethernet_mac_address: fc.constantFrom<Json>(mac, "52:54:00:00:00:02", "no"),
      },
      { requiredKeys: ["id"] },
    );
    const network = fc.record(
      {
        ...{ link: id, type: value, ip_address: value, netmask: value, gateway: value },
        ...{ routes: fc.array(route), services: fc.array(service), dns_search: value },
      },
      { requiredKeys: [] },
    );
    const document = fc.record(
      { links: fc.array(link), networks: fc.array(network), services: fc.array(service), x: value },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(document, (value) => {
        const text = JSON.stringify(value);
        if (!text.isWellFormed()) return;
        const { findings } = convert(JSON.parse(text) as Json);
        const ofReader = findings.filter((line) => /^error made/.test(line));
        runs += 1;
        if (ofReader.length > 0) throw new Error(ofReader.join("\n"));
      }),
      { numRuns: 300 },
    );
    t.ok(runs > 250, "most documents were converted");
  },
);
