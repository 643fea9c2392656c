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
    name: "peers, allow and config are named",
    yaml: "ntp:\n  peers: [a]\n  allow: [192.0.2.0/24]\n  config: {confpath: /x}\n",
    spec: { ntp: { enable: true } },
    says: [
      "warning cloud-config/unsupported-key 3:3 ntp.peers",
      "warning cloud-config/unsupported-key 4:3 ntp.allow",
      "warning cloud-config/unsupported-key 5:3 ntp.config",
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
