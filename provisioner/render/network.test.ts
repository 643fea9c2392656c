import t from "tap";
import type { Ethernet, LinkSettings, Network } from "#generated/provisioner/spec/v1.ts";
import { everyNetwork } from "./every-network.ts";
import { networkdFiles } from "./network.ts";
import { linkKinds } from "./networkd/links.ts";
import { madeKinds } from "./networkd/match.ts";
import { type SeenInterface, selectFile } from "./networkd/select-file.ts";
import { fileOf, tryRender } from "./try-render.ts";

const device: SeenInterface = {
  ...{ kernelName: "eth0", name: "eth0", driver: "virtio_net" },
  ...{ mac: "52:54:00:12:34:56", permanentMac: "52:54:00:12:34:56" },
};
const other: SeenInterface = {
  ...{ kernelName: "em9", name: "em9", driver: "e1000e" },
  ...{ mac: "52:54:00:00:00:01", permanentMac: "52:54:00:00:00:01" },
};

/** Whether a file applies to a device. */
function applies(content: string, to: SeenInterface): boolean {
  const ending = content.includes("[Network]") ? "network" : "link";
  return selectFile([{ name: `a.${ending}`, content }], ending, to) !== undefined;
}

function files(ethernet: Ethernet, name = "eth0") {
  const made = networkdFiles({ version: 1, network: { ethernets: { [name]: ethernet } } });
  const text = (kind: string) => made.find((file) => file.name === `10-${name}.${kind}`)?.content;
  return { network: text("network") ?? "", link: text("link") ?? "" };
}

const renamed: readonly (readonly [string, Ethernet])[] = [
  ["a hardware address", { match: { mac: device.mac }, setName: "lan0" }],
  [
    "a hardware address, its name and its driver",
    { match: { mac: device.mac, name: "eth*", driver: "virtio_*" }, setName: "lan0" },
  ],
  ["a name", { match: { name: "eth*" }, setName: "lan0" }],
  ["a driver", { match: { driver: "virtio_net" }, setName: "lan0" }],
  ["the name of the entry", { setName: "lan0" }],
];

t.test("a device that gets another name keeps its network until it has it, and after", (t) => {
  for (const [by, ethernet] of renamed) {
    const { network, link } = files({ dhcp4: true, ...ethernet });
    t.ok(applies(link, device), `${by}: the device is renamed`);
    t.match(link, /\[Link\]\nName=lan0\n/);
    t.ok(applies(network, device), `${by}: before`);
    t.ok(applies(network, { ...device, name: "lan0" }), `${by}: after`);
    t.notOk(applies(network, other), `${by}: another device`);
    t.notOk(applies(link, other), `${by}: another device`);
  }
  t.end();
});

t.test("a device that keeps its name is found by everything that is said of it", (t) => {
  const { network, link } = files({ match: { mac: device.mac, name: "eth*" } });
  t.equal(link, "");
  t.ok(applies(network, device));
  t.notOk(applies(network, { ...device, name: "wan0" }));
  t.ok(applies(files({ dhcp4: true }).network, device), "by the name of the entry");
  t.end();
});

