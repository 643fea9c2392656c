import { Fault } from "#core/fault.ts";
import { flat } from "./flat.ts";
import { isTakeOver } from "./from-json.ts";
import { type AttrsEntry, attrs, bind, blank, comment, type NixExpr } from "./tree.ts";

/** One option and its value, as one input line set it. */
export interface OptionAssignment {
  /** `["services", "openssh", "enable"]`; parts may be any text, also from documents. */
  readonly path: readonly string[];
  readonly value: NixExpr;
  /** Printed above the option. */
  readonly comment?: string;
  /** Where it comes from, for the manifest; never printed. */
  readonly source?: { readonly document: string; readonly line: number | null };
}

/**
 * The entries of a module body that sets these options, arranged as a person writes them: options
 * that stand beside another one directly below the same name share a set
 * (`services.openssh = { enable = true; settings.X = …; };`), others keep their full path
 * (`time.timeZone = "…";`), and empty lines part the groups. Order is that of first appearance.
 * An option set twice, or set and set inside of, is a defect of the caller (`cli/internal`); a path
 * through a name that the module system obeys is refused (`nix/take-over-key`).
 */
export function optionEntries(assignments: readonly OptionAssignment[]): readonly AttrsEntry[] {
  const root: OptionNode = { children: new Map() };
  for (const assignment of assignments) insert(root, assignment);
  return spaced(groupsBelow(root, []));
}

interface OptionNode {
  readonly children: Map<string, OptionNode>;
  assignment?: OptionAssignment;
}

function insert(root: OptionNode, assignment: OptionAssignment): void {
  let node = root;
  for (const part of assignment.path) {
    if (isTakeOver(part)) {
      const path = JSON.stringify(assignment.path.join(".").toWellFormed());
      throw new Fault(
        "nix/take-over-key",
        `option ${path}: expected names of options, got a key that NixOS obeys`,
      );
    }
    if (node.assignment !== undefined) throw setTwice(assignment);
    const child: OptionNode = node.children.get(part) ?? { children: new Map() };
    node.children.set(part, child);
    node = child;
  }
  if (node === root || node.assignment !== undefined || node.children.size > 0) {
    throw setTwice(assignment);
  }
  node.assignment = assignment;
}

function setTwice({ path }: OptionAssignment): Fault {
  return new Fault(
    "cli/internal",
    `option ${JSON.stringify(path.join("."))}: expected to be set once`,
  );
}

/** One binding and the comment above it. */
interface Group {
  readonly root: string;
  readonly entries: readonly AttrsEntry[];
  readonly isLine: boolean;
}

function groupsBelow(node: OptionNode, path: readonly string[]): readonly Group[] {
  return [...node.children].flatMap(([part, child]) => {
    const here = [...path, part];
    const isOpened = child.children.size > 1 && hasDirectOption(child);
    return child.assignment !== undefined || isOpened
      ? [group(here, child)]
      : groupsBelow(child, here);
  });
}

function hasDirectOption(node: OptionNode): boolean {
  return [...node.children.values()].some((child) => child.assignment !== undefined);
}

function group(path: readonly string[], { children, assignment }: OptionNode): Group {
  const root = path[0] ?? "";
  if (assignment === undefined) {
    const inner = groupsBelow({ children }, []).flatMap((each) => each.entries);
    return { root, entries: [bind(path, attrs(inner))], isLine: false };
  }
  const above = assignment.comment === undefined ? [] : [comment(assignment.comment)];
  const isLine = above.length === 0 && isLineLong(assignment.value);
  return { root, entries: [...above, bind(path, assignment.value)], isLine };
}

function isLineLong(value: NixExpr): boolean {
  return flat(value) !== undefined && (value.kind !== "attrs" || value.entries.length === 0);
}

/** Single lines stay together, within one root or where each root has only one; else an empty line. */
function spaced(groups: readonly Group[]): readonly AttrsEntry[] {
  const counts = new Map<string, number>();
  for (const { root } of groups) counts.set(root, (counts.get(root) ?? 0) + 1);
  const isAlone = (group: Group): boolean => counts.get(group.root) === 1;
  return groups.flatMap((group, index) => {
    const before = groups[index - 1];
    if (before === undefined) return group.entries;
    const related = before.root === group.root || (isAlone(before) && isAlone(group));
    return before.isLine && group.isLine && related ? group.entries : [blank, ...group.entries];
  });
}
