import type { Input } from "../input.ts";
import { enabledIn, unitsToEnable } from "./enabled-units.ts";
import { lintCommand } from "./lint-command.ts";
import type { Brought } from "./lint-line.ts";
import type { ModuleInput } from "./module.ts";
import { writtenPaths } from "./program-paths.ts";

/** When a script runs, and how often. */
interface Moment {
  readonly when: "early" | "late";
  readonly frequency: "always" | "instance";
}

/** The items of `bootcmd` or `runcmd` as one script, whose text is a secret. */
export function addCommandScript(
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