t.test("what is rendered finds its device by the same words as the bootstrap layer", (t) => {
  for (const [by, ethernet] of renamed) {
    const rendered = fileOf(
      tryRender({ network: { ethernets: { eth0: ethernet } } }),
      "firstlight/network.nix",
    );
    const [, match = ""] = /\[Match\]\n([^[]*)/.exec(files(ethernet).network) ?? [];
    const [, several, one] =
      /networks\."10-eth0" = \{\n\s*matchConfig(?: = \{([^}]*)\}|\.(.*))/.exec(rendered) ?? [];
    const lines = (several ?? one ?? "")
      .trim()
      .split("\n")
      .map((line) => line.trim().replace(/^(\w+) = "(.*)";$/, "$1=$2"));
    t.same(lines, match.trim().split("\n"), by);
  }
  t.end();
});

t.test("what has the address or the name of a device is not taken for it", async (t) => {
  const { mac } = device;
  const cases: Record<string, readonly [Network, readonly SeenInterface[]]> = {
    "a VLAN that sorts behind its device": [
      {
        ethernets: { eno1: { match: { mac }, setName: "eno1", dhcp4: true } },
        vlans: { mgmt: { id: 20, link: "eno1", addresses: ["192.0.2.5/24"] } },
      },
      [{ name: "mgmt", kernelName: "mgmt", mac, kind: "vlan" }],
    ],
    "a bridge with the address of its port": [
      {
        ethernets: { eno1: { match: { mac }, setName: "eno1" } },
        bridges: { vmbr0: { interfaces: ["eno1"], mac, dhcp4: true } },
      },
      [{ name: "vmbr0", kernelName: "vmbr0", mac, kind: "bridge" }],
    ],
    "what a pattern fits": [
      {
        ethernets: { a: { match: { name: "en*" }, wakeOnLan: true } },
        bonds: { enbond: { interfaces: ["a"] } },
        vlans: { "enbond.7": { id: 7, link: "enbond" } },
        tunnels: { entunnel: { mode: "sit", local: "192.0.2.1", remote: "192.0.2.2" } },
      },
      [
        { name: "enbond", kernelName: "enbond", mac, kind: "bond" },
        { name: "enbond.7", kernelName: "enbond.7", mac, kind: "vlan" },
        { name: "entunnel", kernelName: "entunnel", mac: "", kind: "sit" },
      ],
    ],
    "what has a driver of such a name": [
      {
        ethernets: { a: { match: { driver: "b*" }, setName: "lan0" } },
        bridges: { br0: { interfaces: ["a"] } },
      },
      [{ name: "br0", kernelName: "br0", mac, kind: "bridge", driver: "bridge" }],
    ],
  };
  for (const [name, [network, made]] of Object.entries(cases)) {
    const all = networkdFiles({ version: 1, network });
    for (const seen of made) {
      t.equal(selectFile(all, "network", seen), `10-${seen.name}.network`, name);
      t.equal(selectFile(all, "link", seen), undefined, `${name}: it keeps its name`);
    }
  }
  const { network, link } = files({ match: { mac }, setName: "lan0" });
  const container = { ...device, kind: "veth", driver: "veth" };
  t.ok(applies(network, container) && applies(link, container), "the device of a container");
});

/** The files of a network by their names, each on one line. */
function filesOf(network: Network): Record<string, string> {
  const made = networkdFiles({ version: 1, network });
  return Object.fromEntries(
    made.map(({ name, content }) => [name, content.trim().replaceAll(/\n+/g, " ")]),
  );
}

const plain = "[Network] DHCP=no";
const noneMade = `Kind=!${madeKinds.join(" ")}`;

t.test("what is no device is made, and tied to what it is made of", async (t) => {
  const cases: Record<string, { network: Network; files: Record<string, string> }> = {
    "a bond of one that is described and one that is not": {
      network: {
        ethernets: { lan: { match: { mac: device.mac }, setName: "lan0" } },
        bonds: {
          bond0: {
            interfaces: ["lan", "eth1"],
            parameters: {
              mode: "active-backup",
              primary: "lan",
              arpIpTargets: ["192.0.2.1", "192.0.2.2"],
            },
          },
        },
      },
      files: {
        "10-lan.network": `[Match] PermanentMACAddress=${device.mac} ${noneMade} [Network] DHCP=no Bond=bond0 PrimarySlave=yes`,
        "10-lan.link": `[Match] MACAddress=${device.mac} ${noneMade} [Link] Name=lan0`,
        "10-eth1.network": "[Match] Name=eth1 [Network] DHCP=no Bond=bond0",
        "10-bond0.netdev":
          "[NetDev] Name=bond0 Kind=bond [Bond] Mode=active-backup ARPIPTargets=192.0.2.1 192.0.2.2",
        "10-bond0.network": `[Match] Name=bond0 ${plain}`,
      },
    },
    "a bridge, with costs of its ports": {
      network: {
        ethernets: { lan: { setName: "lan0" } },
        bridges: {
          br0: {
            interfaces: ["lan0"],
            parameters: { stp: false, pathCost: { lan0: 50 }, portPriority: { lan0: 7 } },
          },
        },
      },
      files: {
        "10-lan.network":
          "[Match] Name=lan0 lan [Network] DHCP=no Bridge=br0 [Bridge] Cost=50 Priority=7",
        "10-lan.link": "[Match] OriginalName=lan [Link] Name=lan0",
        "10-br0.netdev": "[NetDev] Name=br0 Kind=bridge [Bridge] STP=no",
        "10-br0.network": `[Match] Name=br0 ${plain}`,
      },
    },
    "VLANs on a bond that is in a VRF": {
      network: {
        bonds: { bond0: { interfaces: [] } },
        vlans: { a: { id: 1, link: "bond0", mtu: 1400 }, b: { id: 2, link: "bond0" } },
        vrfs: { vrf0: { table: 100, interfaces: ["bond0"] } },
        dummies: { none0: { addresses: ["192.0.2.1/32"] } },
      },
      files: {
        "10-none0.netdev": "[NetDev] Name=none0 Kind=dummy",
        "10-none0.network": "[Match] Name=none0 [Network] DHCP=no Address=192.0.2.1/32",
        "10-bond0.netdev": "[NetDev] Name=bond0 Kind=bond",
        "10-bond0.network": "[Match] Name=bond0 [Network] DHCP=no VRF=vrf0 VLAN=a VLAN=b",
        "10-a.netdev": "[NetDev] Name=a Kind=vlan [VLAN] Id=1",
        "10-a.network": "[Match] Name=a [Network] DHCP=no [Link] MTUBytes=1400",
        "10-b.netdev": "[NetDev] Name=b Kind=vlan [VLAN] Id=2",
        "10-b.network": `[Match] Name=b ${plain}`,
        "10-vrf0.netdev": "[NetDev] Name=vrf0 Kind=vrf [VRF] Table=100",
        "10-vrf0.network": `[Match] Name=vrf0 ${plain}`,
      },
    },
    "tunnels; one whose key nobody has is left to the first generation": {
      network: {
        tunnels: {
          sit0: { mode: "sit", local: "192.0.2.1", remote: "192.0.2.2" },
          six: { mode: "ip6ip6", remote: "2001:db8::2" },
          vx: { mode: "vxlan", id: 7, port: 4789 },
          vx4: { mode: "vxlan", id: 4, link: "vx", remote: "239.0.0.1" },
          vx6: { mode: "vxlan", id: 6, link: "vx", remote: "FF05::1" },
          vx8: { mode: "vxlan", id: 8, link: "vx", remote: "223.0.0.1" },
          wg: { mode: "wireguard", privateKey: { secretRef: "key" } },
        },
      },
      files: {
        "10-sit0.netdev":
          "[NetDev] Name=sit0 Kind=sit [Tunnel] Independent=yes Local=192.0.2.1 Remote=192.0.2.2",
        "10-sit0.network": `[Match] Name=sit0 ${plain}`,
        "10-six.netdev":
          "[NetDev] Name=six Kind=ip6tnl [Tunnel] Independent=yes Mode=ip6ip6 Remote=2001:db8::2",
        "10-six.network": `[Match] Name=six ${plain}`,
        "10-vx.netdev":
          "[NetDev] Name=vx Kind=vxlan [VXLAN] VNI=7 Independent=yes DestinationPort=4789",
        "10-vx.network": `[Match] Name=vx ${plain} VXLAN=vx4 VXLAN=vx6 VXLAN=vx8`,
        "10-vx4.netdev": "[NetDev] Name=vx4 Kind=vxlan [VXLAN] VNI=4 Group=239.0.0.1",
        "10-vx4.network": `[Match] Name=vx4 ${plain}`,
        "10-vx6.netdev": "[NetDev] Name=vx6 Kind=vxlan [VXLAN] VNI=6 Group=FF05::1",
        "10-vx6.network": `[Match] Name=vx6 ${plain}`,
        "10-vx8.netdev": "[NetDev] Name=vx8 Kind=vxlan [VXLAN] VNI=8 Remote=223.0.0.1",
        "10-vx8.network": `[Match] Name=vx8 ${plain}`,
      },
    },
    "a pair of interfaces, made once": {
      network: { veths: { b: { peer: "a" }, a: { peer: "b" }, c: { peer: "d" } } },
      files: {
        "10-a.netdev": "[NetDev] Name=a Kind=veth [Peer] Name=b",
        "10-a.network": `[Match] Name=a ${plain}`,
        "10-b.network": `[Match] Name=b ${plain}`,
        "10-c.netdev": "[NetDev] Name=c Kind=veth [Peer] Name=d",
        "10-c.network": `[Match] Name=c ${plain}`,
      },
    },
    "a device that udev is asked for something keeps its name": {
      network: { ethernets: { eth0: { wakeOnLan: true } } },
      files: {
        "10-eth0.network": `[Match] Name=eth0 ${plain}`,
        "10-eth0.link":
          "[Match] OriginalName=eth0 [Link] NamePolicy=keep kernel database onboard slot path MACAddressPolicy=persistent WakeOnLan=magic",
      },
    },
  };
  for (const [name, { network, files }] of Object.entries(cases))
    t.strictSame(filesOf(network), files, name);
});

t.test(
  "before the first generation the machine's name servers stand with each interface",
  async (t) => {
    const spec = {
      version: 1 as const,
      network: { ethernets: { lan: { nameservers: ["192.0.2.1"] } } },
      resolver: { nameservers: ["192.0.2.53"], search: ["example.org"] },
    };
    t.match(
      networkdFiles(spec)[0]?.content,
      "DNS=192.0.2.1\n\n[Network]\nDNS=192.0.2.53\nDomains=example.org\n",
    );
    t.notMatch(fileOf(tryRender(spec), "firstlight/network.nix"), "192.0.2.53");
  },
);

t.test(
  "an image that runs NetworkManager of its own leaves these interfaces to networkd",
  async (t) => {
    const adopted = {
      kind: "adopted",
      files: [{ path: "configuration.nix", content: "{ }\n", mode: 0o644 }],
    } as const;
    const network: Network = {
      ethernets: {
        a: { match: { mac: device.mac, name: "x*" }, setName: "lan0" },
        b: { match: { driver: "e1000e" } },
        c: { match: { name: "en*" } },
        d: {},
      },
      wifis: { wlan0: { accessPoints: { open: {} } } },
      bridges: { br0: { interfaces: ["eth7"] } },
    };
    const text = fileOf(tryRender({ network }, { base: adopted }), "firstlight/network.nix");
    t.match(
      text.replaceAll(/\s+/g, " "),
      `unmanaged = [ "mac:${device.mac}" "driver:e1000e" "interface-name:en*" "interface-name:d" "interface-name:wlan0" "interface-name:br0" "interface-name:eth7" ];`,
    );
    t.match(text, "useNetworkd = lib.mkOverride 90 true;");
    t.match(text, "enable = lib.mkOverride 90 true;");
    t.notMatch(fileOf(tryRender({ network }), "firstlight/network.nix"), "unmanaged");
  },
);

t.test("what every kind of interface may say is written the same for each", async (t) => {
  const { ethernets } = structuredClone(everyNetwork) as unknown as Network;
  const { wan = {}, spare = {} } = ethernets ?? {};
  const { match: _, setName: _name, mac: _mac, ...settings } = { ...spare, ...wan };
  const common: LinkSettings = settings;
  const needed = { id: 1, link: "x", table: 7, mode: "vxlan" as const };
  const written = linkKinds.map((kind) => {
    const own =
      kind === "vlans"
        ? { id: needed.id, link: needed.link }
        : kind === "vrfs"
          ? { table: needed.table }
          : kind === "veths"
            ? { peer: needed.link }
            : kind === "tunnels"
              ? { mode: needed.mode, id: needed.id }
              : {};
    return filesOf({ [kind]: { a: { ...own, ...common } } })["10-a.network"];
  });
  t.match(written[0], /RoutingPolicyRule.*TypeOfService=8/);
  t.equal(new Set(written).size, 1);
});

t.test("interfaces that cannot be what is said of them are errors", async (t) => {
  const said = (network: Network) =>
    tryRender({ network }).findings.map(({ code, path }) => `${code} ${path}`);
  const of = (...paths: string[]) => paths.map((path) => `render/network-clash network.${path}`);
  t.same(said({ ethernets: { a: {} }, bonds: { a: {} } }), of("bonds.a"));
  t.same(said({ ethernets: { a: { setName: "x" }, b: { setName: "x" } } }), of("ethernets.b"));
  t.same(
    said({ bonds: { a: { interfaces: ["x", "a"] } }, bridges: { b: { interfaces: ["x"] } } }),
    of("bonds.a.interfaces.1", "bridges.b.interfaces.0"),
  );
  t.same(said({ vlans: { a: { id: 1, link: "a" } } }), of("vlans.a.link"));
  const tunnels = { a: { mode: "wireguard" }, b: { mode: "vxlan" }, c: { mode: "sit" } } as const;
  t.same(said({ tunnels }), of("tunnels.a", "tunnels.b"));
  const group = { mode: "vxlan", id: 7, remote: "239.0.0.1" } as const;
  t.same(said({ tunnels: { a: group } }), of("tunnels.a.remote"));
  t.same(said({ tunnels: { a: { ...group, link: "lan" } } }), []);
  t.same(
    said({
      bonds: { a: { interfaces: ["x"], parameters: { primary: "y" } } },
      bridges: { b: { interfaces: ["z"], parameters: { pathCost: { z: 1, y: 1 } } } },
    }),
    of("bonds.a.parameters.primary", "bridges.b.parameters.pathCost.y"),
  );
});
