import type { Assignment } from "../assignment.ts";

/** Options that were renamed: the release of NixOS that has the new name first, and both names. */
const renamed: readonly {
  readonly since: string;
  readonly now: readonly string[];
  readonly before: readonly string[];
}[] = [
  {
    since: "24.11",
    now: ["hardware", "graphics", "enable32Bit"],
    before: ["hardware", "opengl", "driSupport32Bit"],
  },
  { since: "24.11", now: ["hardware", "graphics"], before: ["hardware", "opengl"] },
];

/** Options as a release of NixOS names them; as the newest does where the release is not known. */
export function namedFor(
  release: string | undefined,
  assignments: readonly Assignment[],
): readonly Assignment[] {
  if (release === undefined) return assignments;
  const names = renamed.filter(({ since }) => release < since);
  return assignments.map((assignment) => {
    const found = names.find(({ now }) => now.every((part, at) => assignment.path[at] === part));
    if (found === undefined) return assignment;
    return { ...assignment, path: [...found.before, ...assignment.path.slice(found.now.length)] };
  });
}
