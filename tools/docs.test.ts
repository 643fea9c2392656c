import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { commands } from "#cli/commands.ts";
import { codes } from "#core/codes.ts";
import { generatedPages } from "./docs/pages.ts";

const repository = join(import.meta.dirname, "..");

t.test("pages that are made from code are up to date", async (t) => {
  for (const [path, text] of await generatedPages()) {
    const found = readFileSync(join(repository, path), "utf8");
    t.ok(found === text, `${path}: run \`npm run docs\` when this fails`);
  }
});

/** No option for a person: the kill campaigns and tests keep the root side in the process by it. */
const inCampaigns = "in-process";

t.test("each option of a command stands in its usage, and so on the page", async (t) => {
  for (const [name, { load, hidden }] of Object.entries(commands)) {
    if (hidden === true) continue;
    const { usage, options = {} } = (await load()).command;
    for (const option of Object.keys(options))
      if (option !== inCampaigns) t.match(usage, `--${option}`, `${name} --${option}`);
  }
});

t.test("the README's table names every page of docs/", async (t) => {
  const readme = readFileSync(join(repository, "README.md"), "utf8");
  for (const { name } of readdirSync(join(repository, "docs"), { withFileTypes: true }))
    t.match(readme, new RegExp(`^\\| \\[docs/${name}/?\\]\\(`, "m"), name);
});

t.test("each code is on its page once, with a whole sentence for both columns", async (t) => {
  const page = (await generatedPages()).get("docs/codes.md") ?? "";
  for (const [code, { means, action }] of Object.entries(codes)) {
    t.equal(page.split(`| \`${code}\` |`).length - 1, 1, code);
    t.match(code, /^[a-z][a-z-]*\/[a-z0-9-]+$/, `${code} is area/name`);
    t.match(means, /^\S.*\.$/, `${code} says what it means`);
    t.match(action, /^\S.*\.$/, `${code} says what to do`);
  }
});
