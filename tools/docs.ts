import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generatedPages } from "./docs/pages.ts";

// `npm run docs`: writes the pages of docs/ that are made from code.

for (const [path, text] of await generatedPages()) {
  writeFileSync(join(import.meta.dirname, "..", path), text);
}
