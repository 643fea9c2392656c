import t from "tap";
import type { Json } from "#core/canonical-json.ts";
import { mergeTexts } from "./sample-merge.ts";

const config = (text: string) => `#cloud-config\n${text}`;

/** Two parts, and what comes of them; each as cloud-init 22.4.2 and 26.2 have it. */
const pairs: readonly (readonly [first: string, second: string, merged: Json])[] = [
  // without a word later keys replace earlier ones
  ["a: 1\nb: 2", "b: [3]", { a: 1, b: [3] }],
  ["runcmd: [a]", "runcmd: [b]", { runcmd: ["b"] }],
  ["a: {b: 1}", "a: {c: 2}", { a: { c: 2 } }],
  ["a: 1", "a: null", { a: null }],
  ["a: {}", "{}", { a: {} }],
  // the later part says how it is merged, not the earlier one
  ["a: [1]\nmerge_how: dict(recurse_list)+list(append)", "a: [2]", { a: [2] }],
  ["a: [1]", "a: [2]\nmerge_how: dict(recurse_list)+list(append)", { a: [1, 2] }],
  ["a: [1]", "a: [2]\nmerge_type: dict(recurse_array)+list(prepend)", { a: [2, 1] }],
  ["a: [1]", "a: [2]\nmerge_how: DICT( Recurse-List , )+list(append)", { a: [1, 2] }],
  ["a: [1]", "a: [2]\nmerge_how: m-dict( recurse_LIST )++ m_list(append) ", { a: [1, 2] }],
  // mappings: what is there stays, and mappings in them are always merged
  ["a: 1\nb: {c: 1}", "a: 2\nb: {c: 2, d: 3}\nmerge_how: dict()", { a: 1, b: { c: 1, d: 3 } }],
  ["a: {b: 1}", "a: {b: 2}\nmerge_how: dict(replace,recurse_str)", { a: { b: 2 } }],
  ["a: {b: 1, c: 2}", "a: {b: null}\nmerge_how: dict(allow_delete)", { a: { c: 2 } }],
  ["a: 1", "a: null\nmerge_how: dict(allow_delete,replace)", {}],
  ["a: 1", "b: null\nmerge_how: dict(allow_delete)", { a: 1, b: null }],
  ["a: {b: 1}", "a: [2]\nmerge_how: dict(recurse_list)+list(append)", { a: { b: 1 } }],
  ["a: 1", "a: {b: 1}\nmerge_how: dict()", { a: 1 }],
  // texts
  ["a: x", "a: y\nmerge_how: dict(recurse_str)+str(append)", { a: "xy" }],
  ["a: x", "a: y\nmerge_how: dict(recurse_str)+str()", { a: "y" }],
  ["a: x", "a: y\nmerge_how: dict(recurse_str)", { a: "x" }],
  ["a: 1", "a: y\nmerge_how: dict(recurse_str)+str(append)", { a: 1 }],
  ["a: x", "a: [y]\nmerge_how: dict(recurse_list)+str()", { a: ["y"] }],
  ["a: x", "a: {y: 1}\nmerge_how: dict()+str()", { a: { y: 1 } }],
  ["a: 2026-01-02", "a: y\nmerge_how: dict(recurse_str)+str(append)", { a: "2026-01-02" }],
  ["a: [x]", "a: bc\nmerge_how: dict(recurse_str)+list(append)", { a: ["x", "b", "c"] }],
  ["a: [x]", "a: bc\nmerge_how: dict(recurse_str)+list()", { a: "bc" }],
  // lists, index by index: as long as the earlier one
  ["a: [1, 2]", "a: [3]\nmerge_how: dict(recurse_list)+list()", { a: [3, 2] }],
  ["a: [1]", "a: [2, 3]\nmerge_how: dict(recurse_list)+list()", { a: [2] }],
  ["a: [1, 2]", "a: [3]\nmerge_how: dict(recurse_list)+list(no_replace)", { a: [1, 2] }],
  ["a: [1]", "a: {b: 2, c: 3}\nmerge_how: dict()+list(append)", { a: [1, "b", "c"] }],
  ["a: [1]", "a: {b: 2}\nmerge_how: dict()+list()", { a: { b: 2 } }],
  [
    "a: [{b: 1}, [1], x]",
    "a: [{c: 2}, [2, 3], y]\nmerge_how: dict(recurse_list)+list(recurse_dict,recurse_list,recurse_str)+str(append)",
    { a: [{ b: 1, c: 2 }, [2], "xy"] },
  ],
  ["a: [{b: 1}]", "a: [{c: 2}]\nmerge_how: dict(recurse_list)+list()", { a: [{ c: 2 }] }],
  // the first merger of a type counts, and so does the first method of a merger
  ["a: 1", "a: 2\nmerge_how: dict(replace)+dict()", { a: 2 }],
  ["a: 1", "a: 2\nmerge_how: dict()+dict(replace)", { a: 1 }],
  ["a: [1]", "a: [2]\nmerge_how: dict(recurse_list)+list(prepend,append)", { a: [1, 2] }],
  // written as lists
  [
    "a: [1]",
    "a: [2]\nmerge_how: [{name: dict, settings: [recurse_list]}, {name: list, settings: [append]}]",
    { a: [1, 2] },
  ],
  ["a: [1]", "a: [2]\nmerge_how: [[dict, recurse_list], [list, append], [null]]", { a: [1, 2] }],
  ["a: 1", "a: 2\nmerge_how: [{name: dict, settings: no replace}]", { a: 2 }],
  ["a: 1", "a: 2\nmerge_how: [{name: dict, settings: {replace: no}}]", { a: 2 }],
  // nothing is said
  ["a: 1", "a: 2\nmerge_how: ''", { a: 2 }],
  ["a: 1", "a: 2\nmerge_how: []", { a: 2 }],
  ["a: 1", "a: 2\nmerge_how: null\nmerge_type: dict()", { a: 1 }],
  ["a: 1", "a: 2\nmerge_how: dict()\nmerge_type: x", { a: 1, merge_type: "x" }],
];

