import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { formatFinding } from "#core/finding.ts";
import { hostFiles } from "#core/host-files.ts";
import { compileProfiles, shippedProfiles } from "./compile.ts";
import { readDeclared } from "./declared.ts";
import { lintProfiles } from "./lint.ts";

const repository = hostFiles(new URL("../..", import.meta.url).pathname, () => {});
const page = repository.readText("/docs/own-profiles.md") ?? "";
const examples = [...page.matchAll(/`([a-z/-]+\/profile\.yaml)`.*\n\n```yaml\n([\s\S]*?)```\n/g)];
const directory = "/hardware-profiles";
const beside = shippedProfiles(
  compileProfiles(repository, directory),
  readDeclared(repository, directory),
);

function lint(root: string, change: (text: string) => string): readonly string[] {
  for (const [, name = "", text = ""] of examples) {
    mkdirSync(path.join(root, path.dirname(name)), { recursive: true });
    writeFileSync(path.join(root, name), change(text));
  }
  const files = hostFiles(root, () => {});
  return lintProfiles(files, { directory: "/", today: "2026-11-28", beside }).map(formatFinding);
}

t.test("the profiles that the page shows are right beside those that ship", async (t) => {
  t.same(
    examples.map(([, name]) => name),
    ["acme/mini-pc/profile.yaml", "acme/modem/profile.yaml"],
  );
  t.same(
    lint(t.testdir(), (text) => text),
    [],
  );
});

t.test("a misspelt key is told as the page shows it", async (t) => {
  const [said = ""] = lint(t.testdir(), (text) => text.replace("productName: {", "prodctName: {"));
  t.ok(page.includes(said), said);
});
