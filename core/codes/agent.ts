import type { CodeTable } from "./entry.ts";

export const agentCodes = {
  "policy/held": {
    means:
      "What the machine was told to become has changed, and the policy says to wait for a person.",
    action:
      "Look at `firstlight plan`, then run `firstlight apply`, or change the policy in the settings.",
  },
  "policy/left-alone": {
    means:
      "What runs was chosen by a person: a generation of before, or a system activated by hand. What the machine was told has not changed since, or was tried before and came to no good end. So it is with a release whose first boot was left for the system from before.",
    action: "Run `firstlight apply` to take up again what the datasource asks for.",
  },
  "policy/signature-required": {
    means:
      "What the machine was told to become has changed, and the policy takes only signed changes.",
    action:
      "Sign the user-data with a key that `userData.signers` in the settings of the image names, with a serial (docs/signed-user-data.md), or change the policy there.",
  },
  "policy/pin-unreadable": {
    means: "The record of what this machine was made from is damaged.",
    action:
      "Restore /var/lib/firstlight/instance/pinned.json from a backup; removing it makes the next boot a first boot.",
  },
  "settings/invalid": {
    means: "The settings file does not fit its schema.",
    action: "Mend /etc/firstlight/settings.json, or `services.firstlight.settings` that makes it.",
  },
  "boot/no-result": {
    means:
      "This machine has not finished a boot with firstlight yet, or what it told of that cannot be read.",
    action: "Run `firstlight status --wait`, or look at the unit firstlight-boot.",
  },
  "facts/invalid": {
    means: "A file holds no facts of a machine.",
    action: "Give the output of `firstlight facts --json`, or a report of nixos-facter.",
  },
} as const satisfies CodeTable;
