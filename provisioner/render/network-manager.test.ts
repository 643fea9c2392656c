import t from "tap";
import type { Network } from "#generated/provisioner/spec/v1.ts";
import { everyManagedNetwork } from "./every-managed-network.ts";
import { everyNetwork } from "./every-network.ts";
import { managerProfiles } from "./network-manager/profiles.ts";
import type { KeyfileValue } from "./network-manager/sections.ts";
import type { Unsaid } from "./network-manager/tell.ts";
import { fileOf, tryRender } from "./try-render.ts";

interface Said {
  readonly profiles: Readonly<Record<string, Readonly<Record<string, KeyfileValue>>>>;
  readonly unsaid: readonly Unsaid[];
}

/** Profiles by their names, each with its settings: `ipv4.method`. */
function said(network: Network): Said {
  const unsaid: Unsaid[] = [];
  const profiles = managerProfiles(network, (each) => unsaid.push(each)).map(
    ({ name, sections }) => {
      const settings = sections.flatMap((section) =>
        section.settings.map(([key, value]) => [`${section.name}.${key}`, value] as const),
      );
      return [name, Object.fromEntries(settings)] as const;
    },
  );
  return { profiles: Object.fromEntries(profiles), unsaid };
}

type Settings = NonNullable<NonNullable<Network["ethernets"]>[string]>;

const methods: readonly (readonly [string, Settings, string, string])[] = [
  ["nothing is said", {}, "disabled", "ignore"],
  ["DHCP of IPv4", { dhcp4: true }, "auto", "auto"],
  ["DHCP of IPv4, and no routers", { dhcp4: true, acceptRa: false }, "auto", "link-local"],
  ["DHCP of IPv6", { dhcp6: true }, "disabled", "auto"],
  ["DHCP of IPv6, and no routers", { dhcp6: true, acceptRa: false }, "disabled", "dhcp"],
  ["an address of IPv4", { addresses: ["192.0.2.1/24"] }, "manual", "auto"],
  ["an address of IPv6", { addresses: ["2001:db8::1/64"] }, "disabled", "manual"],
  ["it, and routers", { addresses: ["2001:db8::1/64"], acceptRa: true }, "disabled", "auto"],
  ["a link-local address of IPv4", { linkLocal: ["ipv4"] }, "link-local", "disabled"],
  ["none at all", { dhcp4: true, linkLocal: [] }, "auto", "disabled"],
  ["a route of IPv6", { routes: [{ to: "2001:db8:1::/48", via: "fe80::1" }] }, "disabled", "auto"],
];

t.test("where addresses come from", async (t) => {
  for (const [name, settings, four, six] of methods) {
    const { profiles, unsaid } = said({ ethernets: { eth0: settings } });
    t.match(profiles["firstlight-eth0"], { "ipv4.method": four, "ipv6.method": six }, name);
    t.same(unsaid, [], name);
  }
});

