import { addCommandScript } from "./command-script.ts";
import type { CloudConfigModule } from "./module.ts";

/** `bootcmd`: at every boot, before the network. */
export const bootcmd: CloudConfigModule = {
  name: "bootcmd",
  keys: ["bootcmd"],
  rule:
    "One script of all items, run at every boot before the network is configured, when the files of `write_files` are there but those on mounts of the document: a text is a line of " +
    "shell, a list is one command with its words quoted. What it makes of a disk is mounted after it, also where that was tried before in vain, and has its homes and files then. Its text is a secret. The moment is another than " +
    "cloud-init's, which runs it when the network is up, and before `write_files`: what needs the network " +
    "belongs into `runcmd`. In the boot that makes the system from it, it runs as that system is switched to, where the network is up already.",
  example: "bootcmd:\n  - echo starting > /dev/kmsg\n",
  translate: (input) => addCommandScript(input, "bootcmd", { when: "early", frequency: "always" }),
};
