import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import t, { type Test } from "tap";
import { refusals, type Schema } from "./generation/refuse.ts";
import { findSchemas } from "./generation/schema-files.ts";
import { schemaSet } from "./generation/validator.ts";
import { withoutWords } from "./generation/without-words.ts";

const repository = join(import.meta.dirname, "..");

function run(root: string) {
  return spawnSync(process.execPath, [join(repository, "tools/generate.ts"), root], {
    encoding: "utf8",
  });
}

/** A tree with these files; what generated modules import is found as in the repository. */
function tree(t: Test, files: Readonly<Record<string, unknown>>): string {
  const root = t.testdir({});
  for (const [path, content] of Object.entries(files)) put(root, path, content);
  return root;
}

function put(root: string, path: string, content: unknown): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), typeof content === "string" ? content : JSON.stringify(content));
}

interface Validator {
  readonly validate: { (value: unknown): boolean; errors?: readonly Record<string, unknown>[] };
  readonly knownKeys: unknown;
}

async function load(root: string, path: string): Promise<Validator> {
  return await import(pathToFileURL(join(root, "generated", path)).href);
}

const lamp = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  $id: "https://firstlight.dev/schema/lamp.json",
  title: "Lamp",
  type: "object",
  description: "A lamp.",
  additionalProperties: false,
  required: ["name"],
  properties: {
    name: { type: "string", description: "Name of the lamp.", minLength: 2 },
    colours: { type: "array", items: { $ref: "#/$defs/colour" }, uniqueItems: true, maxItems: 2 },
  },
  $defs: { colour: { type: "string", description: "Colour of light.", enum: ["red", "green"] } },
};
const room = {
  ...lamp,
  $id: "https://firstlight.dev/schema/room.json",
  title: "Room",
  required: ["lamp"],
  properties: { lamp: { $ref: "https://firstlight.dev/schema/lamp.json" } },
  $defs: {},
};

t.test("a schema becomes types and a validator that tells all errors at once", async (t) => {
  const root = tree(t, { "core/lamp.schema.json": lamp });
  t.equal(run(root).stderr, "");
  const types = readFileSync(join(root, "generated/core/lamp.ts"), "utf8");
  t.match(types, "export interface Lamp {");
  t.match(types, 'export type Colour = "red" | "green"');
  t.match(types, "colours?: Colour[]", "lengths are not turned into tuples");
  const { validate, knownKeys } = await load(root, "core/lamp.validate.js");
  t.ok(validate({ name: "ab", colours: ["red"] }));
  t.notOk(
    validate({ name: "\u{1f4a1}", colours: ["red", "red"], colour: 1 }),
    "lengths in characters",
  );
  t.same((validate.errors ?? []).map((error) => error["keyword"]).sort(), [
    "additionalProperties",
    "minLength",
    "uniqueItems",
  ]);
  t.same(knownKeys, { "#": ["name", "colours"] });
});

t.test("a schema may refer to one of another room", async (t) => {
  const root = tree(t, { "core/lamp.schema.json": lamp, "protocol/deep/room.schema.json": room });
  t.equal(run(root).stderr, "");
  const { validate } = await load(root, "protocol/deep/room.validate.js");
  t.ok(validate({ lamp: { name: "ab" } }));
  t.notOk(validate({ lamp: { name: 1 } }));
  t.match(readFileSync(join(root, "generated/protocol/deep/room.ts"), "utf8"), "lamp: Lamp");
});

t.test("the parameters of a template become a validator without types", async (t) => {
  const root = tree(t, { "templates/lamp/schema.json": lamp, "templates/lamp/other.json": "{" });
  t.equal(run(root).stderr, "");
  t.same(readdirSync(join(root, "generated/templates/lamp")).sort(), [
    "schema.validate.d.ts",
    "schema.validate.js",
  ]);
  t.ok((await load(root, "templates/lamp/schema.validate.js")).validate({ name: "ab" }));
});

t.test("nothing is written when nothing changed, and everything that changed is", (t) => {
  const root = tree(t, { "core/lamp.schema.json": lamp, "core/room.schema.json": room });
  const inode = () => statSync(join(root, "generated/core/lamp.ts")).ino;
  const validator = join(root, "generated/core/lamp.validate.js");
  run(root);
  const first = inode();
  run(root);
  t.equal(inode(), first, "same schemas");
  rmSync(validator);
  run(root);
  t.ok(existsSync(validator), "a lost file comes back");
  t.equal(inode(), first, "and the others are left alone");
  rmSync(join(root, "core/room.schema.json"));
  run(root);
  t.notOk(existsSync(join(root, "generated/core/room.ts")), "what no schema makes is removed");
  put(root, "core/lamp.schema.json", { ...lamp, description: "Another lamp." });
  run(root);
  t.match(readFileSync(join(root, "generated/core/lamp.ts"), "utf8"), "Another lamp.");
  t.end();
});