const left: readonly (readonly [Network, ...string[]])[] = [
  [{ ethernets: { a: { optional: true } } }, "ethernets.a.optional"],
  [{ ethernets: { a: { requiredState: "carrier" } } }, "ethernets.a.requiredState"],
  [{ ethernets: { a: { activation: "off" } } }, "ethernets.a.activation"],
  [{ ethernets: { a: { ignoreCarrier: true } } }, "ethernets.a.ignoreCarrier"],
  [{ ethernets: { a: { emitLldp: true } } }, "ethernets.a.emitLldp"],
  [{ ethernets: { a: { bridgePort: { learning: false } } } }, "ethernets.a.bridgePort.learning"],
  [{ ethernets: { a: { addresses: ["2001:db8::1/64"], linkLocal: [] } } }, "ethernets.a.linkLocal"],
  [
    { ethernets: { a: { ipv6Privacy: true, ipv6Mtu: 1400 } } },
    "ethernets.a.ipv6Privacy",
    "ethernets.a.ipv6Mtu",
  ],
  [
    { ethernets: { a: { dhcp4: true, ipv6AddressToken: "2001:db8::1" } } },
    "ethernets.a.ipv6AddressToken",
  ],
  [
    {
      ethernets: {
        a: { dhcp4: true, ipv6AddressToken: "::1", ipv6AddressGeneration: "stable-privacy" },
      },
    },
    "ethernets.a.ipv6AddressToken",
  ],
  [
    {
      ethernets: {
        a: {
          addresses: ["192.0.2.1/24"],
          addressOptions: { "192.0.2.1/24": { label: "a:b", lifetime: "forever" } },
        },
      },
    },
    "ethernets.a.addressOptions.192.0.2.1/24.label",
  ],
  [{ ethernets: { a: { search: ["example.org"] } } }, "ethernets.a.search"],
  [{ ethernets: { a: { nameservers: ["192.0.2.53"] } } }, "ethernets.a.nameservers.0"],
  [
    { ethernets: { a: { dhcp4: true, nameservers: ["192.0.2.53:53", "fe80::1%eth0"] } } },
    "ethernets.a.nameservers.0",
    "ethernets.a.nameservers.1",
  ],
  [{ ethernets: { a: { routes: [{ to: "192.0.2.0/24" }] } } }, "ethernets.a.routes.0"],
  [
    {
      ethernets: {
        a: {
          dhcp4: true,
          routes: [
            { to: "192.0.2.0/24", via: "_dhcp4" },
            { to: "192.0.2.0/24", via: "2001:db8::1" },
            { to: "192.0.2.0/24", type: "nat" },
            { to: "2001:db8::/32", scope: "host" },
          ],
        },
      },
    },
    "ethernets.a.routes.0.via",
    "ethernets.a.routes.1.via",
    "ethernets.a.routes.2.type",
    "ethernets.a.routes.3.scope",
  ],
  [
    {
      ethernets: {
        a: {
          dhcp4: true,
          dhcp4Overrides: { useNtp: true, useMtu: false, useDomains: "route" },
          dhcp6Overrides: { useDns: false, useHostname: true },
          raOverrides: { useDns: true },
        },
      },
    },
    "ethernets.a.dhcp4Overrides.useNtp",
    "ethernets.a.dhcp4Overrides.useMtu",
    "ethernets.a.dhcp4Overrides.useDomains",
    "ethernets.a.raOverrides.useDns",
  ],
  [
    {
      ethernets: {
        a: {
          dhcp4: true,
          dhcp4Overrides: { useHostname: true },
          dhcp6Overrides: { useHostname: false },
        },
      },
    },
    "ethernets.a.dhcp6Overrides.useHostname",
  ],
  [
    { ethernets: { a: { infinibandMode: "datagram", mac: "52:54:00:12:34:56" } } },
    "ethernets.a.mac",
  ],
  [
    { ethernets: { a: { dhcp4: true } }, bonds: { b: { interfaces: ["a"], dhcp4: true } } },
    "ethernets.a.dhcp4",
  ],
  [
    { ethernets: { a: { addresses: ["192.0.2.1/24"] } }, bridges: { b: { interfaces: ["a"] } } },
    "ethernets.a.addresses",
  ],
  [{ wifis: { a: {} } }, "wifis.a"],
  [{ wifis: { a: { accessPoints: { x: { keyManagement: "sae" } } } } }, "wifis.a.accessPoints.x"],
  [
    {
      wifis: {
        a: { accessPoints: { x: { keyManagement: "none", password: { secretRef: "x" } } } },
      },
    },
    "wifis.a.accessPoints.x.password",
  ],
  [
    { wifis: { a: { accessPoints: { x: { priority: 1000 } } } } },
    "wifis.a.accessPoints.x.priority",
  ],
  [
    { bonds: { a: { parameters: { arpIpTargets: ["192.0.2.1"] } } } },
    "bonds.a.parameters.arpIpTargets",
  ],
  [{ bonds: { a: { parameters: { arpInterval: "1s" } } } }, "bonds.a.parameters.arpInterval"],
  [
    { bonds: { a: { parameters: { miiMonitorInterval: "0ms", upDelay: "1s" } } } },
    "bonds.a.parameters.upDelay",
  ],
  [
    {
      ethernets: { x: { match: { mac: "52:54:00:12:34:56" } } },
      bonds: { a: { interfaces: ["x"], parameters: { mode: "active-backup", primary: "x" } } },
    },
    "bonds.a.parameters.primary",
  ],
  [
    { bridges: { a: { parameters: { forwardDelaySeconds: 1, maxAgeSeconds: 50 } } } },
    "bridges.a.parameters.forwardDelaySeconds",
    "bridges.a.parameters.maxAgeSeconds",
  ],
  [{ vrfs: { a: { table: 7, mtu: 1400, mac: "52:54:00:12:34:56" } } }, "vrfs.a.mac", "vrfs.a.mtu"],
  [{ tunnels: { a: { mode: "gre" } } }, "tunnels.a"],
  [{ tunnels: { a: { mode: "ip6gre", remote: "192.0.2.1" } } }, "tunnels.a"],
  [{ tunnels: { a: { mode: "vti", remote: "192.0.2.1", inputKey: "1" } } }, "tunnels.a.inputKey"],
  [
    { tunnels: { a: { mode: "sit", remote: "192.0.2.1", dhcp6: true, mac: "52:54:00:12:34:56" } } },
    "tunnels.a.dhcp6",
    "tunnels.a.mac",
  ],
];