t.test("two parts", async (t) => {
  for (const [first, second, merged] of pairs) {
    const { value, findings } = mergeTexts([config(first), config(second)]);
    t.strictSame(value, merged, `${first} + ${second}`);
    t.notOk(
      findings.some(({ level }) => level === "error"),
      second,
    );
  }
});

t.test("keys keep their order, and later ones come after them", async (t) => {
  const { value } = mergeTexts([config("b: 1\na: 1"), config("c: 2\nb: 2")]);
  t.strictSame(Object.keys(value ?? {}), ["b", "a", "c"]);
});

t.test("a header says it as well, and after the part itself", async (t) => {
  const both = "dict(recurse_list)+list(append)";
  const second = (text: string, mergeType: string) => ({ text: config(text), mergeType });
  const of = (...parts: Parameters<typeof mergeTexts>[0]) => mergeTexts(parts).value;
  t.strictSame(of(config("a: [1]"), second("a: [2]", both)), { a: [1, 2] });
  t.strictSame(of(config("a: [1]"), second("a: [2]\nmerge_how: dict()", both)), { a: [1] });
  t.strictSame(of(config("a: [1]"), second("a: [2]", " ")), { a: [2] });
});

t.test("of two values that one part takes from another the lost one is told of", async (t) => {
  const { said, findings } = mergeTexts([
    config("runcmd: [a]\nhostname: h"),
    config("hostname: h\nruncmd: [b]"),
  ]);
  t.strictSame(said, ["part1:2:9 note merge/replaced runcmd"]);
  t.match(findings, [{ message: "part2 line 3 says this too, and that counts" }]);
  const kept = mergeTexts([config("a: {b: 1}"), config("a: {b: 2}\nmerge_how: dict()")]);
  t.strictSame(kept.said, ["part2:2:8 note merge/replaced a.b"]);
  t.match(kept.findings, [{ message: "part1 line 2 says this too, and that counts" }]);
});

t.test("of many that are lost the first are named", async (t) => {
  const many = (value: number) =>
    config(Array.from({ length: 30 }, (_, index) => `k${index}: ${value}`).join("\n"));
  const { findings } = mergeTexts([many(1), many(2)]);
  t.equal(findings.length, 21);
  t.match(findings.at(-1), { message: "10 more values are replaced by others", line: null });
});

