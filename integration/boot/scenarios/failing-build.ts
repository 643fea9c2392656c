import { lan, six } from "../network.ts";
import type { Scenario } from "../scenario.ts";
import { seed } from "./documents.ts";

const state = ["systemctl", "show", "--property=SubState", "--value"] as const;
const keys = "/run/firstlight/authorized_keys/root";

/**
 * A first boot that cannot build what it is asked for: reachable by both of its cards, of which one has
 * addresses of IPv6 only, and it says why by that one.
 */
export const failingBuild: Scenario = {
  name: "a first boot with two cards whose build fails",
  container: { cards: ["lan", "six"] },
  steps: ({ publicKey, pace }) => [
    {
      why: "a seed that cannot be built",
      insert: seed({
        ...{ motd: "never", publicKey, pace, hasSix: true },
        options: ["standIn.failingBuild: true"],
      }),
    },
    { why: "the machine is switched on", power: "on" },
    {
      why: "before any network the bootstrap layer writes what the seed says of both cards",
      says: "bootstrap.finished",
      with: { network: 2, keys: 1 },
    },
    {
      why: "the build fails",
      says: "boot.finished",
      with: { outcome: "failed", generation: 1 },
    },
    { why: "its unit fails with it", shows: /firstlight-boot\.service: Failed with result/ },
    {
      why: "it would be tried again",
      run: [...state, "firstlight-boot"],
      prints: "auto-restart\n",
    },
    { why: "but a person wants to look", run: ["systemctl", "stop", "firstlight-boot"] },
    {
      why: "both cards are up, though nothing was ever built",
      run: ["ip", "-brief", "addr"],
      prints: new RegExp(
        `^host0@.* UP +${escaped(lan.machine)}/24 [^.]*^host6@.* UP +${six.machine}/64 `,
        "m",
      ),
    },
    {
      why: "each with the way out of its family",
      run: ["sh", "-c", "ip -4 route show default; ip -6 route show default"],
      prints: new RegExp(
        `^default via ${escaped(lan.gateway)} dev host0 .*\\ndefault via ${six.gateway} dev host6 `,
      ),
    },
    {
      why: "the fleet hears why, by IPv6",
      hears: "boot.finished",
      with: { outcome: "failed", fault: { code: "system/build-failed" } },
    },
    { why: "the key lies in /run only", run: ["cat", keys], prints: publicKey },
    {
      why: "a person logs in and is told",
      ssh: ["firstlight", "status"],
      code: 1,
      prints: /^failed: .*standIn\.failingBuild is set/s,
    },
    { why: "nothing was activated", run: ["grep", "-c", "never", "/etc/motd"], code: 1 },

    { why: "the seed is mended", insert: seed({ motd: "at last", publicKey, pace, hasSix: true }) },
    { why: "no restart is needed", ssh: ["systemctl", "start", "firstlight-boot"] },
    { why: "it is committed", ssh: ["firstlight", "status"], prints: /^committed: generation 2 / },
    { why: "the fleet hears of it", hears: "boot.finished", with: { outcome: "committed" } },
    { why: "and it is in force", ssh: ["cat", "/etc/motd"], prints: "at last\n" },
    {
      why: "with both cards, and no file of the bootstrap layer",
      run: ["sh", "-c", "ls /run/systemd/network; ip -brief addr"],
      prints: new RegExp(
        `^lo .*\\nhost0@.* ${escaped(lan.machine)}/24 .*\\nhost6@.* ${six.machine}/64 `,
      ),
    },
    { why: "the machine is switched off", power: "off" },
  ],
};

function escaped(address: string): string {
  return address.replaceAll(".", "\\.");
}
