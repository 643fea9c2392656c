import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { Json } from "#core/canonical-json.ts";
import { fc } from "#core/fast-check.ts";
import type { PathPart } from "#provisioner/userdata/input.ts";
import { combineKinds } from "#provisioner/userdata/merge/combine-kinds.ts";
import { MergeLimits } from "#provisioner/userdata/merge/merge-limits.ts";
import { mergeParts } from "#provisioner/userdata/merge/merge-parts.ts";
import { partsOf } from "#provisioner/userdata/merge/sample-merge.ts";
import { TextRow } from "#provisioner/userdata/merge/text-row.ts";
import { viewOf } from "#provisioner/userdata/yaml.ts";
import { cloudInitForMerging, type MergeCase, mergeCases, mergeOracle } from "./merge-cases.ts";

t.setTimeout(300_000);
const skip = process.geteuid?.() === 0 ? false : "SKIPPED: apt is used as root only";
const total = 1_000;

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

/** Leaves of a value with their paths. */
function leavesOf(
  value: Json,
  at: readonly PathPart[] = [],
): readonly (readonly [readonly PathPart[], Json])[] {
  if (typeof value !== "object" || value === null) return [[at, value]];
  const inner = Array.isArray(value) ? value.entries() : Object.entries(value);
  return [...inner].flatMap(([key, child]) => leavesOf(child, [...at, key]));
}

/** The value that a text of JSON begins with: a text in quotes, or a word. */
function beginning(text: string): Json {
  const [found] = /^(?:"(?:[^"\\]|\\.)*"|[\w.-]+)/.exec(text) ?? [];
  return found === undefined ? null : JSON.parse(found);
}

t.test("each value, and each key, is found where it was written", async (t) => {
  const seed = fc.readConfigureGlobal().seed ?? 0;
  let count = 0;
  for (const { kinds } of fc.sample(mergeCases, { numRuns: total, seed })) {
    const row = new TextRow();
    const options = { row, limits: new MergeLimits() };
    const texts = new Map<string, readonly string[]>();
    const items = kinds.map((parts, kind) => {
      const named = partsOf(parts).map((part) => ({
        ...part,
        document: `${kind} ${part.document}`,
      }));
      for (const { document, text } of named) texts.set(document, text.split("\n"));
      return mergeParts(named, options).item;
    });
    const { item } = combineKinds(
      items.filter((each) => each !== undefined),
      options,
    );
    const { locate } = viewOf(item, row.place.bind(row));
    // what a patch adds has no key in it, but a pointer
    const isOfPatch = (document = "") => texts.get(document)?.[0] === "#cloud-config-jsonp";
    const wordAt = (path: readonly PathPart[], target: "key" | "value"): Json => {
      const { document = "", line = 0, column = 0 } = locate(path, target) ?? {};
      return beginning(texts.get(document)?.[line - 1]?.slice(column - 1) ?? "");
    };
    for (const [path, value] of leavesOf(item?.value.json ?? {})) {
      if (path.length === 0) continue;
      count += 1;
      const written = wordAt(path, "value");
      const key = path.at(-1);
      if (typeof key === "string" && !isOfPatch(locate(path, "key")?.document))
        if (wordAt(path, "key") !== key) t.strictSame(wordAt(path, "key"), key, path.join("."));
      // of texts that were put together the first one, of one that was taken apart all of it
      const isPart =
        typeof value === "string" &&
        typeof written === "string" &&
        (value.startsWith(written) || written.includes(value));
      if (!isPart && value !== written) t.strictSame(written, value, path.join("."));
    }
  }
  t.ok(count > 5_000, `seed ${seed}: ${count} values`);
});

t.test("cloud-init merges the same, parts and kinds", { skip }, async (t) => {
  const seed = fc.readConfigureGlobal().seed ?? 0;
  const cases = fc.sample(mergeCases, { numRuns: total, seed });
  const script = path.join(t.testdir(), "merge.py");
  writeFileSync(script, mergeOracle);
  const env = { ...process.env, PYTHONPATH: await cloudInitForMerging() };
  const output = execFileSync("python3", [script], {
    ...{ input: JSON.stringify(cases), env, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  });
  const theirs = JSON.parse(output) as readonly Merged[];
  t.equal(theirs.length, total);
  let same = 0;
  for (const [index, one] of cases.entries()) {
    const said = JSON.parse(JSON.stringify(ours(one)));
    if (t.strictSame(said, theirs[index], JSON.stringify(one))) same += 1;
    else if (index - same > 5) break;
  }
  t.comment(`seed ${seed}: ${same} of ${total} the same`);
});