t.test("a bad schema is named and fails the run; good ones are written all the same", (t) => {
  const root = tree(t, {
    "core/lamp.schema.json": lamp,
    "core/twin.schema.json": lamp,
    "core/broken.schema.json": "{",
    "core/unknown.schema.json": { ...room, properties: { a: { $ref: "#/$defs/none" } } },
    "core/odd.schema.json": { ...lamp, $id: "https://firstlight.dev/schema/odd.json", lumen: 1 },
  });
  const first = run(root);
  t.equal(first.status, 1);
  t.match(first.stderr, /core\/twin.schema.json: the `\$id` of core\/lamp.schema.json again/);
  t.match(first.stderr, /core\/broken.schema.json: expected JSON/);
  t.match(first.stderr, /core\/unknown.schema.json: can't resolve reference/);
  t.match(first.stderr, /core\/odd.schema.json: strict mode: unknown keyword: "lumen"/);
  t.ok(existsSync(join(root, "generated/core/lamp.validate.js")));
  t.equal(run(root).stderr, first.stderr, "again, until it is mended");
  t.end();
});

const leaf = { type: "string" };
const refused: Readonly<Record<string, { readonly schema: Schema; readonly says: RegExp }>> = {
  "no $id": { schema: { ...lamp, $id: undefined }, says: /expected `\$id`/ },
  "an $id elsewhere": {
    schema: { ...lamp, $id: "lamp.json" },
    says: /expected `\$id`.*"lamp.json"/,
  },
  "no title": { schema: { ...lamp, title: undefined }, says: /expected a `title`/ },
  prefixItems: { schema: { ...lamp, prefixItems: [] }, says: /^#: `prefixItems` is refused/ },
  "unevaluatedProperties, deep": {
    schema: { ...lamp, $defs: { a: { items: { ...lamp, unevaluatedProperties: false } } } },
    says: /^#\/\$defs\/a\/items: `unevaluatedProperties` is refused/,
  },
  "format below not": {
    schema: { ...lamp, not: { properties: { a: { format: "ipv4" } } } },
    says: /^#\/not\/properties\/a: `format` is refused/,
  },
  "a property without description": {
    schema: { ...lamp, properties: { a: leaf } },
    says: /^#\/properties\/a: a leaf without `description`/,
  },
  "an item without description": {
    schema: { ...lamp, properties: { a: { description: "A list.", items: leaf } } },
    says: /^#\/properties\/a\/items: a leaf/,
  },
  "an alternative that neither it nor its owner describes": {
    schema: { ...lamp, properties: { a: { anyOf: [leaf, { $ref: "#" }] } } },
    says: /^#\/properties\/a\/anyOf\/0: a leaf/,
  },
};

t.test("refused schemas", (t) => {
  for (const [name, { schema, says }] of Object.entries(refused)) {
    const found = refusals(schema, { types: true });
    t.equal(found.length, 1, name);
    t.match(found[0], says, name);
  }
  const described = { a: { description: "Text or not.", anyOf: [leaf, { type: "null" }] } };
  t.same(
    refusals({ ...lamp, properties: described }, { types: true }),
    [],
    "described by its owner",
  );
  t.same(refusals({ ...lamp, title: undefined }, { types: false }), [], "no type, no title");
  t.same(
    refusals({ ...lamp, propertyNames: leaf }, { types: true }),
    [],
    "a constraint is no leaf",
  );
  t.end();
});

t.test("validators carry no words for people, and every name and value that counts", (t) => {
  const title = { type: "string", title: "Title", examples: ["a"], enum: ["title", "examples"] };
  const schema = {
    title: "Book",
    description: "A book.",
    properties: { title, examples: { $ref: "#/$defs/description" } },
    $defs: { description: { oneOf: [{ const: { title: "x" }, description: "One." }] } },
    required: ["title"],
  };
  t.same(withoutWords(schema), {
    properties: {
      title: { type: "string", enum: ["title", "examples"] },
      examples: { $ref: "#/$defs/description" },
    },
    $defs: { description: { oneOf: [{ const: { title: "x" } }] } },
    required: ["title"],
  });
  t.end();
});

t.test("every schema of this repository is accepted, and its examples fit", (t) => {
  const files = findSchemas(repository);
  const schemas = files.map(({ text }) => JSON.parse(text) as Schema);
  const ajv = schemaSet(schemas.map(withoutWords));
  for (const [index, schema] of schemas.entries()) {
    const file = files[index];
    t.same(refusals(schema, { types: file?.types !== null }), [], file?.path ?? "");
    for (const { pointer, examples } of examplesIn(schema, "#")) {
      const validate = ajv.compile({ $ref: `${schema["$id"]}${encodeURI(pointer)}` });
      for (const example of examples) {
        t.ok(validate(example), `${file?.path} ${pointer}`, { example, errors: validate.errors });
      }
    }
  }
  t.end();
});

function* examplesIn(
  schema: unknown,
  pointer: string,
): Generator<{ readonly pointer: string; readonly examples: readonly unknown[] }> {
  if (typeof schema !== "object" || schema === null) return;
  for (const [name, value] of Object.entries(schema)) {
    if (name === "examples" && Array.isArray(value)) yield { pointer, examples: value };
    else yield* examplesIn(value, `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`);
  }
}
