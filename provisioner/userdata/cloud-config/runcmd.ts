import { addCommandScript } from "./command-script.ts";
import type { CloudConfigModule } from "./module.ts";

/** `runcmd`: once per instance, after the network and after the switch. */
export const runcmd: CloudConfigModule = {
  name: "runcmd",
  keys: ["runcmd"],
  rule:
    "One script of all items, as for `bootcmd`, run once per instance when the network, all mounts and the services are up and the " +
    "system has been switched. Its text is a secret. Commands that do nothing lasting on NixOS, or are not there " +
    "(`apt-get`, `systemctl enable`, `adduser`), are warned of with the key or option that says the same. `systemctl enable [--now]` " +
    "of units that `write_files` writes whole does what it says: from then on they start at boot with what their `WantedBy` names.",
  example: "runcmd:\n  - systemctl is-active sshd\n  - [touch, /var/lib/provisioned]\n",
  translate: (input) => addCommandScript(input, "runcmd", { when: "late", frequency: "instance" }),
};
