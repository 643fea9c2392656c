import type { BuiltValue } from "../yaml-values.ts";

/** Whether Python calls two values equal: `1` is `1.0` and `True`, and the order of keys is none. */
export function equalValues(a: BuiltValue, b: BuiltValue): boolean {
  if (a.nodes !== b.nodes) return false;
  if (a.scalar !== null) return a.scalar.identity === b.scalar?.identity;
  if (a.items !== null) {
    const others = b.items;
    if (others?.length !== a.items.length) return false;
    return a.items.every(({ value }, index) => {
      const other = others[index];
      return other !== undefined && equalValues(value, other.value);
    });
  }
  const others = b.members;
  if (others?.size !== a.members?.size) return false;
  return [...(a.members ?? [])].every(([name, member]) => {
    const other = others?.get(name);
    if (other === undefined || other.key.scalar?.identity !== member.key.scalar?.identity)
      return false;
    return equalValues(member.value, other.value);
  });
}
