import type { Input } from "../input.ts";
import { enabledIn, unitsToEnable } from "./enabled-units.ts";
import { lintCommand } from "./lint-command.ts";
import type { Brought } from "./lint-line.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";
import { writtenPaths } from "./program-paths.ts";

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
  translate: (input) => addScript(input, "bootcmd", { when: "early", frequency: "always" }),
};

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
  translate: (input) => addScript(input, "runcmd", { when: "late", frequency: "instance" }),
};

interface Moment {
  readonly when: "early" | "late";
  readonly frequency: "always" | "instance";
}

function addScript(
  { config, draft }: ModuleInput,
  key: "bootcmd" | "runcmd",
  moment: Moment,
): void {
  const input = config.get(key);
  if (input === undefined) return;
  const units = key === "runcmd" ? unitsToEnable(config, draft) : new Set<string>();
  const brought = { written: writtenPaths(config), units };
  const lines = input
    .items()
    .map((item) => commandLine(item, brought))
    .filter((line) => line !== undefined);
  if (lines.length === 0) return;
  draft.spec.commands ??= [];
  const at = ["commands", draft.spec.commands.length];
  draft.origin(at, input);
  const script = draft.secret(key, `#!/bin/sh\n${lines.join("\n")}\n`);
  const enables = enabledByItems(input, units);
  for (const [index, item] of [...enables.values()].entries()) {
    draft.origin([...at, "enables", index], item);
  }
  const enabled = enables.size === 0 ? {} : { enables: [...enables.keys()] };
  draft.spec.commands.push({ name: key, ...moment, script, ...enabled });
}

/** Units by name, each with the first item that enables it. */
function enabledByItems(input: Input, units: ReadonlySet<string>): ReadonlyMap<string, Input> {
  const enables = new Map<string, Input>();
  for (const item of input.parts()) {
    for (const name of enabledIn(item, units)) if (!enables.has(name)) enables.set(name, item);
  }
  return enables;
}

/** As cloud-init's `shellify`: text is a line of shell, a list is one command with its words quoted. */
function commandLine(item: Input, brought: Brought): string | undefined {
  if (!item.isList() && typeof item.value !== "string") {
    const isLikelyLine = item.isMapping();
    item.expected(
      "a line of shell, or a list of words",
      isLikelyLine
        ? "put the whole line in quotes: `: ` in it makes a mapping"
        : "write `- touch /tmp/x`, or `- [touch, /tmp/x]`",
    );
    return undefined;
  }
  const words = item.isList()
    ? item.items().map((word) => word.looseText() ?? "")
    : [item.text() ?? ""];
  lintCommand(item, words, brought);
  return item.isList()
    ? words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ")
    : words[0];
}
