import { broughtMirror } from "#agent/update/brought.ts";
import { mirrorsOf } from "#agent/update/mirrors.ts";
import type { Io } from "#core/io.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { Assignment } from "#protocol/trust/assignment.ts";

/** Where what an update needs is looked for, the directory first in which it was brought. */
export function mirrorsFor({ files }: Io, settings: Settings) {
  return (assignment: Assignment): readonly string[] =>
    mirrorsOf(assignment, { settings, brought: broughtMirror(files, assignment.updateId) });
}
