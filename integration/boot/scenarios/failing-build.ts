import type { Scenario } from "../scenario.ts";
import { seed } from "./documents.ts";

const state = ["systemctl", "show", "--property=SubState", "--value"] as const;
const keys = "/run/firstlight/authorized_keys/root";

/** A first boot that cannot build what it is asked for: reachable, and it says why. */
export const failingBuild: Scenario = {
  name: "a first boot whose build fails",
  steps: ({ publicKey, pace }) => [
    {
      why: "a seed that cannot be built",
      insert: seed({ motd: "never", publicKey, pace, options: ["standIn.failingBuild: true"] }),
    },
    { why: "the machine is switched on", power: "on" },
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
      why: "the fleet hears why",
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

    { why: "the seed is mended", insert: seed({ motd: "at last", publicKey, pace }) },
    { why: "no restart is needed", ssh: ["systemctl", "start", "firstlight-boot"] },
    { why: "it is committed", ssh: ["firstlight", "status"], prints: /^committed: generation 2 / },
    { why: "the fleet hears of it", hears: "boot.finished", with: { outcome: "committed" } },
    { why: "and it is in force", ssh: ["cat", "/etc/motd"], prints: "at last\n" },
    { why: "the machine is switched off", power: "off" },
  ],
};
