import type { Value } from "./python-text.ts";

/**
 * Whether Python's `==` holds: lists, tuples and mappings by what is in them, booleans as 1 and 0, and
 * values of two kinds never. Undefined values equal each other, as Jinja2 has it.
 */
export function areEqual(left: Value, right: Value): boolean {
  if (left === right) return true;
  const [one, other] = [numberOf(left), numberOf(right)];
  if (one !== undefined || other !== undefined) return one === other;
  if (left.type !== right.type) return false;
  switch (left.type) {
    case "StringValue":
      return left.value === right.value;
    case "NullValue":
    case "UndefinedValue":
      return true;
    case "ArrayValue":
    case "TupleValue":
      return areEqualLists(left.value as readonly Value[], right.value as readonly Value[]);
    case "ObjectValue":
      return areEqualMappings(left.value as Mapping, right.value as Mapping);
    default:
      return false;
  }
}

type Mapping = ReadonlyMap<string, Value>;

/** A number as Python counts with it, booleans among them; `undefined` for whatever is none. */
export function numberOf({ type, value }: Value): number | undefined {
  if (type === "BooleanValue") return value === true ? 1 : 0;
  if (type === "IntegerValue") return Number(value) + 0; // no -0
  return type === "FloatValue" ? Number(value) : undefined;
}

/** Python's `in` for a list or the keys of a mapping; `undefined` for whatever else is looked into. */
export function isIn(item: Value, { type, value }: Value): boolean | undefined {
  if (type === "ArrayValue" || type === "TupleValue")
    return (value as readonly Value[]).some((each) => areEqual(each, item));
  if (type !== "ObjectValue" || unhashable.has(item.type)) return undefined;
  return item.type === "StringValue" && (value as Mapping).has(String(item.value));
}

const unhashable: ReadonlySet<string> = new Set(["ArrayValue", "TupleValue", "ObjectValue"]);

function areEqualLists(left: readonly Value[], right: readonly Value[]): boolean {
  return (
    left.length === right.length &&
    left.every((each, index) => areEqual(each, right[index] as Value))
  );
}

function areEqualMappings(left: Mapping, right: Mapping): boolean {
  if (left.size !== right.size) return false;
  return [...left].every(([key, each]) => {
    const other = right.get(key);
    return other !== undefined && areEqual(each, other);
  });
}
