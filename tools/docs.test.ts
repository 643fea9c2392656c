import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { codes } from "#core/codes.ts";
import { generatedPages } from "./docs/pages.ts";

const repository = join(import.meta.dirname, "..");

t.test("pages that are made from code are up to date", (t) => {
  for (const [path, text] of generatedPages()) {
    const found = readFileSync(join(repository, path), "utf8");
    t.ok(found === text, `${path}: run \`npm run docs\` when this fails`);
  }
  t.end();
});

t.test("each code is on its page once, with a whole sentence for both columns", (t) => {
  const page = generatedPages().get("docs/codes.md") ?? "";
  for (const [code, { means, action }] of Object.entries(codes)) {
    t.equal(page.split(`| \`${code}\` |`).length - 1, 1, code);
    t.match(code, /^[a-z][a-z-]*\/[a-z0-9-]+$/, `${code} is area/name`);
    t.match(means, /^\S.*\.$/, `${code} says what it means`);
    t.match(action, /^\S.*\.$/, `${code} says what to do`);
  }
  t.end();
});
