import t from "tap";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { tryRender } from "#provisioner/render/try-render.ts";
import { linesOf, translateText } from "./sample-translation.ts";

interface Case {
  readonly config: string;
  readonly spec: Omit<Spec, "version">;
  readonly says?: readonly string[];
}

const cases: Readonly<Record<string, Case>> = {
  "a bond, its options in each spelling": {
    config: `- type: bond
  name: bond0
  mac_address: AA:BB:CC:DD:EE:FF
  mtu: 9000
  bond_interfaces: [a, b]
  params:
    bond-mode: active-backup
    bond_miimon: 100
    bond-xmit_hash_policy: layer3+4
    bond-num_grat_arp: 5
    bond-fail_over_mac: active
    bond-primary: a
    bond-primary_reselect: always
    bond-lacp-rate: 1
    bond_updelay: "20"
    bond-tlb_dynamic_lb: "1"
    bond-arp_ip_target: 192.0.2.1 192.0.2.2
    bond-slaves: none
    bond-use_carrier: 1
    bond-modde: x
  subnets: [{type: dhcp6}]
`,
    spec: {
      network: {
        bonds: {
          bond0: {
            mac: "aa:bb:cc:dd:ee:ff",
            mtu: 9000,
            interfaces: ["a", "b"],
            parameters: {
              mode: "active-backup",
              miiMonitorInterval: "100ms",
              transmitHashPolicy: "layer3+4",
              gratuitousArp: 5,
              failOverMacPolicy: "active",
              primary: "a",
              primaryReselectPolicy: "always",
              lacpRate: "fast",
              upDelay: "20ms",
              dynamicTransmitLoadBalancing: true,
              arpIpTargets: ["192.0.2.1", "192.0.2.2"],
            },
            dhcp6: true,
          },
        },
      },
    },
    says: [
      "note network/unsupported 20:5 config.0.params.bond-slaves",
      "warning network/unsupported 21:5 config.0.params.bond-use_carrier",
      "warning network/unknown-key 22:5 config.0.params.bond-modde",
    ],
  },
  "a bridge, and the interfaces it is told to wait for": {
    config: `- type: bridge
  name: br0
  bridge_interfaces: [a, b]
  params:
    bridge_ageing: 250
    bridge_bridgeprio: 22
    bridge_fd: 1
    bridge_hello: 1
    bridge_maxage: 10
    bridge_stp: 'off'
    bridge_pathcost: [a 50, b 75]
    bridge_portprio: a 28
    bridge_hw: "02:00:00:00:00:01"
    bridge_maxwait: 0
    bridge_waitport: [1 a]
`,
    spec: {
      network: {
        bridges: {
          br0: {
            interfaces: ["a", "b"],
            mac: "02:00:00:00:00:01",
            parameters: {
              ageingSeconds: 250,
              priority: 22,
              forwardDelaySeconds: 1,
              helloSeconds: 1,
              maxAgeSeconds: 10,
              stp: false,
              pathCost: { a: 50, b: 75 },
              portPriority: { a: 28 },
            },
          },
        },
      },
    },
    says: [
      "note network/unsupported 16:5 config.0.params.bridge_maxwait",
      "note network/unsupported 17:5 config.0.params.bridge_waitport",
    ],
  },
  "a VLAN, InfiniBand, and a device that stays when networkd goes": {
    config: `- {type: vlan, name: a.7, vlan_link: a, vlan_id: 7, mtu: 1400, mac_address: "02:00:00:00:00:07"}
- {type: infiniband, name: ib0, mac_address: "a0:00:02:20:fe:80:00:00:00:00:00:00:ec:0d:9a:03:00:15:e2:c1"}
- {type: physical, name: a, keep_configuration: true, wakeonlan: true, optional: true, mtu: null}
`,
    spec: {
      network: {
        vlans: { "a.7": { id: 7, link: "a", mtu: 1400, mac: "02:00:00:00:00:07" } },
        ethernets: {
          ib0: {
            match: { mac: "a0:00:02:20:fe:80:00:00:00:00:00:00:ec:0d:9a:03:00:15:e2:c1" },
            setName: "ib0",
          },
          a: { critical: true, wakeOnLan: true, optional: true },
        },
      },
    },
  },
  "subnets of every type": {
    config: `- type: physical
  name: a
  mtu: 9000
  subnets:
    - {type: dhcp, metric: 7, control: hotplug}
    - {type: ipv6_dhcpv6-stateless}
    - {type: static, address: 192.0.2.10, netmask: 255.255.255.0, broadcast: 192.0.2.255, gateway: 198.51.100.1, metric: 9, ipv4: true, mtu: 1500}
    - {type: static, address: 192.0.2.11/32, pointopoint: 192.0.2.1}
    - {type: static6, address: "2001:db8::1", mtu: 1400, dns_nameservers: "2001:db8::53 192.0.2.53"}
    - {type: ipv6_slaac, address: 192.0.2.9}
`,
    spec: {
      network: {
        ethernets: {
          a: {
            mtu: 9000,
            dhcp4: true,
            dhcp6: true,
            dhcp4Overrides: { routeMetric: 7 },
            addresses: ["192.0.2.10/24", "192.0.2.11/32", "2001:db8::1/64"],
            addressOptions: {
              "192.0.2.10/24": { broadcast: "192.0.2.255" },
              "192.0.2.11/32": { peer: "192.0.2.1" },
            },
            routes: [{ to: "default", via: "198.51.100.1", onLink: true, metric: 9 }],
            ipv6Mtu: 1400,
            nameservers: ["2001:db8::53", "192.0.2.53"],
            acceptRa: true,
          },
        },
      },
    },
    says: [
      "note network/unsupported 9:137 config.0.subnets.2.mtu",
      "warning network/unsupported 12:26 config.0.subnets.5.address",
    ],
  },
  "a route that names no interface is that one's whose network has its gateway": {
    config: `- {type: route, destination: 10.0.0.0/8, gateway: 192.0.2.1, metric: 3}
- {type: route, network: 10.0.0.0, netmask: 255.0.0.0, gateway: 203.0.113.1}
- {type: physical, name: a, subnets: [{type: static, address: 198.51.100.2/24}]}
- {type: vlan, name: b, vlan_link: a, vlan_id: 2, subnets: [{type: static, address: 192.0.2.2/24}]}
`,
    spec: {
      network: {
        ethernets: { a: { addresses: ["198.51.100.2/24"] } },
        vlans: {
          b: {
            id: 2,
            link: "a",
            addresses: ["192.0.2.2/24"],
            routes: [{ to: "10.0.0.0/8", via: "192.0.2.1", metric: 3 }],
          },
        },
      },
    },
    says: ["warning network/unsupported 4:3 config.1"],
  },
  "what stands under the loopback is the machine's": {
    config: `- type: loopback
  name: lo
  subnets: [{type: loopback, dns_nameservers: [192.0.2.53], dns_search: example.org}]
- {type: loopback, name: lo, subnets: [{type: static, address: 192.0.2.7/32}]}
`,
    spec: {
      resolver: { nameservers: ["192.0.2.53"], search: ["example.org"] },
      network: { ethernets: { lo: { addresses: ["192.0.2.7/32"] } } },
    },
  },
};

