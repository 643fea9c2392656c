import t from "tap";
import type { Json } from "#core/canonical-json.ts";
import { fc } from "#core/fast-check.ts";
import { viewOf } from "../yaml.ts";
import { MergeLimits } from "./merge-limits.ts";
import { mergeParts } from "./merge-parts.ts";
import { mergeTexts, partsOf } from "./sample-merge.ts";
import { TextRow } from "./text-row.ts";

const config = "#cloud-config\na: {b: [1, 2]}\nc: x\n'1': y\n";
const before = { a: { b: [1, 2] }, c: "x", 1: "y" };
const patch = (...operations: readonly Json[]) =>
  `#cloud-config-jsonp\n${JSON.stringify(operations)}\n`;
const merge = (...texts: readonly string[]) => mergeTexts(texts);

/** Operations, and what they make of the config. */
const applied: readonly (readonly [operations: readonly Json[], after: Json])[] = [
  [[], before],
  [[{ op: "add", path: "/d", value: 1 }], { ...before, d: 1 }],
  [[{ op: "add", path: "/c", value: null }], { ...before, c: null }],
  [[{ op: "add", path: "/a/b/-", value: 3 }], { ...before, a: { b: [1, 2, 3] } }],
  [[{ op: "add", path: "/a/b/0", value: 0 }], { ...before, a: { b: [0, 1, 2] } }],
  [[{ op: "add", path: "/a/b/2", value: 3 }], { ...before, a: { b: [1, 2, 3] } }],
  [[{ op: "add", path: "/~1~0", value: 1 }], { ...before, "/~": 1 }],
  [[{ op: "add", path: "/", value: 1 }], { ...before, "": 1 }],
  [[{ op: "add", path: "", value: { z: 1 } }], { z: 1 }],
  [[{ op: "remove", path: "/a/b/0" }], { ...before, a: { b: [2] } }],
  [[{ op: "remove", path: "/a" }], { c: "x", 1: "y" }],
  [[{ op: "replace", path: "/a/b", value: {} }], { ...before, a: { b: {} } }],
  [[{ op: "replace", path: "/a/b/1", value: 9 }], { ...before, a: { b: [1, 9] } }],
  [[{ op: "copy", from: "/c", path: "/a/b/0" }], { ...before, a: { b: ["x", 1, 2] } }],
  [[{ op: "move", from: "/a/b", path: "/c" }], { a: {}, c: [1, 2], 1: "y" }],
  [[{ op: "move", from: "/a/b/0", path: "/a/b/1" }], { ...before, a: { b: [2, 1] } }],
  [[{ op: "move", from: "/a", path: "/a" }], before],
  [[{ op: "test", path: "/a", value: { b: [1, 2.0] } }], before],
  [[{ op: "test", path: "/a/b/0", value: true }], before],
  [
    [
      { op: "add", path: "/l", value: [] },
      { op: "add", path: "/l/-", value: 1 },
      { op: "copy", from: "/l", path: "/m" },
      { op: "add", path: "/m/-", value: 2 },
    ],
    { ...before, l: [1], m: [1, 2] },
  ],
];

t.test("operations are applied in their order", async (t) => {
  for (const [operations, after] of applied) {
    const { value, said } = merge(config, patch(...operations));
    t.strictSame(said, [], JSON.stringify(operations));
    t.strictSame(value, after, JSON.stringify(operations));
  }
});

const failing: readonly Json[] = [
  { op: "remove", path: "/x" },
  { op: "remove", path: "" },
  { op: "remove", path: "/a/b/2" },
  { op: "remove", path: "/a/b/-" },
  { op: "replace", path: "/x", value: 1 },
  { op: "replace", path: "/a/b/-", value: 1 },
  { op: "add", path: "/x/y", value: 1 },
  { op: "add", path: "/a/b/3", value: 1 },
  { op: "add", path: "/a/b/01", value: 1 },
  { op: "add", path: "/a/b/x", value: 1 },
  { op: "add", path: "/c/d", value: 1 },
  { op: "copy", from: "/x", path: "/y" },
  { op: "copy", from: "", path: "/y" },
  { op: "move", from: "", path: "" },
  { op: "move", from: "/a", path: "/a/c" },
  { op: "test", path: "/c", value: "y" },
  { op: "test", path: "/x", value: null },
  { op: "test", path: "/a", value: {} },
  { op: "add", path: "/__proto__/x", value: 1 },
  { op: "remove", path: "/constructor" },
];

t.test("one that cannot be done undoes all, with an error at its place", async (t) => {
  for (const operation of failing) {
    const { value, said } = merge(config, patch({ op: "add", path: "/d", value: 1 }, operation));
    t.strictSame(value, before, JSON.stringify(operation));
    t.strictSame(said, ["part2:2:37 error merge/failed"], JSON.stringify(operation));
  }
});

