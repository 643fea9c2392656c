import { six } from "../network.ts";
import type { Scenario } from "../scenario.ts";
import { userData } from "./documents.ts";

const instanceId = "i-0123456789abcdef0";
const meta = "/latest/meta-data/";
const card = `${meta}network/interfaces/macs/${six.card}/`;

/** A subnet without IPv4, as EC2 has them: addresses by the router alone, metadata at fd00:ec2::254. */
export const ec2Ipv6: Scenario = {
  name: "an instance of EC2 that has IPv6 only",
  lab: { hasRouter: true },
  container: { cards: ["six"], words: ["ds=ec2"] },
  steps: ({ publicKey, pace }) => [
    {
      why: "its cloud says what it is",
      serve: {
        [meta]: "instance-id\nlocal-hostname\nnetwork/\npublic-keys/",
        [`${meta}instance-id`]: instanceId,
        [`${meta}local-hostname`]: `${instanceId}.eu-west-1.compute.internal`,
        [`${meta}network/`]: "interfaces/",
        [`${meta}network/interfaces/`]: "macs/",
        [`${meta}network/interfaces/macs/`]: `${six.card}/`,
        [card]: "device-number\nipv6s\nmac",
        [`${card}device-number`]: "0",
        [`${card}ipv6s`]: six.machine,
        [`${card}mac`]: six.card,
        [`${meta}public-keys/`]: "0=operator",
        [`${meta}public-keys/0/`]: "openssh-key",
        [`${meta}public-keys/0/openssh-key`]: publicKey,
        "/latest/dynamic/instance-identity/document": '{ "region": "eu-west-1" }',
        "/latest/user-data": userData({
          ...{ motd: "by IPv6", publicKey, pace, hasSix: true },
          own: ["metadataService: { closed: false }"],
        }),
      },
    },
    { why: "the machine is switched on", power: "on" },
    {
      why: "it comes to what its cloud asks for",
      says: "boot.finished",
      with: { outcome: "committed", generation: 2 },
    },
    {
      why: "the fleet hears of it",
      hears: "boot.finished",
      with: { outcome: "committed", datasource: "Ec2", instanceId },
    },
    { why: "its system runs", run: ["cat", "/etc/motd"], prints: "by IPv6\n" },
    {
      why: "the service was asked by IPv6",
      run: ["cat", "/run/cloud-init/result.json"],
      prints: /DataSourceEc2 \[.*http:\/\/\[fd00:ec2::254\]/,
    },
    {
      why: "no address of IPv4 was ever there",
      run: ["ip", "-4", "-brief", "addr", "show", "scope", "global"],
      prints: /^$/,
    },
    {
      why: "that of IPv6 came by the router",
      run: ["ip", "-6", "addr", "show", "dev", "host6"],
      prints: /inet6 2001:db8:99::aff:fe63:6\/64 scope global dynamic/,
    },

    { why: "the machine starts again", power: "reboot" },
    {
      why: "nothing has changed",
      says: "boot.finished",
      with: { outcome: "unchanged", generation: 2 },
    },
    { why: "the machine is switched off", power: "off" },
  ],
};
