import type { Scenario } from "../scenario.ts";
import { type Document, seed } from "./documents.ts";
import { bootsByDefault, kernel } from "./restart.ts";

const sh = (script: string) => ["sh", "-c", script] as const;
/** The menu appends it last, kexec is told it first. */
const startedBy = "head -c 5 /proc/cmdline";

/**
 * A loader with one default for every boot, so that the kernel itself boots the trial; on the machine
 * that `restart` leaves.
 */
export const extlinux: Scenario = {
  name: "a kernel that another one starts, and one that panics",
  steps: ({ publicKey, pace }) => {
    const say = (document: Omit<Document, "publicKey" | "pace">) =>
      seed({ publicKey, pace, ...document });
    return [
      { why: "the machine is switched on", power: "on" },
      { why: "nothing has changed", hears: "boot.finished", with: { outcome: "unchanged" } },
      {
        why: "extlinux has started its kernel",
        run: sh("grep -c '^BOOT_IMAGE=../nixos/' /proc/cmdline"),
        prints: "1\n",
      },
      {
        why: "a seed with another kernel",
        insert: say({ motd: "the fourth", options: kernel("4") }),
      },
      { why: "the machine starts with it", power: "reboot" },
      { why: "it takes a restart", hears: "boot.finished", with: { outcome: "rebooting" } },
      {
        why: "it is committed",
        hears: "boot.finished",
        with: { outcome: "committed", generation: 4 },
      },
      {
        why: "another kernel has started this one",
        run: sh(startedBy),
        prints: "init=",
      },
      {
        why: "so that its boot is not proved",
        run: ["cat", "/run/firstlight/result.json"],
        prints: /"bootProved":\s*false/,
      },
      ...bootsByDefault("extlinux"),
      { why: "the machine starts again", power: "reboot" },
      {
        why: "extlinux boots what was committed",
        hears: "boot.finished",
        with: { outcome: "unchanged", generation: 4 },
      },
      {
        why: "and its boot is proved",
        run: ["cat", "/run/firstlight/result.json"],
        prints: /"bootProved":\s*true/,
      },

      {
        why: "a seed with a first process that is not there",
        insert: say({
          motd: "the fifth",
          options: [...kernel("4"), 'boot.kernelParams: ["init=/none"]'],
        }),
      },
      { why: "the machine starts with it", power: "reboot" },
      { why: "it takes a restart", hears: "boot.finished", with: { outcome: "rebooting" } },
      { why: "its kernel panics", shows: /Kernel panic/ },
      {
        why: "and restarts the machine, which extlinux boots as it was: that may have been a power cut",
        hears: "boot.finished",
        with: { outcome: "rebooting", generation: 4 },
      },
      {
        why: "after a second panic it is not tried again",
        hears: "boot.finished",
        with: { outcome: "held", generation: 4, fault: { code: "system/release-denied" } },
      },
      { why: "it is what it was", run: ["cat", "/etc/motd"], prints: "the fourth\n" },
      ...bootsByDefault("extlinux"),
      { why: "the machine is switched off", power: "off" },
    ];
  },
};
