import type { Input } from "../input.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";

/** `bootcmd`: at every boot, before the network. */
export const bootcmd: CloudConfigModule = {
  name: "bootcmd",
  keys: ["bootcmd"],
  translate: (input) => addScript(input, "bootcmd", { when: "early", frequency: "always" }),
};

/** `runcmd`: once per instance, after the network and after the switch. */
export const runcmd: CloudConfigModule = {
  name: "runcmd",
  keys: ["runcmd"],
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
  const lines = input
    .items()
    .map(commandLine)
    .filter((line) => line !== undefined);
  if (lines.length === 0) return;
  draft.spec.commands ??= [];
  draft.origin(["commands", draft.spec.commands.length], input);
  draft.spec.commands.push({
    name: key,
    ...moment,
    script: draft.secret(key, `#!/bin/sh\n${lines.join("\n")}\n`),
  });
}

/** As cloud-init's `shellify`: text is a line of shell, a list is one command with its words quoted. */
function commandLine(item: Input): string | undefined {
  if (item.value === null) {
    item.mark("translated");
    return undefined;
  }
  if (!item.isList()) return item.text();
  return item
    .texts()
    .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
    .join(" ");
}
