import { readFileSync } from "node:fs";
import t from "tap";
import type { Network } from "#generated/provisioner/spec/v1.ts";
import { tryRender } from "#provisioner/render/try-render.ts";
import { linesOf, secretText, translateText } from "./sample-translation.ts";

function network(text: string) {
  const networkConfig = { document: "network-config", bytes: Buffer.from(`version: 2\n${text}`) };
  return translateText("#firstlight\n", {}, { networkConfig });
}

interface Case {
  readonly yaml: string;
  readonly network: Network;
  readonly says?: readonly string[];
}

const key = "YAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
const shared = "7voRZ/ojfXgfPOlswo3Lpma1RJq7qijIEEUEMShQFV8=";
const publicKey = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

const cases: Readonly<Record<string, Case>> = {
  "everything that netplan lets an interface say": {
    yaml: `ethernets:
  lan:
    dhcp4: true
    dhcp6: true
    dhcp-identifier: mac
    dhcp4-overrides: {use-domains: route, send-hostname: true, hostname: edge, use-routes: false, use-mtu: no, use-hostname: false, use-ntp: false}
    dhcp6-overrides: {use-domains: false}
    ra-overrides: {use-dns: false, use-domains: true, table: 7}
    link-local: [ipv4]
    ipv6-privacy: true
    ipv6-address-generation: stable-privacy
    ipv6-address-token: "::2"
    ipv6-mtu: 1400
    macaddress: "52:54:00:AB:CD:EF"
    mtu: 1500
    critical: true
    ignore-carrier: true
    emit-lldp: true
    activation-mode: manual
    wakeonlan: true
    hairpin: true
    port-mac-learning: false
    neigh-suppress: true
    match: {driver: [bcmgenet, "smsc*"], macaddress: "52:54:00:AB:CD:EE"}
    infiniband-mode: connected
    receive-checksum-offload: true
    large-receive-offload: false
    routes:
      - {to: 198.51.100.0/24, via: 192.0.2.1, from: 192.0.2.10, table: 7, mtu: 1400, advertised-mss: 1360, scope: link, type: unicast, congestion-window: 10, advertised-receive-window: 20}
    routing-policy:
      - {from: 192.0.2.10, to: 198.51.100.0/24, table: 7, priority: 5, mark: 3, type-of-service: 8}
`,
    network: {
      ethernets: {
        lan: {
          dhcp4: true,
          dhcp6: true,
          dhcpIdentifier: "mac",
          dhcp4Overrides: {
            useDomains: "route",
            sendHostname: true,
            hostname: "edge",
            useRoutes: false,
            useMtu: false,
            useHostname: false,
            useNtp: false,
          },
          dhcp6Overrides: { useDomains: "no" },
          raOverrides: { useDns: false, useDomains: "yes", table: 7 },
          linkLocal: ["ipv4"],
          ipv6Privacy: true,
          ipv6AddressGeneration: "stable-privacy",
          ipv6AddressToken: "::2",
          ipv6Mtu: 1400,
          mac: "52:54:00:ab:cd:ef",
          mtu: 1500,
          critical: true,
          ignoreCarrier: true,
          emitLldp: true,
          activation: "manual",
          wakeOnLan: true,
          bridgePort: { hairpin: true, learning: false, neighborSuppression: true },
          match: { driver: "bcmgenet smsc*", mac: "52:54:00:ab:cd:ee" },
          infinibandMode: "connected",
          offload: { receiveChecksum: true, largeReceive: false },
          routes: [
            {
              to: "198.51.100.0/24",
              via: "192.0.2.1",
              from: "192.0.2.10",
              table: 7,
              mtu: 1400,
              advertisedMss: 1360,
              scope: "link",
              type: "unicast",
              congestionWindow: 10,
              advertisedReceiveWindow: 20,
            },
          ],
          routingPolicy: [
            {
              from: "192.0.2.10/32",
              to: "198.51.100.0/24",
              table: 7,
              priority: 5,
              mark: 3,
              typeOfService: 8,
            },
          ],
        },
      },
    },
  },
  "a gateway that no address' network holds is on the link": {
    yaml: `ethernets:
  lan: {addresses: [192.0.2.10/32, "2001:db8::1/64"], gateway4: 198.51.100.1, gateway6: "fe80::1"}
`,
    network: {
      ethernets: {
        lan: {
          addresses: ["192.0.2.10/32", "2001:db8::1/64"],
          routes: [
            { to: "default", via: "198.51.100.1", onLink: true },
            { to: "default", via: "fe80::1" },
          ],
        },
      },
    },
  },
  "one name server, without a list": {
    yaml: "ethernets: {lan: {nameservers: {addresses: 192.0.2.53, search: example.org}}}\n",
    network: { ethernets: { lan: { nameservers: ["192.0.2.53"], search: ["example.org"] } } },
  },
  "a bond with every parameter": {
    yaml: `bonds:
  bond0:
    interfaces: [a, b]
    parameters:
      mode: 4
      lacp-rate: fast
      mii-monitor-interval: 100
      min-links: 1
      transmit-hash-policy: layer3+4
      ad-select: bandwidth
      all-slaves-active: true
      arp-interval: 1s
      arp-ip-targets: [192.0.2.1]
      arp-validate: all
      arp-all-targets: any
      up-delay: "200"
      down-delay: 200
      fail-over-mac-policy: follow
      gratuitious-arp: 3
      packets-per-slave: 4
      primary: a
      primary-reselect-policy: better
      resend-igmp: 2
      learn-packet-interval: 5
`,
    network: {
      bonds: {
        bond0: {
          interfaces: ["a", "b"],
          parameters: {
            mode: "802.3ad",
            lacpRate: "fast",
            miiMonitorInterval: "100ms",
            minLinks: 1,
            transmitHashPolicy: "layer3+4",
            adSelect: "bandwidth",
            allMembersActive: true,
            arpInterval: "1s",
            arpIpTargets: ["192.0.2.1"],
            arpValidate: "all",
            arpAllTargets: "any",
            upDelay: "200ms",
            downDelay: "200ms",
            failOverMacPolicy: "follow",
            gratuitousArp: 3,
            packetsPerMember: 4,
            primary: "a",
            primaryReselectPolicy: "better",
            resendIgmp: 2,
            learnPacketInterval: "5s",
          },
        },
      },
    },
  },
  "a bridge, a VLAN, a dummy and a VRF": {
    yaml: `bridges:
  br0:
    interfaces: [a]
    parameters: {stp: no, priority: 7, ageing-time: 250, forward-delay: 4s, hello-time: 2, max-age: "12", path-cost: {a: 50}, port-priority: {a: 7}}
vlans:
  a.7: {id: 7, link: a, dhcp4: true}
virtual-ethernets: {ve0: {peer: ve1}}
dummy-devices:
  dm0: {addresses: [192.0.2.1/32]}
vrfs:
  red:
    table: 100
    interfaces: [br0]
    routes: [{to: default, via: 192.0.2.1}]
    routing-policy: [{from: 192.0.2.0/24}]
`,
    network: {
      bridges: {
        br0: {
          interfaces: ["a"],
          parameters: {
            stp: false,
            priority: 7,
            ageingSeconds: 250,
            forwardDelaySeconds: 4,
            helloSeconds: 2,
            maxAgeSeconds: 12,
            pathCost: { a: 50 },
            portPriority: { a: 7 },
          },
        },
      },
      vlans: { "a.7": { id: 7, link: "a", dhcp4: true } },
      veths: { ve0: { peer: "ve1" } },
      dummies: { dm0: { addresses: ["192.0.2.1/32"] } },
      vrfs: {
        red: {
          table: 100,
          interfaces: ["br0"],
          routes: [{ to: "default", via: "192.0.2.1", table: 100 }],
          routingPolicy: [{ from: "192.0.2.0/24", table: 100 }],
        },
      },
    },
  },
  tunnels: {
    yaml: `tunnels:
  gre1: {mode: gre, local: 192.0.2.1, remote: 192.0.2.2, ttl: 64, key: 7}
  vti1: {mode: vti, keys: {input: 1.2.3.4, output: 9}}
  vx1: {mode: vxlan, id: 5, link: lan, port: 4789, mac-learning: false}
  wg0:
    mode: wireguard
    key: ${key}
    port: 51820
    mark: 42
    addresses: [203.0.113.1/24]
    peers:
      - keys: {public: "${publicKey}", shared: "${shared}"}
        allowed-ips: [203.0.113.0/24, 198.51.100.7]
        endpoint: "vpn.example.org:51820"
        keepalive: 25
`,
    network: {
      tunnels: {
        gre1: {
          mode: "gre",
          local: "192.0.2.1",
          remote: "192.0.2.2",
          ttl: 64,
          inputKey: "7",
          outputKey: "7",
        },
        vti1: { mode: "vti", inputKey: "1.2.3.4", outputKey: "9" },
        vx1: { mode: "vxlan", id: 5, link: "lan", port: 4789, macLearning: false },
        wg0: {
          mode: "wireguard",
          privateKey: { secretRef: "network-wg0-private-key" },
          listenPort: 51_820,
          mark: 42,
          addresses: ["203.0.113.1/24"],
          peers: [
            {
              publicKey,
              presharedKey: { secretRef: "network-wg0-peer-0" },
              allowedIps: ["203.0.113.0/24", "198.51.100.7/32"],
              endpoint: "vpn.example.org:51820",
              keepalive: 25,
            },
          ],
        },
      },
    },
    says: [
      "note network/closed 3:16 tunnels.gre1.mode",
      "note network/closed 4:16 tunnels.vti1.mode",
    ],
  },
  "keys of a tunnel, as a text or by what they are for, under either name": {
    yaml: `tunnels:
  gre1: {mode: gre, key: {input: 7, output: 8}}
  gre2: {mode: gre, keys: 9}
  wg0: {mode: wireguard, key: {private: ${key}, private-key-flags: [agent-owned]}}
  wg1: {mode: wireguard, keys: ${key}}
`,
    network: {
      tunnels: {
        gre1: { mode: "gre", inputKey: "7", outputKey: "8" },
        gre2: { mode: "gre", inputKey: "9", outputKey: "9" },
        wg0: { mode: "wireguard", privateKey: { secretRef: "network-wg0-private-key" } },
        wg1: { mode: "wireguard", privateKey: { secretRef: "network-wg1-private-key" } },
      },
    },
    says: [
      "note network/closed 3:16 tunnels.gre1.mode",
      "note network/closed 4:16 tunnels.gre2.mode",
      "note network/unsupported 5:87 tunnels.wg0.key.private-key-flags",
    ],
  },
  "an interface of WireGuard without its key": {
    yaml: "tunnels: {wg0: {mode: wireguard}, wg1: {mode: wireguard, keys: {}}, wg2: {mode: wireguard, key: {input: 7}}}\ndummy-devices: {d: {}}\n",
    network: { dummies: { d: {} } },
    says: [
      "error network/invalid 2:16 tunnels.wg0",
      "error network/invalid 2:40 tunnels.wg1",
      "error network/invalid 2:74 tunnels.wg2",
    ],
  },
  "a WLAN": {
    yaml: `wifis:
  wlan0:
    dhcp4: true
    match: {driver: "ath*"}
    set-name: wlan9
    wakeonlan: true
    regulatory-domain: ch
    access-points:
      "my net": {password: "12345678", hidden: true, bssid: "02:00:00:00:00:01"}
      open: {}
      new: {auth: {key-management: sae, password: "87654321"}, band: 5GHz}
      work: {auth: {key-management: eap, identity: me, password: "secret77"}}
      mine: {mode: ap, password: "secret77"}
`,
    network: {
      wifis: {
        wlan0: {
          dhcp4: true,
          match: { driver: "ath*" },
          setName: "wlan9",
          regulatoryDomain: "CH",
          accessPoints: {
            "my net": {
              password: { secretRef: "network-wlan0-my-net" },
              hidden: true,
              bssid: "02:00:00:00:00:01",
            },
            open: {},
            new: { keyManagement: "sae", password: { secretRef: "network-wlan0-new" } },
          },
        },
      },
    },
    says: [
      "warning network/unknown-key 7:5 wifis.wlan0.wakeonlan",
      "warning network/unsupported 12:64 wifis.wlan0.access-points.new.band",
      "warning network/unsupported 13:14 wifis.wlan0.access-points.work.auth",
      "warning network/unsupported 14:14 wifis.wlan0.access-points.mine.mode",
    ],
  },
  "a key that is none is named with the one it looks like": {
    yaml: `ethernets:
  lan:
    dhpc4: true
    match: {mac: x}
    nameservers: {adresses: [192.0.2.53]}
bonds:
  bond0: {interfaces: [lan], parameters: {mod: 1}}
wlans: {}
`,
    network: {
      ethernets: { lan: { match: {} } },
      bonds: { bond0: { interfaces: ["lan"], parameters: {} } },
    },
    says: [
      "warning network/unknown-key 4:5 ethernets.lan.dhpc4",
      "warning network/unknown-key 5:13 ethernets.lan.match.mac",
      "warning network/unknown-key 6:19 ethernets.lan.nameservers.adresses",
      "warning network/unknown-key 8:43 bonds.bond0.parameters.mod",
      "warning network/unknown-key 9:1 wlans",
    ],
  },
  "what cannot be made without what it lacks": {
    yaml: `virtual-ethernets: {a: {}}
vlans: {v: {id: 7}, w: {id: 5000, link: a}}
vrfs: {r: {}}
tunnels:
  t: {local: 192.0.2.1}
  u: {mode: teredo}
  v: {mode: vxlan}
  w: {mode: wireguard, peers: [{}]}
  x: {mode: wireguard, key: /etc/key}
  y: {mode: wireguard, key: short}
`,
    network: {},
    says: [
      "error network/invalid 2:24 virtual-ethernets.a",
      "error network/invalid 3:12 vlans.v",
      "error network/invalid 3:29 vlans.w.id",
      "error network/invalid 4:11 vrfs.r",
      "error network/invalid 6:6 tunnels.t",
      "error network/invalid 7:13 tunnels.u.mode",
      "error network/invalid 8:6 tunnels.v",
      "error network/invalid 9:6 tunnels.w",
      "error network/invalid 9:32 tunnels.w.peers.0",
      "warning network/unsupported 10:24 tunnels.x.key",
      "error network/invalid 11:29 tunnels.y.key",
    ],
  },
};

