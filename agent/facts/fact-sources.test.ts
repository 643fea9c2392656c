import t from "tap";
import schema from "#provisioner/facts/facts.schema.json" with { type: "json" };
import { factSources } from "./fact-sources.ts";

/** As much of a JSON Schema as names what it holds. */
interface Node {
  readonly $ref?: string;
  readonly anyOf?: readonly Node[];
  readonly items?: Node;
  readonly properties?: Readonly<Record<string, Node>>;
}

const root = schema as unknown as Node & { readonly $defs: Readonly<Record<string, Node>> };

/** Places of all values that are no object and no list of objects. */
function leavesOf(node: Node, place: string): readonly string[] {
  const target = node.$ref === undefined ? node : root.$defs[node.$ref.split("/").at(-1) ?? ""];
  const parts = target?.anyOf ?? [];
  if (parts.length > 0) return [...new Set(parts.flatMap((part) => leavesOf(part, place)))];
  const item = target?.items;
  if (item?.$ref !== undefined) return leavesOf(item, `${place}[]`);
  if (target?.properties === undefined) return [place];
  return Object.entries(target.properties).flatMap(([key, child]) =>
    leavesOf(child, place === "" ? key : `${place}.${key}`),
  );
}

t.test("each fact has a source, and nothing else has one", async (t) => {
  // `null` beside an object is no fact of its own.
  const whole = new Set(leavesOf(root, ""));
  const inside = [...whole];
  const leaves = inside.filter(
    (place) => !inside.some((other) => other !== place && isBelow(other, place)),
  );
  t.same(Object.keys(factSources).sort(), leaves.toSorted());
});

function isBelow(place: string, above: string): boolean {
  return place.startsWith(`${above}.`) || place.startsWith(`${above}[]`);
}
