import type { TargetsMetadata } from "#generated/protocol/trust/targets.ts";

/** Whether a delegated role may name a target: one of its patterns fits. */
export function isNamedBy({ signed }: TargetsMetadata, role: string, path: string): boolean {
  const delegated = signed.delegations?.roles.find(({ name }) => name === role);
  return delegated?.paths.some((pattern) => fits(pattern, path)) ?? false;
}

/**
 * TUF 1.0, section 4.5: `*` stands for any characters but a slash. Other signs of a shell pattern
 * stand for themselves here. Part by part and without going back further than the last star, so that
 * no pattern takes long.
 */
function fits(pattern: string, path: string): boolean {
  const patterns = pattern.split("/");
  const parts = path.split("/");
  return (
    patterns.length === parts.length &&
    patterns.every((each, index) => fitsPart(each, parts[index] ?? ""))
  );
}

function fitsPart(pattern: string, part: string): boolean {
  const [first = "", ...pieces] = pattern.split("*");
  const last = pieces.pop();
  if (last === undefined) return part === first;
  if (!part.startsWith(first) || part.length < first.length + last.length) return false;
  if (!part.endsWith(last)) return false;
  const end = part.length - last.length;
  let at = first.length;
  for (const piece of pieces) {
    const found = part.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
