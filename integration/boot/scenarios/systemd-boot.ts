import type { Scenario, Step } from "../scenario.ts";

const entries = "/boot/loader/entries";
const sh = (script: string) => ["sh", "-c", script] as const;

/** The name of the default entry as it is now, its counter among it. */
function entryIs(why: string, name: RegExp): Step {
  const list = `ls ${entries} | grep "^$(sed -n 's/^default \\(.*\\).conf$/\\1/p' /boot/loader/loader.conf)[+.]"`;
  return { why, run: sh(list), prints: name };
}

/** What only systemd-boot does, on the machine that `restart` leaves: it counts boots. */
export const systemdBoot: Scenario = {
  name: "boots that are counted",
  steps: () => [
    { why: "the machine is switched on", power: "on" },
    { why: "nothing has changed", hears: "boot.finished", with: { outcome: "unchanged" } },
    {
      why: "its kernel was started by the entry of its system",
      run: sh('grep -c " init=$(readlink -f /run/booted-system)/init " /proc/cmdline'),
      prints: "1\n",
    },
    {
      why: "the loader says that it boots an entry once, and that it counts",
      run: sh(
        "od -An -tu1 -j4 -N1 /sys/firmware/efi/efivars/LoaderFeatures-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f" +
          " | awk '{ print int($1 / 8) % 4 }'",
      ),
      prints: "3\n",
    },
    {
      why: "its entry may be booted three times",
      run: sh(
        `cd ${entries} && name=$(sed -n 's/^default //p' ../loader.conf) && mv "$name" "\${name%.conf}+3.conf"`,
      ),
    },
    { why: "the machine starts again", power: "reboot" },
    { why: "nothing has changed", hears: "boot.finished", with: { outcome: "unchanged" } },
    {
      why: "the loader has counted this boot",
      run: sh(
        "tr -d '\\0' < /sys/firmware/efi/efivars/LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
      ),
      prints: /\+2-1\.conf$/,
    },
    {
      why: "firstlight has come to its end in it",
      run: ["systemctl", "is-active", "firstlight-boot-complete"],
      prints: "active\n",
    },
    { why: "so the boot was good", run: ["systemctl", "start", "systemd-bless-boot.service"] },
    entryIs("and is counted no more", /^[^+]+\.conf\n$/),
    { why: "the machine is switched off", power: "off" },
  ],
};
