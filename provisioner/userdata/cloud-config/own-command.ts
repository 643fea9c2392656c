import { sha256 } from "#core/canonical-json.ts";
import type { Command } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import type { TranslationContext } from "../translation.ts";

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

/**
 * The function `once NAME COMMAND …` of shell: what has succeeded is not done again for this instance, also
 * where the script has another text later, and so runs again.
 */
export function onceFunction({ instanceId = "" }: Pick<TranslationContext, "instanceId">): string {
  return `done=/var/lib/firstlight/stamps/own/${sha256(instanceId).slice(0, 16)}
once() {
  [ -e "$done/$1" ] && return
  stamp=$done/$1
  shift
  "$@" && mkdir -p "$done" && : > "$stamp" && sync "$stamp" "$done"
}`;
}

/** One word of a line of shell. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
