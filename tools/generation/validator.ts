import { Ajv2020 } from "ajv/dist/2020.js";
import standalone from "ajv/dist/standalone/index.js";
import type { Schema } from "./refuse.ts";
import { declarationOf, type SchemaFile } from "./schema-files.ts";

const banner = "// Made by `npm run generate`; do not edit.\n";

/**
 * Ajv with every schema known, so that one may refer to another by `$id`. Strict, and all errors
 * of a document at once. `strictRequired` is off: it refuses `not: { required: [...] }`.
 */
export function schemaSet(schemas: readonly object[]): Ajv2020 {
  const ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    allErrors: true,
    discriminator: true,
    code: { source: true, esm: true, lines: true },
  });
  for (const schema of schemas) ajv.addSchema(schema);
  return ajv;
}

/** Text of the ES module that exports `validate` and `knownKeys` of the schema with this `$id`. */
export function validatorModule(ajv: Ajv2020, id: string): string {
  const validate = ajv.getSchema(id);
  if (validate === undefined) throw new Error(`no schema with $id ${id}`);
  const keys = JSON.stringify(Object.fromEntries(knownKeys(validate.schema, "#")), null, 2);
  return `${banner}${importRuntime(moduleCode(ajv, validate))}\nexport const knownKeys = ${keys};\n`;
}

/** Names of the properties of each object in a schema, by its place as in `schemaPath`. */
function* knownKeys(schema: unknown, pointer: string): Generator<[string, readonly string[]]> {
  if (typeof schema !== "object" || schema === null) return;
  const { properties } = schema as Schema;
  const closed = (schema as Schema)["additionalProperties"] === false;
  if (closed && typeof properties === "object") yield [pointer, Object.keys(properties ?? {})];
  for (const [name, value] of Object.entries(schema)) {
    if (name !== "examples") yield* knownKeys(value, `${pointer}/${name}`);
  }
}

type Standalone = (ajv: Ajv2020, validate: object) => string;

/** Ajv's generator of modules; its CommonJS export has another shape at run time than in its types. */
function moduleCode(ajv: Ajv2020, validate: object): string {
  const loaded: unknown = standalone;
  if (isStandalone(loaded)) return loaded(ajv, validate);
  throw new Error("ajv/dist/standalone does not export a function");
}

function isStandalone(value: unknown): value is Standalone {
  return typeof value === "function";
}

/**
 * Ajv's standalone ES modules still say `require("ajv/dist/runtime/…")`, which no ES module has:
 * each becomes an import of the file. Throws when another `require` is left.
 */
function importRuntime(code: string): string {
  const imports: string[] = [];
  const body = code
    .replace(/^"use strict";\s*/, "")
    .replace(/export default \w+;/, "")
    .replaceAll(/require\("(ajv\/dist\/runtime\/\w+)"\)/g, (_, path: string) => {
      const name = `runtime${imports.length}`;
      imports.push(`import ${name} from "${path}.js";\n`);
      return name;
    });
  if (/\brequire\(/.test(body)) throw new Error("a validator still calls require");
  return imports.join("") + body;
}

/** Declarations of a validator module: a type guard where the schema has a type. */
export function validatorDeclaration(file: SchemaFile, title: string): string {
  const [type, importType] =
    file.types === null
      ? ["Record<string, unknown>", ""]
      : [title, `import type { ${title} } from "./${baseName(file.types)}";\n`];
  return `${banner}${importType}
/** One thing that does not fit. */
export interface ValidationError {
  /** JSON pointer into the value. */
  readonly instancePath: string;
  /** JSON pointer into the schema. */
  readonly schemaPath: string;
  readonly keyword: string;
  /** Depends on the keyword, for example \`additionalProperty\`. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

/** Whether \`value\` fits the schema; \`errors\` tells what does not, until the next call. */
export declare const validate: {
  (value: unknown): value is ${type};
  errors?: readonly ValidationError[] | null;
};

/** Names of the properties of each closed object, by its place in the schema: \`#/$defs/user\`. */
export declare const knownKeys: Readonly<Record<string, readonly string[]>>;
`;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The validator module and its declarations, by path. */
export function validatorFiles(
  ajv: Ajv2020,
  file: SchemaFile,
  schema: { readonly id: string; readonly title: string },
): ReadonlyMap<string, string> {
  return new Map([
    [file.validator, validatorModule(ajv, schema.id)],
    [declarationOf(file.validator), validatorDeclaration(file, schema.title)],
  ]);
}