for (const [name, { yaml, network: expected, says = [] }] of Object.entries(cases)) {
  t.test(`version 2: ${name}`, async (t) => {
    const translation = network(yaml);
    t.strictSame(translation.spec.network ?? {}, expected);
    t.strictSame(linesOf(translation), says);
  });
}

const renderers: Readonly<Record<string, Case>> = {
  "for all": {
    yaml: "ethernets: {a: {}}\nrenderer: NetworkManager\n",
    network: { renderer: "NetworkManager", ethernets: { a: {} } },
  },
  "for a kind of interfaces, and for one": {
    yaml: "ethernets: {renderer: networkd, a: {renderer: networkd}}\n",
    network: { renderer: "networkd", ethernets: { a: {} } },
  },
  "another one for some": {
    yaml: "ethernets: {a: {renderer: networkd}}\nwifis: {renderer: networkd}\nrenderer: network-manager\n",
    network: { renderer: "NetworkManager", ethernets: { a: {} } },
    says: [
      "warning network/unsupported 2:17 ethernets.a.renderer",
      "warning network/unsupported 3:9 wifis.renderer",
    ],
  },
  "an interface of that name": {
    yaml: "ethernets: {renderer: {dhcp4: true}}\n",
    network: { ethernets: { renderer: { dhcp4: true } } },
  },
  "one that is none, and none": {
    yaml: "renderer: ifupdown\nethernets: {a: {renderer: }, b: {renderer: [networkd]}}\n",
    network: { ethernets: { a: {}, b: {} } },
    says: [
      "warning network/unsupported 2:1 renderer",
      "warning network/unsupported 3:34 ethernets.b.renderer",
    ],
  },
};

