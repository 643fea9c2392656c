import t from "tap";
import { mergeTexts } from "#provisioner/userdata/merge/sample-merge.ts";
import { readYaml } from "#provisioner/userdata/yaml.ts";
import { absent, mergeFiles } from "./cloud-config-set.ts";

const skip = absent("cloud-config/merge");

t.test("cloud-init's own cases of merging come to the same", { skip }, async (t) => {
  const files = mergeFiles();
  let count = 0;
  for (const [name, text] of files) {
    const [, number] = /^expected(\d+)\.yaml$/.exec(name) ?? [];
    if (number === undefined) continue;
    count += 1;
    const sources = [...files].filter(([each]) => each.startsWith(`source${number}-`));
    t.ok(sources.length >= 2, `case ${number} has parts`);
    const { value, findings } = mergeTexts(sources.map(([, source]) => source));
    t.strictSame(value, readYaml(text, { document: name }).value, `case ${number}`);
    const errors = findings.filter(({ level }) => level === "error");
    t.strictSame(errors, [], `case ${number}: no error`);
  }
  t.ok(count >= 6, `${count} cases`);
});
