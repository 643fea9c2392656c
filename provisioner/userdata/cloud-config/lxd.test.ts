import t from "tap";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { checkCases } from "./check-cases.ts";

const options = (preseed: object) => ({
  options: {
    "virtualisation.incus.enable": true,
    "networking.nftables.enable": true,
    "virtualisation.incus.preseed": preseed,
  },
});
const preseedUnit = `[Unit]
Description=Preseed of Incus
After=incus.service
BindsTo=incus.service
PartOf=incus.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'exec /run/current-system/sw/bin/incus admin init --preseed < %d/incus-preseed'
`;
const root = (pool: string) => ({ root: { type: "disk", path: "/", pool } });
const nic = (network: string) => ({ eth0: { type: "nic", network, name: "eth0" } });

/** What containers ask a bridge for. */
const bridgePorts = { tcpPorts: [53], udpPorts: [53, 67, 547] };
const open = (name: string) => ({ firewall: { interfaces: { [name]: bridgePorts } } });

const switches = { "virtualisation.incus.enable": true, "networking.nftables.enable": true };

/** What a preseed becomes. */
const byPreseed = (text: string, more: Partial<Spec> = {}) => ({
  spec: {
    options: switches,
    units: {
      "firstlight-incus-preseed.service": {
        text: preseedUnit,
        wantedBy: ["incus.service"],
        credentials: [{ secretRef: "incus-preseed" }],
      },
    },
    ...more,
  },
  secrets: { "incus-preseed": text },
});

checkCases(t, [
  {
    name: "a pool and a bridge",
    yaml: "lxd:\n  init: {network_address: 192.0.2.7, network_port: 8444, storage_backend: zfs, storage_create_loop: 10, storage_pool: p}\n  bridge: {mode: new, name: br0, mtu: 1400, domain: lxd, ipv4_address: 192.0.2.1, ipv4_netmask: 25, ipv4_nat: true, ipv4_dhcp_first: 192.0.2.2, ipv4_dhcp_last: 192.0.2.9}\n",
    spec: {
      firewall: { tcpPorts: [8444], interfaces: { br0: bridgePorts } },
      ...options({
        config: { "core.https_address": "192.0.2.7:8444" },
        storage_pools: [{ name: "p", driver: "zfs", config: { size: "10GiB" } }],
        networks: [
          {
            name: "br0",
            type: "bridge",
            config: {
              "bridge.mtu": "1400",
              "dns.domain": "lxd",
              "ipv4.address": "192.0.2.1/25",
              "ipv4.nat": "true",
              "ipv6.address": "none",
              "ipv4.dhcp.ranges": "192.0.2.2-192.0.2.9",
            },
          },
        ],
        profiles: [{ name: "default", devices: { ...root("p"), ...nic("br0") } }],
      }),
    },
    says: ["warning cloud-config/zfs 3:75 lxd.init.storage_backend"],
  },
  {
    name: "a backend alone, on a device; the bridge has addresses of its own",
    yaml: "lxd: {init: {storage_backend: btrfs, storage_create_device: /dev/vdb}}\n",
    spec: {
      ...open("incusbr0"),
      ...options({
        storage_pools: [{ name: "default", driver: "btrfs", config: { source: "/dev/vdb" } }],
        networks: [{ name: "incusbr0", type: "bridge", config: { "ipv4.address": "auto" } }],
        profiles: [{ name: "default", devices: { ...root("default"), ...nic("incusbr0") } }],
      }),
    },
  },
  {
    name: "of a preseed the bridges with addresses and the address of the server, but for this machine's own",
    yaml: `lxd:
  preseed: |
    config: {core.https_address: "[::]:9443", core.metrics_address: "127.0.0.1:8444", core.storage_buckets_address: ":9001"}
    networks:
      - {name: lxdbr0}
      - {name: br1, type: bridge, config: {ipv4.address: none, ipv6.address: none}}
      - {name: ovn0, type: ovn}
      - {name: "of a name that none can have"}
`,
    ...byPreseed(
      `config: {core.https_address: "[::]:9443", core.metrics_address: "127.0.0.1:8444", core.storage_buckets_address: ":9001"}
networks:
  - {name: lxdbr0}
  - {name: br1, type: bridge, config: {ipv4.address: none, ipv6.address: none}}
  - {name: ovn0, type: ovn}
  - {name: "of a name that none can have"}
`,
      { firewall: { tcpPorts: [9443, 9001], interfaces: { lxdbr0: bridgePorts } } },
    ),
  },
  {
    name: "a pool of ZFS on a machine that has an id is fine",
    yaml: "lxd: {preseed: 'storage_pools: [{name: p, driver: zfs}]'}\nfirstlight: {options: {networking.hostId: deadbeef}}\n",
    ...byPreseed("storage_pools: [{name: p, driver: zfs}]", {
      options: { ...switches, "networking.hostId": "deadbeef" },
    }),
  },
  {
    name: "a bridge that is there, and none",
    yaml: "lxd: {bridge: {mode: existing, name: br0, mtu: -1, ipv4_dhcp_leases: 9}}\n",
    spec: options({
      storage_pools: [{ name: "default", driver: "dir" }],
      profiles: [
        {
          name: "default",
          devices: {
            ...root("default"),
            eth0: { type: "nic", nictype: "bridged", parent: "br0", name: "eth0" },
          },
        },
      ],
    }),
    says: ["note cloud-config/no-meaning 2:52 lxd.bridge.ipv4_dhcp_leases"],
  },
  {
    name: "a preseed counts, and nothing beside it",
    yaml: "lxd: {preseed: 'config: {a: b}', init: {storage_backend: dir}}\n",
    ...byPreseed("config: {a: b}"),
    says: ["warning cloud-config/overridden 2:34 lxd.init"],
  },
  {
    name: "a password is refused, and what is unknown",
    yaml: "lxd: {init: {trust_password: x, storage_backend: y}, bridge: {mode: z}}\n",
    spec: options({
      storage_pools: [{ name: "default", driver: "dir" }],
      profiles: [{ name: "default", devices: root("default") }],
    }),
    says: [
      "warning cloud-config/unsupported-key 2:14 lxd.init.trust_password",
      "warning cloud-config/unknown-value 2:33 lxd.init.storage_backend",
      "warning cloud-config/unknown-value 2:63 lxd.bridge.mode",
    ],
  },
  {
    name: "a preseed that is none",
    yaml: "lxd: {preseed: '[a'}\n",
    spec: {
      options: { "virtualisation.incus.enable": true, "networking.nftables.enable": true },
    },
    says: ["error user-data/wrong-type 2:16 lxd.preseed"],
  },
  {
    name: "wrong types in each place",
    yaml: "lxd: {init: a, bridge: [b]}\n",
    spec: options({
      storage_pools: [{ name: "default", driver: "dir" }],
      profiles: [{ name: "default", devices: root("default") }],
    }),
    says: [
      "error user-data/wrong-type 2:13 lxd.init",
      "error user-data/wrong-type 2:24 lxd.bridge",
    ],
  },
  {
    name: "an empty one says nothing",
    yaml: "lxd: {}\n",
    spec: {},
    says: ["note cloud-config/no-meaning 2:1 lxd"],
  },
  {
    name: "a text is none",
    yaml: "lxd: a\n",
    spec: {},
    says: ["error user-data/wrong-type 2:6 lxd"],
  },
]);