const malformed: readonly (readonly [text: string, place: string])[] = [
  ["", "2:1 error merge/invalid-json"],
  ["[", "2:2 error merge/invalid-json"],
  ["[] x", "2:4 error merge/invalid-json"],
  ["['a']", "2:2 error merge/invalid-json"],
  ['["a]', "2:2 error merge/invalid-json"],
  ['[{"op":"add" "path":""}]', "2:14 error merge/invalid-json"],
  ["[01]", "2:3 error merge/invalid-json"],
  ["\n\n  [\t1,]", "4:7 error merge/invalid-json"],
  ["{}", "2:1 error merge/invalid-patch"],
  ["null", "2:1 error merge/invalid-patch"],
  ["[7]", "2:2 error merge/invalid-patch"],
  ['[{"op":"ad","path":"/a","value":1}]', "2:2 error merge/invalid-patch"],
  ['[{"op":"add","path":"/a"}]', "2:2 error merge/invalid-patch"],
  ['[{"op":"add","value":1}]', "2:2 error merge/invalid-patch"],
  ['[{"op":"copy","path":"/a"}]', "2:2 error merge/invalid-patch"],
  ['[{"op":"remove","path":"a"}]', "2:24 error merge/invalid-patch"],
  ['[{"op":"remove","path":"/~2"}]', "2:24 error merge/invalid-patch"],
  ['[{"op":"remove","path":1}]', "2:24 error merge/invalid-patch"],
  [`${"[".repeat(200)}${"]".repeat(200)}`, "2:102 error merge/too-large"],
  ['[{"op":"add","path":"/a","value":"\\ud800"}]', "2:34 error user-data/not-unicode 0.value"],
];

t.test("what is no patch is left out, with an error at the place", async (t) => {
  for (const [text, place] of malformed) {
    const { value, said } = merge(config, `#cloud-config-jsonp\n${text}`);
    t.strictSame(value, before, text);
    t.strictSame(said, [`part2:${place}`], text);
  }
});

t.test("a patch stands for itself, and before others", async (t) => {
  const add = patch({ op: "add", path: "/a", value: [1] });
  t.strictSame(merge(add).value, { a: [1] });
  t.strictSame(merge(add, "#cloud-config\na: [2]\nb: 1\n").value, { a: [2], b: 1 });
  t.strictSame(merge("#cloud-config\n1: x\n", patch({ op: "remove", path: "/1" })).said.length, 2);
  const list = merge(patch({ op: "add", path: "", value: [] }));
  t.equal(list.value, undefined);
  t.strictSame(list.said, ["part1:2:32 error merge/failed"]);
});

t.test("JSON as Python reads it", async (t) => {
  const values = '[NaN, -Infinity, 1e3, 1.0, -0, 12345678901234567890, "\\u00e9\\/", true]';
  const { value, said } = merge(
    `#cloud-config-jsonp\r\n[{"op": "add", "path": "/a", "value": ${values}}]`,
  );
  t.strictSame(said, []);
  t.strictSame(value, {
    a: ["NaN", "-Infinity", 1000, 1, 0, "12345678901234567890", "é/", true],
  });
});

t.test("a name that every object has makes no other object different", async (t) => {
  const { value } = merge(
    config,
    '#cloud-config-jsonp\n[{"op":"add","path":"/__proto__","value":{"x":1}}, {"op":"add","path":"/__proto__/y","value":1}]',
  );
  t.equal(Object.getPrototypeOf(value), Object.prototype);
  t.match(JSON.stringify(value), /"__proto__":\{"x":1,"y":1\}/);
  t.equal(({} as { x?: unknown }).x, undefined);
});

t.test(
  "every letter of a text of several lines is found where it stands in the patch",
  async () => {
    const word = fc.constantFrom("a", "bc", '"', "\\", "\t", "é", "😀", "\u0001", "  l", "\r", "/");
    const lines = fc.array(fc.array(word, { maxLength: 5 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(lines, fc.boolean(), (words, isEscaped) => {
        const text = words.map((each) => each.join("")).join("\n");
        const plain = JSON.stringify(text);
        const written = isEscaped ? plain.replaceAll("é", "\\u00e9") : plain;
        const patchText = `#cloud-config-jsonp\n[{"op": "add", "path": "/k",\n "value": ${written}}]`;
        const row = new TextRow();
        const parts = partsOf([config, patchText]);
        const { item } = mergeParts(parts, { row, limits: new MergeLimits() });
        const { locate } = viewOf(item, (offset) => row.place(offset));
        const linesOfPatch = patchText.split("\n").map((line) => [...line]);
        let offset = 0;
        for (const letter of text) {
          const at = locate(["k"], offset);
          const found = linesOfPatch[(at?.line ?? 0) - 1]?.[(at?.column ?? 0) - 1];
          const isPlain = JSON.stringify(letter).length === letter.length + 2;
          if (at?.document !== "part2" || at.line !== 3) return false;
          if (found !== (isPlain && !(isEscaped && letter === "é") ? letter : "\\")) return false;
          offset += letter.length;
        }
        return true;
      }),
      { numRuns: 500, seed: 5 },
    );
  },
);
