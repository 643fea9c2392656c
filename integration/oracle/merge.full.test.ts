import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { Json } from "#core/canonical-json.ts";
import { fc } from "#core/fast-check.ts";
import { combineKinds } from "#provisioner/userdata/merge/combine-kinds.ts";
import { MergeLimits } from "#provisioner/userdata/merge/merge-limits.ts";
import { mergeParts } from "#provisioner/userdata/merge/merge-parts.ts";
import { partsOf } from "#provisioner/userdata/merge/sample-merge.ts";
import { TextRow } from "#provisioner/userdata/merge/text-row.ts";
import { cloudInitForMerging, type MergeCase, mergeCases, mergeOracle } from "./merge-cases.ts";

t.setTimeout(300_000);
const skip = process.geteuid?.() === 0 ? false : "SKIPPED: apt is used as root only";
const count = 1_000;

interface Merged {
  /** Of the parts of each kind: user-data, vendor-data2, vendor-data. */
  readonly kinds: readonly (Json | undefined)[];
  readonly combined: Json | undefined;
}

function ours({ kinds }: MergeCase): Merged {
  const options = { row: new TextRow(), limits: new MergeLimits() };
  const items = kinds.map((parts) => mergeParts(partsOf(parts), options).item);
  const { item, findings } = combineKinds(
    items.filter((each) => each !== undefined),
    options,
  );
  const isBroken = findings.some(({ level }) => level === "error");
  return {
    kinds: items.map((each) => each?.value.json),
    combined: isBroken ? undefined : (item?.value.json ?? {}),
  };
}

t.test("cloud-init merges the same, parts and kinds", { skip }, async (t) => {
  const seed = fc.readConfigureGlobal().seed ?? 0;
  const cases = fc.sample(mergeCases, { numRuns: count, seed });
  const script = path.join(t.testdir(), "merge.py");
  writeFileSync(script, mergeOracle);
  const env = { ...process.env, PYTHONPATH: await cloudInitForMerging() };
  const output = execFileSync("python3", [script], {
    ...{ input: JSON.stringify(cases), env, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  });
  const theirs = JSON.parse(output) as readonly Merged[];
  t.equal(theirs.length, count);
  let same = 0;
  for (const [index, one] of cases.entries()) {
    const said = JSON.parse(JSON.stringify(ours(one)));
    if (t.strictSame(said, theirs[index], JSON.stringify(one))) same += 1;
    else if (index - same > 5) break;
  }
  t.comment(`seed ${seed}: ${same} of ${count} the same`);
});
