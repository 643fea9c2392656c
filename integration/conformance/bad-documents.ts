import type { Json } from "#core/canonical-json.ts";

type Path = readonly (string | number)[];

/** Values of each kind: one of them is of another kind than what stands at any place. */
const otherKinds: readonly Json[] = [
  { odd: 1 },
  ["odd"],
  "odd thing",
  -7.5,
  true,
  null,
  "",
  [],
  99999999999,
];

/** What is done to a document, and what comes of it. */
export interface BadDocument {
  readonly what: string;
  readonly text: string;
}

/**
 * A value with one fault each: a value of another kind at every place, lists and mappings too, and a
 * letter too few in every key and text. Which kinds a place gets goes round by `turn`.
 */
export function* withFaults(value: Json, turn = 0): Generator<BadDocument> {
  let count = turn;
  for (const path of placesIn(value)) {
    const kind = otherKinds[count % otherKinds.length] ?? null;
    count += 1;
    const there = path.join(".");
    yield {
      what: `${there}: ${JSON.stringify(kind)}`,
      text: asText(replaced(value, path, () => kind)),
    };
    const misspelt = replaced(value, path, (old) => (typeof old === "string" ? shorter(old) : old));
    if (misspelt !== undefined) yield { what: `${there}: text misspelt`, text: asText(misspelt) };
    yield { what: `${there}: key misspelt`, text: asText(renamed(value, path)) };
  }
}

function asText(value: Json): string {
  return `#cloud-config\n${JSON.stringify(value, null, 1)}\n`;
}

/** Without its second letter: `phyical`. */
function shorter(text: string): string {
  return text.slice(0, 1) + text.slice(2);
}

function* placesIn(value: Json, path: Path = []): Generator<Path> {
  if (path.length > 0) yield path;
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    yield* placesIn(inner, [...path, Array.isArray(value) ? Number(key) : key]);
  }
}

function replaced(value: Json, [part, ...rest]: Path, change: (old: Json) => Json): Json {
  if (part === undefined) return change(value);
  if (Array.isArray(value)) {
    return value.map((item, index) => (index === part ? replaced(item, rest, change) : item));
  }
  const entries = Object.entries(value as { readonly [key: string]: Json });
  return Object.fromEntries(
    entries.map(([key, inner]) => [key, key === part ? replaced(inner, rest, change) : inner]),
  );
}

function renamed(value: Json, path: Path): Json {
  const last = path.at(-1);
  if (typeof last !== "string") return value;
  return replaced(value, path.slice(0, -1), (mapping) =>
    Object.fromEntries(
      Object.entries(mapping as object).map(([key, inner]) => [
        key === last ? shorter(key) : key,
        inner,
      ]),
    ),
  );
}
