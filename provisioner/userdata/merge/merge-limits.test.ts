import t from "tap";
import { fc } from "#core/fast-check.ts";
import { mergeTexts } from "./sample-merge.ts";

const config = (text: string) => `#cloud-config\n${text}\n`;
const both = "merge_how: dict(recurse_list,recurse_str)+list(append)+str(append)";
const codesOf = (texts: readonly string[]) => mergeTexts(texts).findings.map(({ code }) => code);

/** Doubles with each line: the last key stands for 2^15 values. */
function bomb(): string {
  const lines = Array.from(
    { length: 15 },
    (_, index) => `k${index + 1}: &a${index + 1} [*a${index}, *a${index}]`,
  );
  return `k0: &a0 [x]\n${lines.join("\n")}`;
}

t.test("what aliases stand for is bounded after merging as before it", async (t) => {
  const parts = [config(bomb()), config(`${bomb()}\n${both}`)];
  t.strictSame(codesOf(parts.slice(0, 1)), []);
  const { value, findings } = mergeTexts(parts);
  t.match(findings, [{ code: "merge/too-large", level: "error", document: "part1" }]);
  t.ok(value, "the first part stays");
});

t.test("texts and lists that grow with each part are bounded", async (t) => {
  const text = config(`a: ${"x".repeat(1024 * 1024)}\n${both}`);
  t.ok(codesOf(Array(9).fill(text)).includes("merge/too-large"));
  const list = config(`a: [${"1,".repeat(60_000)}]\n${both}`);
  t.ok(codesOf(Array(4).fill(list)).includes("merge/too-large"));
});

t.test("many parts over many keys are bounded in time", async (t) => {
  const keys = Array.from({ length: 50_000 }, (_, index) => `k${index}: 1`).join("\n");
  const parts = [config(keys), ...Array(200).fill(config("a: 1"))];
  t.ok(codesOf(parts).includes("merge/too-large"));
});

t.test("a patch cannot grow what it copies without end", async (t) => {
  const copy = (from: string) => ({ op: "copy", from, path: "/a/-" });
  const operations = [
    { op: "add", path: "/a", value: ["x".repeat(1000)] },
    ...Array(90).fill(copy("/a")),
  ];
  const { value, findings } = mergeTexts([
    config("b: 1"),
    `#cloud-config-jsonp\n${JSON.stringify(operations)}`,
  ]);
  t.strictSame(value, { b: 1 });
  t.match(findings, [{ code: "merge/too-large", document: "part2" }]);
});

t.test("many mergers and options are read in bounded time, and named once", async (t) => {
  const mergers = "dict(recurse_list)+".repeat(50_000);
  const options = Array.from({ length: 100_000 }, (_, index) => `o${index}`).join(",");
  const list = `[${"[str, append], ".repeat(20_000)}]`;
  for (const [how, count] of [
    [`${mergers}list(append,${options})`, 10],
    [list, 1],
    [`dict(${"append,".repeat(100_000)})`, 1],
  ] as const) {
    const { value, findings } = mergeTexts([config("b: 1"), config(`a: 1\nmerge_how: ${how}`)]);
    t.ok(value);
    t.equal(findings.length, count);
  }
});

t.test("whatever a part says of merging, nothing throws", async () => {
  const piece = fc.constantFrom(
    ...[
      "dict",
      "list",
      "str",
      "(",
      ")",
      "+",
      ",",
      "append",
      "recurse_list",
      "-",
      " ",
      "\n",
      "__proto__",
    ],
    ...["[", "]", "{", "}", ":", '"', "'", "name", "settings", "null", "1", "\ud800", "\0", "é"],
  );
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(fc.jsonValue(), text, text, (json, header, body) => {
      const how = JSON.stringify(json);
      const { findings } = mergeTexts([
        config("a: [1]\nb: {c: 1}\nd: x"),
        { text: config(`a: [2]\nb: [1]\nmerge_how: ${how}`), mergeType: header },
        { text: config(`d: {e: 1}\nmerge_type: ${body}`) },
        {
          text: `#cloud-config-jsonp\n[{"op": "add", "path": ${JSON.stringify(body)}, "value": ${how}}]`,
        },
        { text: `#cloud-config-jsonp\n${body}` },
      ]);
      return findings.every(({ message, line }) => message.length < 400 && (line ?? 1) >= 1);
    }),
  );
});

t.test("deep values are merged as deep as a document may be", async (t) => {
  const deep = (depth: number, leaf: string) =>
    `${"{a: ".repeat(depth)}${leaf}${"}".repeat(depth)}`;
  const how = "merge_how: dict()";
  const { value, findings } = mergeTexts([
    config(`a: ${deep(90, "{b: 1}")}`),
    config(`a: ${deep(90, "{c: 2}")}\n${how}`),
  ]);
  t.strictSame(findings, []);
  t.match(JSON.stringify(value), /\{"b":1,"c":2\}/);
  const patch = [{ op: "add", path: `${"/a".repeat(91)}/b`, value: [[[[[[[[[[1]]]]]]]]]] }];
  const deeper = mergeTexts([
    config(`a: ${deep(90, "{b: 1}")}`),
    `#cloud-config-jsonp\n${JSON.stringify(patch)}`,
  ]);
  t.match(deeper.findings, [{ code: "merge/too-large" }]);
});
