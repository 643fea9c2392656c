/**
 * The parts of a dotted option name, with names that hold dots or slashes in double quotes:
 * `fileSystems."/".device` is `fileSystems`, `/`, `device`. `undefined` when it is no such name.
 */
export function parseOptionName(name: string): readonly string[] | undefined {
  const parts: string[] = [];
  const part = /(?:"([^"\\\n]*)"|([A-Za-z_][A-Za-z0-9_'-]*))(\.|$)/y;
  while (part.lastIndex < name.length) {
    const found = part.exec(name);
    if (found === null) return undefined;
    parts.push(found[1] ?? found[2] ?? "");
    if (found[3] === "") return parts;
  }
  return undefined;
}
