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

/** What keeps a profile from having an order. */
export type NoLineage =
  | { readonly why: "unknown"; readonly id: string; readonly heir: string }
  | { readonly why: "circle"; readonly ids: readonly string[] }
  | { readonly why: "order"; readonly id: string };

/** Why {@link lineageOf} has no answer for it; `undefined` where it has one. */
export function whyNoLineage(
  id: string,
  heirs: ReadonlyMap<string, Heir>,
  above: readonly string[] = [],
): NoLineage | undefined {
  const heir = heirs.get(id);
  if (heir === undefined) return { why: "unknown", id, heir: above.at(-1) ?? id };
  if (above.includes(id)) return { why: "circle", ids: [...above.slice(above.indexOf(id)), id] };
  for (const parent of heir.extends) {
    const found = whyNoLineage(parent, heirs, [...above, id]);
    if (found !== undefined) return found;
  }
  return lineageOf(id, heirs) === undefined ? { why: "order", id } : undefined;
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
