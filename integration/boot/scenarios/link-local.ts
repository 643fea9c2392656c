import { lan } from "../network.ts";
import type { Scenario } from "../scenario.ts";
import { userData } from "./documents.ts";

const cardFile = "/run/systemd/network/90-firstlight-link-local.network";

/**
 * A droplet without DHCP: an address of the link is all that it needs to ask what its network is. It has two
 * cards with such an address, and behind one of them there is nobody.
 */
export const linkLocal: Scenario = {
  name: "a cloud that leases no address",
  container: { cards: ["lan", "six"], words: ["ds=digitalocean"] },
  steps: ({ publicKey, pace }) => [
    {
      why: "its cloud says what it is",
      serve: {
        "/metadata/v1/id": "4711",
        "/metadata/v1.json": JSON.stringify({
          ...{ droplet_id: 4711, hostname: "edge", region: "fra1", public_keys: [publicKey] },
          user_data: userData({
            ...{ motd: "from the link", publicKey, pace },
            own: ["metadataService: { closed: false }"],
          }),
          interfaces: {
            public: [
              {
                ...{ type: "public", mac: lan.card },
                ipv4: {
                  ...{ ip_address: lan.machine, netmask: "255.255.255.0", gateway: lan.gateway },
                },
              },
            ],
          },
        }),
      },
    },
    { why: "the machine is switched on", power: "on" },
    { why: "before any network its card is to take an address", says: "bootstrap.link-local" },
    {
      why: "which is enough to be told the network",
      says: "bootstrap.late",
      with: { network: 1, keys: 1 },
    },
    {
      why: "it comes to what its cloud asks for",
      says: "boot.finished",
      with: { outcome: "committed", generation: 2 },
    },
    {
      why: "the fleet hears of it",
      hears: "boot.finished",
      with: { outcome: "committed", datasource: "DigitalOcean", instanceId: "4711" },
    },
    { why: "a person logs in by key", ssh: ["cat", "/etc/motd"], prints: "from the link\n" },
    {
      why: "each card was asked over, by rules of routing that the boot had made outside of its sandbox",
      run: ["journalctl", "--boot", "--output=cat", "--identifier=systemd"],
      prints: /^Started firstlight-run-.* -4 -force -batch -/m,
    },
    {
      why: "of which none is left",
      run: ["sh", "-c", "ip -4 rule; ip -4 route show table all proto 241"],
      lacks: /241/,
    },
    { why: "what the layer wrote is no longer needed", run: ["test", "-e", cardFile], code: 1 },
    { why: "the machine is switched off", power: "off" },
  ],
};
