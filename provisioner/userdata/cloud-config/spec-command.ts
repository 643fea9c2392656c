import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";

/** A script of its own. */
interface Script {
  readonly name: string;
  readonly when: "early" | "late";
  /** Once per instance when absent. */
  readonly frequency?: "always";
  readonly lines: readonly string[];
}

/** Adds a script to the commands of the spec; its text is a secret. */
export function addCommand(
  draft: SpecDraft,
  input: Input,
  { name, when, frequency, lines }: Script,
): void {
  draft.spec.commands ??= [];
  draft.origin(["commands", draft.spec.commands.length], input);
  const script = draft.secret(name, `#!/bin/sh\n${lines.join("\n")}\n`);
  draft.spec.commands.push({ name, when, frequency: frequency ?? "instance", script });
}

/** Adds packages that are not there yet. */
export function addPackages(draft: SpecDraft, input: Input, attributes: readonly string[]): void {
  const packages = draft.spec.packages ?? [];
  for (const attribute of attributes) {
    if (packages.includes(attribute)) continue;
    draft.origin(["packages", packages.length], input);
    packages.push(attribute);
  }
  draft.spec.packages = packages;
}

/** Words for a shell, each as it stands. */
export function shellLine(words: readonly string[]): string {
  return words
    .map((word) =>
      /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`,
    )
    .join(" ");
}
