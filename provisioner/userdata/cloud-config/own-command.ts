import type { Command } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";

/** A script that a module asks for, beside those of the document. */
export interface OwnCommand extends Pick<Command, "name" | "when"> {
  readonly lines: readonly string[];
  /** What asks for it. */
  readonly at: Input;
}

/** Adds a script that runs once per instance. */
export function addCommand(draft: SpecDraft, { name, when, lines, at }: OwnCommand): void {
  draft.spec.commands ??= [];
  draft.origin(["commands", draft.spec.commands.length], at);
  const script = draft.secret(name, `#!/bin/sh\n${lines.join("\n")}\n`);
  draft.spec.commands.push({ name, when, frequency: "instance", script });
}

/** One word of a line of shell. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
