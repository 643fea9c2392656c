/** A profile and those it extends, nearest first. */
export interface Heir {
  readonly id: string;
  readonly extends: readonly string[];
}

/**
 * The order in which profiles refine one another, itself first (C3 linearisation: a profile comes
 * before those it extends, and two it extends keep their order everywhere). `undefined` when there
 * is no such order: a circle, an unknown profile, or two that disagree about the order.
 */
export function lineageOf(
  id: string,
  heirs: ReadonlyMap<string, Heir>,
  above: readonly string[] = [],
): readonly string[] | undefined {
  const heir = heirs.get(id);
  if (heir === undefined || above.includes(id)) return undefined;
  const orders: (readonly string[])[] = [];
  for (const parent of heir.extends) {
    const order = lineageOf(parent, heirs, [...above, id]);
    if (order === undefined) return undefined;
    orders.push(order);
  }
  const merged = merge([...orders, heir.extends]);
  return merged === undefined ? undefined : [id, ...merged];
}

/** Takes the first head that stands in no tail, again and again. */
function merge(orders: readonly (readonly string[])[]): readonly string[] | undefined {
  const merged: string[] = [];
  let open = orders.filter((order) => order.length > 0);
  while (open.length > 0) {
    const head = open
      .map((order) => order[0])
      .find((candidate) => open.every((order) => !order.slice(1).includes(candidate ?? "")));
    if (head === undefined) return undefined;
    merged.push(head);
    open = open
      .map((order) => (order[0] === head ? order.slice(1) : order))
      .filter((order) => order.length > 0);
  }
  return merged;
}
