import t from "tap";
import { validate } from "#generated/provisioner/spec/v1.validate.js";
import { describeError } from "./describe-error.ts";
import schema from "./v1.schema.json" with { type: "json" };
import { checkSpec } from "./validate.ts";

const options = {
  document: "spec",
  findOrigin: () => undefined,
  secretNames: new Set(["known"]),
};

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
}

/** Each object of the schema with keys of its own, as a way to put a value there. */
function* objects(
  given: Schema,
  put: (value: unknown) => unknown,
): Generator<[Schema, typeof put]> {
  const definitions = schema.$defs as unknown as Readonly<Record<string, Schema>>;
  const found = given.$ref === undefined ? given : definitions[given.$ref.slice("#/$defs/".length)];
  const { properties, additionalProperties, items, oneOf = [] } = found ?? {};
  if (properties !== undefined && additionalProperties === false) yield [{ properties }, put];
  for (const [key, inner] of Object.entries(properties ?? {})) {
    yield* objects(inner, (value) => put({ [key]: value }));
  }
  for (const form of oneOf) yield* objects(form, put);
  if (items !== undefined) yield* objects(items, (value) => put([value]));
  if (typeof additionalProperties === "object") {
    yield* objects(additionalProperties, (value) => put({ a: value }));
  }
}

t.test("in every object of the spec an unknown key is told the known one", async (t) => {
  let count = 0;
  for (const [{ properties = {} }, put] of objects(schema as unknown as Schema, (value) => value)) {
    const key = Object.keys(properties).findLast((name) => name.length > 3) ?? "type";
    const type = properties["type"] as { readonly const?: string } | undefined;
    const tag = type?.const === undefined ? {} : { type: type.const };
    const { findings, spec } = checkSpec(put({ ...tag, [`${key}x`]: 1 }) as object, options);
    const about = findings.filter(({ path }) => path.endsWith(`${key}x`));
    t.match(
      about,
      [{ message: "no such key", hint: `did you mean \`${key}\`?` }],
      about[0]?.path ?? "",
    );
    t.ok(validate(spec));
    count += 1;
  }
  t.ok(count > 20);
});

t.test("what does not fit is taken out, and everything that lacks it then", async (t) => {
  const cases: readonly (readonly [object, object])[] = [
    [{ version: 7, hostname: "a" }, { hostname: "a" }],
    [{ keyboard: { layout: 1, model: "a" } }, {}],
    [
      { files: [{ path: "/a" }, { content: "x" }, { path: "/b", mode: 1 }] },
      { files: [{ path: "/a" }, { path: "/b" }] },
    ],
    [{ packages: ["a", "", "b", "a"] }, { packages: ["a", "b"] }],
    [{ users: { a: { passwordHash: { secretRef: "x" }, uid: 1 } } }, { users: { a: { uid: 1 } } }],
    [
      { users: { a: { passwordHash: { secretRef: "known" } } } },
      { users: { a: { passwordHash: { secretRef: "known" } } } },
    ],
    [{ options: { a: { secretRef: "data" } } }, { options: { a: { secretRef: "data" } } }],
    [{ options: { a: "x\0", "b\0": 1, c: 1 } }, { options: { c: 1 } }],
    [{ report: { mqtt: { host: "a b" } } }, { report: {} }],
    [{ "a/b~c": 1, "": 2 }, {}],
  ];
  for (const [value, rest] of cases) {
    const text = JSON.stringify(value);
    const { spec, findings } = checkSpec({ version: 1, ...value }, options);
    t.strictSame(spec, { version: 1, ...rest }, text);
    t.equal(findings.length > 0, JSON.stringify(rest) !== text, text);
  }
});

t.test("far too many faults leave the smallest spec", async (t) => {
  const packages = Array.from({ length: 100 }, (_, index) => `p${index % 50}`);
  const { spec } = checkSpec({ version: 1, packages, hostname: "a" }, options);
  t.ok(validate(spec));
});

/** Every `pattern` of a schema that is about a value, not about the names in a mapping. */
function patternsOf(given: unknown): readonly string[] {
  if (typeof given !== "object" || given === null) return [];
  return Object.entries(given).flatMap(([key, value]) => {
    if (key === "propertyNames") return [];
    return key === "pattern" && typeof value === "string" ? [value] : patternsOf(value);
  });
}

t.test("what form a text must have is said in words, with an example", async (t) => {
  for (const pattern of new Set(patternsOf(schema))) {
    const error = {
      keyword: "pattern",
      instancePath: "",
      schemaPath: "#/pattern",
      params: { pattern },
    };
    const { message, hint } = describeError(error, [], undefined);
    t.match(message, /^must be /, pattern);
    t.notOk(`${message}${hint}`.includes(pattern));
  }
  const spec = {
    users: { a: { uid: -1, expires: "soon" } },
    files: [{ path: "etc/x" }],
    health: { checks: [{ type: "file", path: "ready" }] },
  };
  const { findings } = checkSpec(spec, options);
  const hints = Object.fromEntries(findings.map(({ path, hint }) => [path, hint]));
  t.match(hints, {
    "users.a.uid": "write a number such as 1001",
    "users.a.expires": "write it like `2027-12-31`",
    "files.0.path": "write it like `/etc/motd`",
    "health.checks.0.path": "write it like `/run/app/ready`",
  });
});

t.test("of an empty text one thing is said", async (t) => {
  const { findings } = checkSpec({ version: 1, hostname: "", timezone: "" }, options);
  t.match(findings, [
    { path: "hostname", message: "must not be empty" },
    { path: "timezone", message: "must not be empty" },
  ]);
  t.equal(findings.length, 2);
});

t.test("of what is no mapping nothing else is said", async (t) => {
  for (const value of [
    { version: 1, files: ["bad"] },
    { version: 1, units: { "a.service": "bad" } },
  ]) {
    const { findings } = checkSpec(value, options);
    t.strictSame(
      findings.map(({ message }) => message),
      ["must be a mapping"],
    );
  }
});
