/**
 * Lists that items were taken out of, by path with dots; each has the new index of every old one,
 * `undefined` for what was taken out.
 */
export type Moves = ReadonlyMap<string, readonly (number | undefined)[]>;

/** Where a path with dots stands after `moves`; `undefined` where it was taken out. */
export function movedPath(path: string, moves: Moves): string | undefined {
  let moved = "";
  let from = 0;
  for (let end = path.indexOf("."); from <= path.length; end = path.indexOf(".", from)) {
    const part = path.slice(from, end === -1 ? path.length : end);
    const indices = moves.get(path.slice(0, Math.max(from - 1, 0)));
    const index = indices === undefined ? part : indices[Number(part)];
    if (index === undefined) return undefined;
    moved += from === 0 ? index : `.${index}`;
    from += part.length + 1;
  }
  return moved;
}
