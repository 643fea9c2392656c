import type { Scenario } from "../scenario.ts";
import { type Document, seed } from "./documents.ts";
import { bootsByDefault, brings, kernel } from "./restart.ts";

/** What only a loader and a kernel of its own show, on the machine that {@link restart} leaves. */
export const grub: Scenario = {
  name: "a kernel that panics, and a menu on a disk that lost its power",
  steps: ({ publicKey, pace }) => {
    const say = (document: Omit<Document, "publicKey" | "pace">) =>
      seed({ publicKey, pace, ...document });
    return [
      { why: "the machine is switched on", power: "on" },
      { why: "GRUB boots the default", shows: /Booting `NixOS'/ },
      { why: "nothing has changed", hears: "boot.finished", with: { outcome: "unchanged" } },
      {
        why: "its kernel was started by the entry of its system",
        run: ["sh", "-c", 'grep -c " init=$(readlink -f /run/booted-system)/init " /proc/cmdline'],
        prints: "1\n",
      },

      {
        why: "a seed with a first process that is not there",
        insert: say({
          motd: "the fourth",
          options: [...kernel("2"), 'boot.kernelParams: ["init=/none"]'],
        }),
      },
      { why: "the machine starts with it", power: "reboot" },
      { why: "it takes a restart", hears: "boot.finished", with: { outcome: "rebooting" } },
      { why: "GRUB boots it", shows: /Booting `NixOS - Profile 'firstlight_trial'/ },
      { why: "its kernel panics", shows: /Kernel panic/ },
      {
        why: "and restarts the machine, which GRUB boots as it was: that may have been a power cut",
        hears: "boot.finished",
        with: { outcome: "rebooting", generation: 3 },
      },
      {
        why: "after a second panic it is not tried again",
        hears: "boot.finished",
        with: { outcome: "held", generation: 3, fault: { code: "system/release-denied" } },
      },
      { why: "it is what it was", run: ["cat", "/etc/motd"], prints: "the second\n" },
      ...bootsByDefault("grub"),

      {
        why: "a seed without another kernel or initrd",
        insert: say({ motd: "the fifth", options: kernel("2"), own: brings("second") }),
      },
      { why: "the machine starts with it", power: "reboot" },
      {
        why: "it is committed",
        hears: "boot.finished",
        with: { outcome: "committed", generation: 4 },
      },
      { why: "the power goes", power: "cut" },
      { why: "and comes back", power: "on" },
      {
        why: "GRUB, which reads no journal of a file system, boots what was committed",
        hears: "boot.finished",
        with: { outcome: "unchanged", generation: 4 },
      },
      { why: "it is in force", run: ["cat", "/etc/motd"], prints: "the fifth\n" },
      { why: "the machine is switched off", power: "off" },
    ];
  },
};
