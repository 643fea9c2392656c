import type { CloudConfigModule } from "./module.ts";
import { nameNeedless } from "./refused.ts";

/** `manage_etc_hosts`: NixOS writes the file itself, with the machine's own names in it. */
export const updateEtcHosts: CloudConfigModule = {
  name: "update_etc_hosts",
  keys: ["manage_etc_hosts"],
  rule:
    "NixOS writes /etc/hosts itself at each change, with the names that `hostname` and `fqdn` give to the machine, at 127.0.0.2 instead of " +
    "127.0.1.1: `true`, `template` and `localhost` are so anyway. With `false` it does so too, and a note says it. A template of cloud-init " +
    "that the document brings is read by nobody; more names are `firstlight: hosts`.",
  example: "hostname: edge-17\nfqdn: edge-17.plant.example.org\nmanage_etc_hosts: true\n",
  translate({ config }) {
    const input = config.get("manage_etc_hosts");
    if (input === undefined) return;
    const isWord = input.value === "localhost" || input.value === "template";
    const isManaged = isWord || input.boolean();
    if (isManaged === false) {
      nameNeedless(input, "NixOS always writes /etc/hosts; add lines under `firstlight: hosts`");
    } else if (isManaged === true) input.mark("translated");
  },
};
