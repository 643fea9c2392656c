import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { digestOf, findSchemas, outputPaths } from "./generation/schema-files.ts";

// `npm run generate`: from every schema of the rooms the types and validators in generated/.
// A stamp makes it cheap when nothing changed; the generators are loaded only when something did.

const repository = join(import.meta.dirname, "..");
const root = resolve(process.argv[2] ?? repository);
const stamp = join(root, "generated/.stamp");

const schemas = findSchemas(root);
const digest = digestOf(schemas, repository);
if (!isFresh()) await regenerate();

function isFresh(): boolean {
  return (
    existsSync(stamp) &&
    readFileSync(stamp, "utf8") === digest &&
    outputPaths(schemas).every((path) => existsSync(join(root, path)))
  );
}

async function regenerate(): Promise<void> {
  const { generate } = await import("./generation/generate.ts");
  mkdirSync(join(root, "generated"), { recursive: true });
  rmSync(stamp, { force: true });
  const problems = await generate(root, schemas);
  for (const problem of problems) console.error(`generate: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
  else writeFileSync(stamp, digest);
}
