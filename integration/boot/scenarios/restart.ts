import { canary } from "../../canaries.ts";
import type { Scenario, Step } from "../scenario.ts";
import { type Document, seed } from "./documents.ts";

/** Options of a system with the kernel of this build. */
export const kernel = (build: string) => [`standIn.kernelBuild: "${build}"`];

/** The system that was booted has the kernel of this build, by its initrd. */
function runsBuild(build: string): Step {
  const run = [
    "grep",
    "--text",
    "--count",
    `build ${build}:`,
    "/run/booted-system/initrd",
  ] as const;
  return { why: `the kernel of build ${build} was booted`, run, prints: "1\n" };
}

/** What its initrd brings along, as the spec has it. */
export const brings = (value: string) => [`initrdSecrets: { /keys/data: ${canary(value)} }`];

/** The secrets lie beside the initrd of the system that was booted, and nowhere while no menu is written. */
function bringsSecret(value: string): readonly Step[] {
  const file = "/boot/kernels/$(basename $(readlink -f /run/booted-system))-secrets";
  return [
    {
      why: `its initrd brings the ${value} secret`,
      run: ["sh", "-c", `grep --text --count --fixed-strings '${canary(value)}' "${file}"`],
      prints: "1\n",
    },
    {
      why: "by its entry in the menu",
      run: ["sh", "-c", `grep -c "initrd .*/$(basename "${file}")$" /boot/grub/grub.cfg`],
      prints: /^[1-9]/,
    },
    { why: "which lies nowhere else", run: ["test", "-e", "/run/firstlight/initrd"], code: 1 },
  ];
}

/** A loader whose menu and environment can be looked at. */
export type MenuLoader = "grub" | "systemd-boot" | "extlinux";

const entries = "/boot/loader/entries";
const extlinuxMenu = "/boot/extlinux/extlinux.conf";
const oneShot = "/sys/firmware/efi/efivars/LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
/** Prints the default entry, and what it boots. */
const defaults: Readonly<Record<MenuLoader, string>> = {
  grub: "grep -m1 ' init=' /boot/grub/grub.cfg",
  "systemd-boot": `cat "${entries}/$(sed -n 's/^default //p' /boot/loader/loader.conf)"`,
  extlinux: `grep -A 4 "^LABEL $(sed -n 's/^DEFAULT //p' ${extlinuxMenu})$" ${extlinuxMenu}`,
};
/** Succeeds where the menu has the trial, and where it is chosen for the next boot. */
const leftovers: Readonly<Record<MenuLoader, readonly [string, string]>> = {
  grub: ["grep firstlight_trial /boot/grub/grub.cfg", "grep '^next_entry=.' /boot/grub/grubenv"],
  "systemd-boot": [`ls ${entries} | grep firstlight_trial`, `test -e ${oneShot}`],
  extlinux: [`grep -i trial ${extlinuxMenu}`, "grep 1 /sys/kernel/kexec_loaded"],
};

/** What runs is what the menu boots, and nothing of a trial is left in it. */
export function bootsByDefault(loader: MenuLoader): readonly Step[] {
  const isDefault = 'grep -c " init=$(readlink -f /run/booted-system)/init "';
  const sh = (script: string) => ["sh", "-c", script] as const;
  const [inMenu, isChosen] = leftovers[loader];
  return [
    {
      why: "it is what the menu boots by default",
      run: sh(`${defaults[loader]} | ${isDefault}`),
      prints: "1\n",
    },
    { why: "nothing is left in the menu of the trial", run: sh(inMenu), code: 1 },
    { why: "nor a choice for the next boot", run: sh(isChosen), code: 1 },
  ];
}

/** A change with another kernel: tried by a boot of its own, kept, proved, and taken back where it is not healthy. */
export const restart = (loader: MenuLoader): Scenario => ({
  name: "changes that take a restart",
  steps: ({ publicKey, pace }) => {
    const say = (document: Omit<Document, "publicKey" | "pace">) =>
      seed({ publicKey, pace, ...document });
    // What systemd-boot does with them the machine's stand-in does not.
    const hasSecrets = loader === "grub";
    const withSecret = (value: string) => (hasSecrets ? { own: brings(value) } : {});
    const secret = (value: string) => (hasSecrets ? bringsSecret(value) : []);
    const second = say({ motd: "the second", options: kernel("2"), ...withSecret("second") });
    return [
      { why: "a seed", insert: say({ motd: "the first" }) },
      { why: "the machine is switched on", power: "on" },
      {
        why: "it is committed",
        hears: "boot.finished",
        with: { outcome: "committed", generation: 2 },
      },

      { why: "one with another kernel", insert: second },
      { why: "the machine starts with it", power: "reboot" },
      { why: "it takes a restart", hears: "boot.finished", with: { outcome: "rebooting" } },
      {
        why: "the boot loader boots it once, and it is healthy",
        hears: "trial.finished",
        with: { result: "committed", healthy: true, generation: 3 },
      },
      {
        why: "it is committed",
        hears: "boot.finished",
        with: { outcome: "committed", generation: 3 },
      },
      runsBuild("2"),
      { why: "what it says is in force", run: ["cat", "/etc/motd"], prints: "the second\n" },
      ...bootsByDefault(loader),
      ...secret("second"),

      { why: "the machine starts again", power: "reboot" },
      {
        why: "nothing has changed",
        hears: "boot.finished",
        with: { outcome: "unchanged", generation: 3 },
      },
      runsBuild("2"),
      {
        why: "and its boot is proved",
        run: ["cat", "/run/firstlight/result.json"],
        prints: /"bootProved":\s*true/,
      },

      {
        why: "one with a third kernel that is not healthy",
        insert: say({
          ...{ motd: "the third", options: kernel("3"), port: 9 },
          ...withSecret("third"),
        }),
      },
      { why: "the machine starts with it", power: "reboot" },
      { why: "it takes a restart", hears: "boot.finished", with: { outcome: "rebooting" } },
      {
        why: "it is not healthy, and is left by another one",
        hears: "boot.finished",
        with: { outcome: "rebooting", message: /port 9/ },
      },
      {
        why: "it is back",
        hears: "boot.finished",
        with: { outcome: "rolled-back", generation: 3 },
      },
      runsBuild("2"),
      { why: "with what it said", run: ["cat", "/etc/motd"], prints: "the second\n" },
      ...bootsByDefault(loader),
      ...secret("second"),
      { why: "once more, as it should be", insert: second },
      { why: "the machine starts with it", power: "reboot" },
      {
        why: "nothing has changed",
        hears: "boot.finished",
        with: { outcome: "unchanged", generation: 3 },
      },
      { why: "the machine is switched off", power: "off" },
    ];
  },
});
