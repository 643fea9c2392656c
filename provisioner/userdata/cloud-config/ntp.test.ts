import t from "tap";
import { translateCloud } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";

checkCases(t, [
  {
    name: "an empty section switches it on",
    yaml: "ntp:\n",
    spec: { ntp: { enable: true } },
    says: ["note user-data/no-value 2:5 ntp"],
  },
  { name: "an empty mapping too", yaml: "ntp: {}\n", spec: { ntp: { enable: true } } },
  {
    name: "servers and pools, each once",
    yaml: "ntp: {servers: [192.0.2.1, 192.0.2.1], pools: [0.pool.example.org]}\n",
    spec: { ntp: { enable: true, servers: ["192.0.2.1"], pools: ["0.pool.example.org"] } },
  },
  ...Object.entries({
    auto: "auto",
    chrony: "chrony",
    ntp: "ntpd",
    ntpdate: "ntpd",
    ntpsec: "ntpd",
    openntpd: "openntpd",
    "ntpd-rs": "ntpd-rs",
    "systemd-timesyncd": "timesyncd",
  } as const).map(([written, client]) => ({
    name: `the client ${written}`,
    yaml: `ntp: {ntp_client: ${written}}\n`,
    spec: { ntp: { enable: true, client } },
  })),
  {
    name: "an unknown client is named; what every object inherits is no client",
    yaml: "ntp: {ntp_client: constructor}\n",
    spec: { ntp: { enable: true } },
    says: ["warning cloud-config/unknown-value 2:7 ntp.ntp_client"],
  },
  {
    name: "`enabled: false` leaves time as it is, and what stands beside it is named",
    yaml: "ntp: {enabled: false, servers: [192.0.2.1]}\n",
    spec: {},
    says: ["note cloud-config/overridden 2:23 ntp.servers"],
  },
  {
    name: "peers and networks that may ask are lines of chrony, which is taken for them",
    yaml: "ntp:\n  peers: [a, a]\n  allow: [192.0.2.0/24, '2001:db8::/32']\n",
    spec: {
      ntp: { enable: true, client: "chrony" },
      firewall: { udpPorts: [123] },
      options: {
        "services.chrony.extraConfig": "peer a\nallow 192.0.2.0/24\nallow 2001:db8::/32\n",
      },
    },
    says: ["note cloud-config/ntp-client 3:10 ntp.peers"],
  },
  {
    name: "and those of ntpd where that is named",
    yaml: "ntp: {ntp_client: ntpsec, allow: [192.0.2.0/23, 192.0.2.1, '2001:db8::/36']}\n",
    spec: {
      ntp: { enable: true, client: "ntpd" },
      firewall: { udpPorts: [123] },
      options: {
        "services.ntp.extraConfig":
          "restrict 192.0.2.0 mask 255.255.254.0 nomodify notrap\n" +
          "restrict 192.0.2.1 nomodify notrap\n" +
          "restrict 2001:db8:: mask ffff:ffff:f000:0:0:0:0:0 nomodify notrap\n",
      },
    },
  },
  {
    name: "a client that answers nobody has neither",
    yaml: "ntp: {ntp_client: systemd-timesyncd, peers: [a], allow: [192.0.2.0/24]}\n",
    spec: { ntp: { enable: true, client: "timesyncd" } },
    says: [
      "warning cloud-config/unsupported-key 2:38 ntp.peers",
      "warning cloud-config/unsupported-key 2:50 ntp.allow",
    ],
  },
  {
    name: "what is no peer and no network",
    yaml: "ntp: {peers: [a b, 1], allow: [x, [y]]}\n",
    spec: { ntp: { enable: true } },
    says: [
      "error user-data/wrong-type 2:15 ntp.peers.0",
      "error user-data/wrong-type 2:20 ntp.peers.1",
      "error user-data/wrong-type 2:32 ntp.allow.0",
      "error user-data/wrong-type 2:35 ntp.allow.1",
    ],
  },
  {
    name: "a template of one's own is refused, how it is installed has no meaning",
    yaml: "ntp:\n  ntp_client: chrony\n  config: {confpath: /x, check_exe: a, packages: [b], service_name: c, template: d}\n",
    spec: { ntp: { enable: true, client: "chrony" } },
    says: [
      "note cloud-config/no-meaning 4:12 ntp.config.confpath",
      "note cloud-config/no-meaning 4:26 ntp.config.check_exe",
      "note cloud-config/no-meaning 4:40 ntp.config.packages",
      "note cloud-config/no-meaning 4:55 ntp.config.service_name",
      "warning cloud-config/unsupported-key 4:72 ntp.config.template",
    ],
  },
  {
    name: "wrong types in config",
    yaml: "ntp: {config: {packages: a, template: [b], nothing: 1}}\n",
    spec: { ntp: { enable: true } },
    says: [
      "note cloud-config/no-meaning 2:16 ntp.config.packages",
      "error user-data/wrong-type 2:26 ntp.config.packages",
      "error user-data/wrong-type 2:39 ntp.config.template",
      "warning cloud-config/unsupported-key 2:44 ntp.config.nothing",
    ],
  },
  {
    name: "lists are lists of texts",
    yaml: "ntp: {pools: [123], servers: x}\n",
    spec: { ntp: { enable: true } },
    says: [
      "error user-data/wrong-type 2:15 ntp.pools.0",
      "error user-data/wrong-type 2:30 ntp.servers",
    ],
  },
  {
    name: "a line break in a server is refused",
    yaml: 'ntp: {servers: ["a\\nb"]}\n',
    spec: { ntp: { enable: true, servers: [] } },
    says: ["error spec/invalid 2:17 ntp.servers.0"],
  },
  {
    name: "a text is no section",
    yaml: "ntp: on please\n",
    spec: {},
    says: ["error user-data/wrong-type 2:6 ntp"],
  },
]);

t.test("each server has a place of its own", async (t) => {
  const { origins } = translateCloud("ntp:\n  servers: [192.0.2.1, 192.0.2.1, 192.0.2.2]\n");
  t.match(origins.get("ntp.servers.0"), { line: 3, column: 13 });
  t.match(origins.get("ntp.servers.1"), { line: 3, column: 35 });
});