for (const [name, { config, spec: expected, says = [] }] of Object.entries(cases)) {
  t.test(`version 1: ${name}`, async (t) => {
    const bytes = Buffer.from(`version: 1\nconfig:\n${config}`);
    const networkConfig = { document: "network-config", bytes };
    const translation = translateText("#firstlight\n", {}, { networkConfig });
    t.strictSame(translation.spec, { version: 1, ...expected });
    t.strictSame(linesOf(translation), says);
  });
}

t.test("of several name servers the one that is none is pointed at", async (t) => {
  const link = "{type: physical, name: a, subnets: [{type: dhcp4, dns_nameservers: ";
  const good = "[192.0.2.53, '192.0.2.53:5353#dns.example', '[2001:db8::53]:853', 'fe80::53%eth0']";
  /** Entries, and what is wrong in them: how it begins, and its path. */
  const cases: Readonly<Record<string, readonly (readonly [bad: string, path: string])[]>> = {
    [`${link}${good}}]}`]: [],
    [`${link}''}]}`]: [],
    [`${link}[192.0.2.53, nope, 2001:db8::53]}]}`]: [
      ["nope", "config.0.subnets.0.dns_nameservers.1"],
    ],
    [`${link}192.0.2.53 192.0.2.0/24}]}`]: [["192.0.2.53 ", "config.0.subnets.0.dns_nameservers"]],
    [`${link}"192.0.2.53\n\n    bad"}]}`]: [["bad", "config.0.subnets.0.dns_nameservers"]],
    "{type: nameserver, address: [192.0.2.53, '192.0.2.53:x', dns.example]}": [
      ["'192.0.2.53:x", "config.0.address.1"],
      ["dns.example", "config.0.address.2"],
    ],
  };
  for (const [entry, bad] of Object.entries(cases)) {
    const text = `{version: 1, config: [${entry}]}`;
    const networkConfig = { document: "network-config", bytes: Buffer.from(text) };
    const { spec, findings } = translateText("#cloud-config\n", {}, { networkConfig });
    const says = bad.map(([begin, path]) => {
      const before = text.slice(0, text.indexOf(begin)).split("\n");
      return `error network/invalid ${before.length}:${(before.at(-1) ?? "").length + 1} ${path}`;
    });
    t.same(linesOf({ findings }), says, entry);
    const refused = tryRender(spec).findings.filter(({ level }) => level === "error");
    t.same(refused, [], "the others are used");
  }
});