for (const [name, { yaml, network: expected, says = [] }] of Object.entries(renderers)) {
  t.test(`what sets it up: ${name}`, async (t) => {
    const translation = network(yaml);
    t.strictSame(translation.spec.network ?? {}, expected);
    t.strictSame(linesOf(translation), says);
  });
}

t.test("what sets it up is the user-data's word first", async (t) => {
  const text = "version: 2\nrenderer: networkd\nethernets: {a: {dhcp4: true}}\n";
  const networkConfig = { document: "network-config", bytes: Buffer.from(text) };
  const said = "#firstlight\nnetwork: {renderer: NetworkManager}\n";
  const translation = translateText(said, {}, { networkConfig });
  t.strictSame(translation.spec.network, {
    renderer: "NetworkManager",
    ethernets: { a: { dhcp4: true } },
  });
  t.strictSame(linesOf(translation), ["warning network/unsupported 2:1 renderer"]);
});

t.test("keys and passwords are secrets, each under a name of its own", async (t) => {
  const tunnels = network(cases["tunnels"]?.yaml ?? "");
  t.equal(secretText(tunnels, "network-wg0-private-key"), key);
  t.equal(secretText(tunnels, "network-wg0-peer-0"), shared);
  const wifi = network(cases["a WLAN"]?.yaml ?? "");
  t.equal(secretText(wifi, "network-wlan0-my-net"), "12345678");
  t.equal(wifi.secrets.size, 2);
});

