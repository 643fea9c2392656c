import { lan } from "../network.ts";
import type { Scenario } from "../scenario.ts";
import { seed } from "./documents.ts";

/** An image of NixOS that leases its addresses by dhcpcd, in a network where nobody leases any. */
export const withoutNetworkd: Scenario = {
  name: "an image without systemd-networkd",
  container: { words: ["without-networkd"] },
  steps: ({ publicKey, pace }) => [
    { why: "a seed with a static network", insert: seed({ motd: "by ip", publicKey, pace }) },
    { why: "the machine is switched on", power: "on" },
    {
      why: "what the bootstrap layer writes is read by nobody",
      says: "bootstrap.finished",
      with: { network: 1, keys: 1 },
    },
    { why: "so the boot sets it up", says: "bootstrap.late", with: { network: 1 } },
    {
      why: "and comes to what was asked for",
      says: "boot.finished",
      with: { outcome: "committed", generation: 2 },
    },
    {
      why: "the addresses came by ip, outside of the boot's sandbox",
      run: ["journalctl", "--boot", "--output=cat", "--identifier=systemd"],
      prints: /^Started firstlight-run-.*\/ip -force -batch -/m,
    },
    {
      why: "the fleet hears of it",
      hears: "boot.finished",
      with: { outcome: "committed", generation: 2 },
    },
    { why: "a person logs in by key", ssh: ["cat", "/etc/motd"], prints: "by ip\n" },
    {
      why: "at the address and by the router of the seed",
      run: ["sh", "-c", "ip -4 addr show dev host0; ip -4 route show default"],
      prints: new RegExp(`inet ${lan.machine}/24 [^]*default via ${lan.gateway} dev host0 `),
    },
    { why: "the machine is switched off", power: "off" },
  ],
};