/** What cannot be read as a way to merge leaves the part out, as cloud-init does. */
const broken: readonly (readonly [how: string, said: string])[] = [
  ["dict", "part2:3:12 error merge/invalid-mergers"],
  ["dict(replace)+tuple()", "part2:3:12 error merge/invalid-mergers"],
  ["__proto__()", "part2:3:12 error merge/invalid-mergers"],
  ["1", "part2:3:12 error merge/invalid-mergers"],
  ["{name: dict, settings: []}", "part2:3:12 error merge/invalid-mergers"],
  ["['dict()']", "part2:3:13 error merge/invalid-mergers"],
  ["[{name: dict}]", "part2:3:13 error merge/invalid-mergers"],
  ["[{name: dict, settings: null}]", "part2:3:13 error merge/invalid-mergers"],
  ["[{name: Dict, settings: []}]", "part2:3:13 error merge/invalid-mergers"],
  ["[[]]", "part2:3:13 error merge/invalid-mergers"],
];

t.test("a part that is not merged is left out whole, with an error at the place", async (t) => {
  for (const [how, expected] of broken) {
    const { value, said } = mergeTexts([config("a: 1"), config(`b: 2\nmerge_how: ${how}`)]);
    t.strictSame(value, { a: 1 }, how);
    t.strictSame(said, [expected], how);
  }
  const header = mergeTexts([config("a: 1"), { text: config("b: 2"), mergeType: "list" }]);
  t.strictSame(header.value, { a: 1 });
  t.strictSame(header.said, ["part2:1:1 error merge/invalid-mergers"]);
});

t.test("values that do not go together leave the part out", async (t) => {
  const how = "merge_how: dict(recurse_list,recurse_str)+list(no_replace)+str(append)";
  const together = { "a: x": ["a: [y]", "a: {y: 1}"], "a: [1]": ["a: {b: 1}"] };
  for (const [first, others] of Object.entries(together)) {
    for (const other of others) {
      const { value, said } = mergeTexts([
        config(`${first}\nb: 1`),
        config(`${other}\nb: 2\n${how}`),
      ]);
      t.strictSame(said, ["part2:2:4 error merge/failed"], other);
      t.match(value, { b: 1 });
    }
  }
});

t.test("a part that merges no mappings is without effect, with a warning", async (t) => {
  const { value, said } = mergeTexts([config("a: [1]"), config("a: [2]\nmerge_how: list(append)")]);
  t.strictSame(value, { a: [1] });
  t.strictSame(said, ["part2:3:12 warning merge/no-dict"]);
});

t.test("options that a merger does not have mean nothing, with a warning", async (t) => {
  const { value, findings } = mergeTexts([
    config("a: [1]"),
    config("a: [2]\nmerge_how: dict(recurse_lists)+list(append, foo)"),
  ]);
  t.strictSame(value, { a: [1] });
  t.match(findings, [
    {
      level: "warning",
      code: "merge/unknown-option",
      line: 3,
      column: 12,
      hint: "did you mean `recurse_list`?",
    },
    { level: "warning", message: "`list` has no option `foo`; it means nothing" },
    { level: "note", code: "merge/replaced" },
  ]);
});

t.test("places are lines of the document that a part begins somewhere in", async (t) => {
  const { said } = mergeTexts([
    { text: config("a: {b: 1}\nc: 1"), firstLine: 10 },
    { text: config("a: 2\nc: [2\n"), firstLine: 20 },
    { text: config("a: 2\nb: [3"), firstLine: 30, mergeType: "x" },
    { text: config("a: 2\nb: 3"), firstLine: 40, mergeType: "x" },
    { text: config("a: 2"), firstLine: 50 },
  ]);
  t.strictSame(said, [
    "part2:23:1 error yaml/invalid",
    "part3:32:6 error yaml/invalid",
    "part4:40:1 error merge/invalid-mergers",
    "part1:11:4 note merge/replaced a",
  ]);
});

t.test("parts that say nothing, or no mapping", async (t) => {
  const { value, said } = mergeTexts([config(""), config("[a]"), config("a: 1"), config("~")]);
  t.strictSame(value, { a: 1 });
  t.strictSame(said, ["part2:2:1 error user-data/wrong-type"]);
  t.strictSame(mergeTexts([]).value, undefined);
});

t.test("names that every object has are names like any other", async (t) => {
  const { value } = mergeTexts([
    config("__proto__: {a: 1}\nconstructor: {b: 1}"),
    config("__proto__: {c: 2}\nconstructor: {d: 2}\nmerge_how: dict()"),
  ]);
  t.equal(JSON.stringify(value), '{"__proto__":{"a":1,"c":2},"constructor":{"b":1,"d":2}}');
  t.equal((Object.prototype as { a?: unknown }).a, undefined);
});