t.test("what a key looks like is in the hint", async (t) => {
  const hints = network("ethernets: {lan: {dhpc4: true, nothing-like-it: 1}}\n").findings;
  t.match(hints[0]?.hint, "did you mean `dhcp4`?");
  t.match(hints[1]?.hint, /remove it/);
});

t.test("the page's example is a spec of which nothing is said", async (t) => {
  const page = readFileSync(new URL("../../docs/network.md", import.meta.url), "utf8");
  const [, example = ""] = /```yaml\n([^`]+)```/.exec(page) ?? [];
  const translation = translateText(`#firstlight\n${example}`);
  t.strictSame(linesOf(translation), []);
  t.same(Object.keys(translation.spec.network ?? {}), ["ethernets", "bonds", "vlans", "tunnels"]);
  t.same([...translation.secrets.keys()], ["network-wg0-private-key"]);
});

t.test("so is every other example of the page, and it renders", async (t) => {
  const page = readFileSync(new URL("../../docs/network.md", import.meta.url), "utf8");
  const [, ...others] = [...page.matchAll(/```yaml\n([^`]+)```/g)].map(([, text = ""]) => text);
  t.ok(others.length > 0);
  for (const example of others) {
    const translation = translateText(`#firstlight\n${example}`);
    t.strictSame(linesOf(translation), []);
    t.strictSame(tryRender(translation.spec).findings, []);
  }
});