t.test("what NetworkManager has no word for is told where it stands", async (t) => {
  for (const [network, ...paths] of left) {
    const { unsaid } = said(network);
    t.same(
      unsaid.map(({ path }) => path.slice(1).join(".")).sort(),
      [...paths].sort(),
      paths.join(", "),
    );
  }
});

t.test("as a finding with its line, and the way to have it", async (t) => {
  const network: Network = {
    renderer: "NetworkManager",
    ethernets: { lan: { dhcp4: true, emitLldp: true, optional: true } },
  };
  const path = "network.ethernets.lan";
  const origins = new Map([
    [`${path}.emitLldp`, { document: "network-config", line: 7, column: 5 }],
  ]);
  t.match(tryRender({ network }, { origins }).findings, [
    { path: `${path}.optional`, level: "note", hint: null },
    {
      ...{ document: "network-config", path: `${path}.emitLldp`, line: 7, level: "warning" },
      ...{ code: "render/network-manager", hint: /renderer: networkd/ },
    },
  ]);
});

t.test("a dollar sign is a variable to NixOS: it stands in no profile", async (t) => {
  for (const match of [{ name: "en$HOME" }, { driver: "a $b" }]) {
    const { profiles, unsaid } = said({ ethernets: { lan: { match, dhcp4: true } } });
    t.same(profiles, {});
    t.match(unsaid, [{ path: ["network", "ethernets", "lan"], level: "error" }]);
  }
  const { profiles } = said({ wifis: { w: { accessPoints: { $HOME: {} } } } });
  const [[name, wifi] = ["", {}]] = Object.entries(profiles);
  t.notMatch(name, "$");
  t.same(
    wifi["wifi.ssid"],
    [..."$HOME"].map((char) => String(char.charCodeAt(0))),
  );
});

t.test("the SSIDs of one interface are profiles of their own, by names that differ", async (t) => {
  const { profiles } = said({
    wifis: { w: { accessPoints: { "a b": {}, "a-b": {}, "a/b": {}, 日本: {}, "123": {} } } },
  });
  const names = Object.keys(profiles);
  t.equal(names.length, 5);
  for (const name of names) t.match(name, /^firstlight-w\+[A-Za-z0-9+._-]+$/);
  t.equal(new Set(names.map((name) => profiles[name]?.["connection.uuid"])).size, 5);
  const alike = { ethernets: { "w-x": {} }, wifis: { w: { accessPoints: { x: {} } } } };
  t.same(Object.keys(said(alike).profiles), ["firstlight-w+x", "firstlight-w-x"]);
});

t.test("the order of a document is nothing to the profiles", async (t) => {
  const turned = (value: unknown): unknown =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(
          Object.entries(value)
            .reverse()
            .map(([key, inner]) => [key, turned(inner)]),
        )
      : value;
  const network = structuredClone(everyManagedNetwork) as unknown as Network;
  const text = (of: Network) => fileOf(tryRender({ network: of }), "firstlight/network.nix");
  t.equal(text(turned(network) as Network), text(network));
});

t.test("no network goes to both, nor its secrets", async (t) => {
  const network = structuredClone(everyNetwork) as unknown as Network;
  const files = (renderer: NonNullable<Network["renderer"]>) => {
    const result = tryRender({ network: { ...network, renderer } });
    return `${fileOf(result, "firstlight/network.nix")}${fileOf(result, "firstlight/instance.nix")}`;
  };
  const byManager = /ensureProfiles|_network-manager|networkmanager/;
  const byNetworkd =
    /systemd\.network\.(networks|netdevs)|\bnetworks = |\bnetdevs = |_wireless|wireless = |useNetworkd/;
  t.match(files("networkd"), byNetworkd);
  t.notMatch(files("networkd"), byManager);
  t.match(files("NetworkManager"), byManager);
  t.notMatch(files("NetworkManager"), byNetworkd);
});
