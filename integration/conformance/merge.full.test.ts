import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { mergeTexts } from "#provisioner/userdata/merge/sample-merge.ts";
import { readYaml } from "#provisioner/userdata/yaml.ts";
import { absent } from "./cloud-config-set.ts";

const set = "cloud-config/merge";
const directory = path.resolve(import.meta.dirname, "../../../shared/data", set);
const read = (name: string) => readFileSync(path.join(directory, name), "utf8");

t.test("cloud-init's own cases of merging come to the same", { skip: absent(set) }, async (t) => {
  const names = readdirSync(directory).sort();
  const cases = names.flatMap((name) => /^expected(\d+)\.yaml$/.exec(name)?.[1] ?? []);
  t.ok(cases.length >= 6, `${cases.length} cases`);
  for (const number of cases) {
    const sources = names.filter((name) => name.startsWith(`source${number}-`));
    t.ok(sources.length >= 2, `case ${number} has parts`);
    const { value, findings } = mergeTexts(sources.map(read));
    const expected = readYaml(read(`expected${number}.yaml`), { document: "expected" });
    t.strictSame(value, expected.value, `case ${number}`);
    t.notOk(
      findings.some(({ level }) => level === "error"),
      `case ${number}: no error`,
    );
  }
});
