import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { refusals, type Schema } from "./refuse.ts";
import { outputPaths, type SchemaFile } from "./schema-files.ts";
import { typesModule } from "./types.ts";
import { schemaSet, validatorFiles } from "./validator.ts";
import { withoutWords } from "./without-words.ts";

interface Parsed {
  readonly file: SchemaFile;
  readonly schema: Schema;
  readonly id: string;
  readonly title: string;
}

/**
 * Writes types and validators of `schemas` below `root` and removes what no schema makes any
 * more. Returns what is wrong, one sentence each, naming the file; what is right is written all
 * the same, so that one bad schema does not stop work on the others.
 */
export async function generate(
  root: string,
  schemas: readonly SchemaFile[],
): Promise<readonly string[]> {
  const problems: string[] = [];
  const good = schemas.flatMap((file) => parse(file, problems));
  const unique = refuseTwins(good, problems);
  const byId = new Map<string, object>(unique.map(({ id, schema }) => [id, schema]));
  const ajv = schemaSet([...byId.values()].map(withoutWords));
  for (const { file, schema, id, title } of unique) {
    try {
      const outputs = new Map(validatorFiles(ajv, file, { id, title }));
      if (file.types !== null) outputs.set(file.types, await typesModule(schema, title, byId));
      for (const [path, text] of outputs) replace(root, path, text);
    } catch (error) {
      problems.push(`${file.path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  removeOthers(root, outputPaths(schemas));
  return problems;
}

function parse(file: SchemaFile, problems: string[]): readonly Parsed[] {
  let schema: Schema;
  try {
    schema = JSON.parse(file.text);
  } catch (error) {
    problems.push(`${file.path}: expected JSON: ${(error as Error).message}`);
    return [];
  }
  const found = refusals(schema, { types: file.types !== null });
  problems.push(...found.map((problem) => `${file.path}: ${problem}`));
  const { $id: id, title } = schema as { $id?: unknown; title?: unknown };
  if (found.length > 0) return [];
  return [{ file, schema, id: String(id), title: String(title) }];
}

function refuseTwins(parsed: readonly Parsed[], problems: string[]): readonly Parsed[] {
  const first = new Map<string, Parsed>();
  for (const each of parsed) {
    const other = first.get(each.id);
    if (other === undefined) first.set(each.id, each);
    else problems.push(`${each.file.path}: the \`$id\` of ${other.file.path} again: ${each.id}`);
  }
  return [...first.values()];
}

/** Writes a file whole or not at all, and only when it changes: others may be reading it. */
function replace(root: string, path: string, text: string): void {
  const target = join(root, path);
  if (readOrEmpty(target) === text) return;
  mkdirSync(dirname(target), { recursive: true });
  const temporary = join(root, "generated", `.${process.pid}.tmp`);
  writeFileSync(temporary, text);
  renameSync(temporary, target);
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function removeOthers(root: string, wanted: readonly string[]): void {
  const keep = new Set(wanted);
  const entries = readdirSync(join(root, "generated"), { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const relative = path.slice(root.length + 1);
    if (entry.isFile() && !entry.name.startsWith(".") && !keep.has(relative)) rmSync(path);
  }
}
