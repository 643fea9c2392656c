import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One schema file and what is made from it; paths are relative to the repository. */
export interface SchemaFile {
  /** For example `provisioner/spec/v1.schema.json`. */
  readonly path: string;
  readonly text: string;
  /** Path of the types, for example `generated/provisioner/spec/v1.ts`; null for a template's parameters. */
  readonly types: string | null;
  /** Path of the validator module, for example `generated/provisioner/spec/v1.validate.js`. */
  readonly validator: string;
}

const rooms = [
  "agent",
  "cli",
  "core",
  "fleet",
  "hardware-profiles",
  "protocol",
  "provisioner",
  "templates",
];

/** Every schema below `root`, sorted by path: `*.schema.json` of each room, and each template's `schema.json`. */
export function findSchemas(root: string): readonly SchemaFile[] {
  return rooms
    .filter((room) => existsSync(join(root, room)))
    .flatMap((room) =>
      readdirSync(join(root, room), { recursive: true, encoding: "utf8" }).map(
        (name) => `${room}/${name}`,
      ),
    )
    .filter((path) => path.endsWith(".schema.json") || isTemplate(path))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8"), ...outputsOf(path) }));
}

function isTemplate(path: string): boolean {
  return /^templates\/[^/]+\/schema\.json$/.test(path);
}

function outputsOf(path: string): Pick<SchemaFile, "types" | "validator"> {
  const stem = `generated/${path.replace(/(\.schema)?\.json$/, "")}`;
  return { types: isTemplate(path) ? null : `${stem}.ts`, validator: `${stem}.validate.js` };
}

/** Paths of everything that is made from `schemas`. */
export function outputPaths(schemas: readonly SchemaFile[]): readonly string[] {
  return schemas.flatMap(({ types, validator }) => [
    ...(types === null ? [] : [types]),
    validator,
    declarationOf(validator),
  ]);
}

/** Path of the declarations that belong to a validator module. */
export function declarationOf(validator: string): string {
  return validator.replace(/\.js$/, ".d.ts");
}

/** Digest of all that decides what is generated: the schemas, the generator, the locked packages. */
export function digestOf(schemas: readonly SchemaFile[], repository: string): string {
  const hash = createHash("sha256");
  for (const { path, text } of schemas) hash.update(JSON.stringify([path, text]));
  const generator = readdirSync(join(repository, "tools/generation"))
    .filter((name) => !name.endsWith(".test.ts"))
    .sort()
    .map((name) => `tools/generation/${name}`);
  for (const path of ["package-lock.json", "tools/generate.ts", ...generator]) {
    hash.update(readFileSync(join(repository, path)));
  }
  return hash.digest("hex");
}
