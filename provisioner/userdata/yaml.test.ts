import t from "tap";
import type { Json } from "#core/canonical-json.ts";
import { fc } from "#core/fast-check.ts";
import { readYaml, type YamlOptions } from "./yaml.ts";

const read = (text: string, options: Partial<YamlOptions> = {}) =>
  readYaml(text, { document: "user-data", ...options });
const codesOf = (text: string, options: Partial<YamlOptions> = {}) =>
  read(text, options).findings.map(
    ({ level, code, line, column }) => `${level} ${code} ${line}:${column}`,
  );

t.test("plain scalars have the types of YAML 1.1 in PyYAML's spellings", async (t) => {
  const cases: Readonly<Record<string, Json>> = {
    yes: true,
    Yes: true,
    YES: true,
    no: false,
    on: true,
    Off: false,
    TRUE: true,
    False: false,
    y: "y",
    n: "n",
    Y: "Y",
    yEs: "yEs",
    "~": null,
    null: null,
    NULL: null,
    nULL: "nULL",
    "0644": 420,
    "0o644": "0o644",
    "0x1F": 31,
    "-0b11": -3,
    "1_000": 1000,
    "0_7": 7,
    "+5": 5,
    "08": "08",
    "12:30:45": 45_045,
    "1:30": 90,
    "1:60": "1:60",
    "190:20:30.15": 685_230.15,
    "1e3": "1e3",
    "1.5e3": "1.5e3",
    "1.0e+3": 1000,
    ".5": 0.5,
    "1.": 1,
    "1_0.5": 10.5,
    "1.2.3": "1.2.3",
    "52:54:00:12:34:00": 41_135_085_240,
    "0x": "0x",
    "": null,
  };
  for (const [text, expected] of Object.entries(cases)) {
    t.strictSame(read(`k: ${text}`).value, { k: expected }, text);
  }
});

t.test("what JSON has no type for is kept as text and said", async (t) => {
  const cases: readonly (readonly [string, Json, string])[] = [
    ["2026-01-02", "2026-01-02", "note yaml/kept-as-text"],
    ["2026-1-2 3:04:05.6 +1:30", "2026-01-02 03:04:05.600000+01:30", "note yaml/kept-as-text"],
    ["2026-01-02T03:04:05Z", "2026-01-02 03:04:05+00:00", "note yaml/kept-as-text"],
    ["-.inf", "-Infinity", "note yaml/kept-as-text"],
    [".NaN", "NaN", "note yaml/kept-as-text"],
    ["1.0e+999", "Infinity", "note yaml/kept-as-text"],
    ["9007199254740992", "9007199254740992", "warning yaml/large-number"],
    ["-0xffffffffffffffff", "-18446744073709551615", "warning yaml/large-number"],
    ["!!set {b, a}", ["b", "a"], "note yaml/kept-as-text"],
    ["!!binary aGVsbG8=", "hello", "note yaml/kept-as-text"],
    ["!!binary gIE=", "gIE=", "note yaml/kept-as-text"],
  ];
  for (const [text, expected, finding] of cases) {
    t.strictSame(read(`k: ${text}`).value, { k: expected }, text);
    t.strictSame(codesOf(`k: ${text}`), [`${finding} 1:4`], text);
  }
  t.strictSame(read("k: 9007199254740991").value, { k: Number.MAX_SAFE_INTEGER });
});

t.test("a path in a finding holds nothing that a terminal acts on", async (t) => {
  t.match(read('"a\\u202e\\e": 9007199254740992\n').findings, [{ path: "a\ufffd\ufffd" }]);
});

t.test("the bytes of a binary value can be had", async (t) => {
  const document = read("files:\n- content: !!binary |\n    gIE=\n  other: text\n");
  t.strictSame(document.binary(["files", 0, "content"]), Uint8Array.of(0x80, 0x81));
  t.equal(document.binary(["files", 0, "other"]), undefined);
  t.equal(document.binary(["nothing"]), undefined);
});

t.test("block scalars fold and chomp", async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ["|\n  a\n   b\n\n  c\n\n", "a\n b\n\nc\n"],
    ["|-\n  a\n\n", "a"],
    ["|+\n  a\n\n", "a\n\n"],
    [">\n  a\n  b\n\n  c\n   d\n  e\n", "a b\nc\n d\ne\n"],
    [">-\n  a\n  b\n", "a b"],
    ["|2\n   a\n", " a\n"],
    ["|\n  # text\n", "# text\n"],
    ["| # note\n  a\n", "a\n"],
    ["|\n\n  a", "\na"],
    ["a\n  b\n\n  c", "a b\nc"],
    ["'a\n\n b''c'", "a\nb'c"],
    ['"a\\\n   b\\x41\\u00e9\\U0001F600\\N\\/"', "abA\u00e9\u{1f600}\u0085/"],
    ['"-----BEGIN\nabc\n-----END"', "-----BEGIN abc -----END"],
  ];
  for (const [text, expected] of cases)
    t.strictSame(read(`k: ${text}`).value, { k: expected }, text);
});

t.test("collections in block and flow style", async (t) => {
  const cases: readonly (readonly [string, Json])[] = [
    ["a:\n- 1\n- - 2\n  - 3\nb:\n", { a: [1, [2, 3]], b: null }],
    ["- a: 1\n  b: 2\n-\n- c\n", [{ a: 1, b: 2 }, null, "c"]],
    ["{a: [1, 2,], b, 'c':3, ? d : e}", { a: [1, 2], b: null, c: 3, d: "e" }],
    ["[a: 1, {b: c}]", [{ a: 1 }, { b: "c" }]],
    ["k: [\na, b\n]\n", { k: ["a", "b"] }],
    ["? a\n: b\n? c\n", { a: "b", c: null }],
    ["{http://h/a:80: x:1}", { "http://h/a:80": "x:1" }],
    [
      "!!omap [a: 1, b: 2]",
      [
        ["a", 1],
        ["b", 2],
      ],
    ],
    ["%YAML 1.2\n%TAG !y! tag:yaml.org,2002:\n---\n!y!str 1\n...\n", "1"],
    ["# only a comment\n", null],
    ["", null],
    ["---\n", null],
    ["\ufeffa: b\r\nc: d\re: f\r\n", { a: "b", c: "d", e: "f" }],
    [
      "a: !!str 0644\nb: ! \"12\"\nc: !!float 3\nd: !!int '0x10'",
      { a: "0644", b: 12, c: 3, d: 16 },
    ],
  ];
  for (const [text, expected] of cases) t.strictSame(read(text).value, expected, text);
});

t.test("aliases repeat, and merge keys are overridden by the mapping's own", async (t) => {
  const text = [
    "one: &one {a: 1, b: 1}",
    "two: &two {b: 2, c: 2}",
    "all: {c: 3, <<: [*one, *two], d: *one}",
    "last: {<<: *one, <<: *two}",
  ].join("\n");
  const { value } = read(text);
  t.strictSame(value, {
    one: { a: 1, b: 1 },
    two: { b: 2, c: 2 },
    all: { b: 1, c: 3, a: 1, d: { a: 1, b: 1 } },
    last: { a: 1, b: 2, c: 2 },
  });
  const all = (value as { all: object }).all;
  t.strictSame(Object.keys(all), ["b", "c", "a", "d"], "in Python's order");
});

t.test("of equal keys the last counts, and both lines are named", async (t) => {
  const { value, findings } = read("a: 1\nb:\n  c: 1\n  'c': 2\na: 3\n");
  t.strictSame(value, { a: 3, b: { c: 2 } });
  t.strictSame(
    findings.map(({ level, code, path, line, column }) => ({ level, code, path, line, column })),
    [
      { level: "warning", code: "yaml/duplicate-key", path: "b.c", line: 4, column: 3 },
      { level: "warning", code: "yaml/duplicate-key", path: "a", line: 5, column: 1 },
    ],
  );
  t.match(findings[1]?.message, /"a" stands on line 1 and again on line 5/);
});

t.test("keys that are no text are what Python's json writes", async (t) => {
  const { value, findings } = read("1: a\nno: b\n~: c\n1.50: d\n1.0e+16: e\n2001-01-01: f\n=: g\n");
  t.strictSame(value, {
    "1": "a",
    false: "b",
    null: "c",
    "1.5": "d",
    "1e+16": "e",
    "2001-01-01": "f",
    "=": "g",
  });
  t.equal(findings.filter(({ code }) => code === "yaml/key-not-text").length, 5);
  t.strictSame(read("{1: a, true: b, 1.0: c}").value, { "1": "c" }, "equal to Python");
  t.strictSame(read('{1: a, "1": b}').value, { "1": "b" }, "equal in JSON only");
  t.strictSame(codesOf('{"1": a, 1: b}'), [
    "note yaml/key-not-text 1:10",
    "warning yaml/duplicate-key 1:10",
  ]);
});

t.test("__proto__ is a key like any other", async (t) => {
  const { value } = read("__proto__: {polluted: true}\nconstructor: 1\n");
  t.strictSame(JSON.stringify(value), '{"__proto__":{"polluted":true},"constructor":1}');
  t.equal(Object.getPrototypeOf(value), Object.prototype);
  t.equal((value as { polluted?: Json }).polluted, undefined);
});

t.test("what PyYAML refuses is an error with its place", async (t) => {
  const cases: readonly (readonly [string, string, number, number])[] = [
    ["a: b\n- c\n", "yaml/invalid", 2, 1],
    ["a: b: c\n", "yaml/invalid", 1, 5],
    ["a\nb: c\n", "yaml/invalid", 2, 2],
    ["a: b\nc\nd: e\n", "yaml/invalid", 2, 1],
    ["a:\tb\n", "yaml/invalid", 1, 3],
    ["a: b\n\tc: d\n", "yaml/invalid", 2, 1],
    ["a: [b, c\nd: e\n", "yaml/invalid", 2, 2],
    ["a: 'b\n", "yaml/invalid", 1, 4],
    ["\u00e9\u{1f600}: @b\n", "yaml/invalid", 1, 5],
    ["a: %b\n", "yaml/invalid", 1, 4],
    ['a: "\\q"\n', "yaml/invalid", 1, 5],
    ["a: *b\n", "yaml/invalid", 1, 4],
    ["a: &x 1\nb: &x 2\n", "yaml/invalid", 2, 4],
    ["a\r\nb\u0007\r\n", "yaml/invalid", 2, 2],
    ["a: \ud800\n", "yaml/invalid", 1, 4],
    ["--- a\n--- b\n", "yaml/invalid", 2, 1],
    ["a\n...\nb\n", "yaml/invalid", 3, 1],
    ["k: [x?y]\n", "yaml/invalid", 1, 6],
    ["k: {{ v1.name }}\n", "yaml/invalid", 1, 5],
    ["<<: 1\n", "yaml/invalid", 1, 5],
    ["a: =\n", "yaml/wrong-tag", 1, 4],
    ["a: 2026-02-30\n", "yaml/wrong-tag", 1, 4],
    ["a: !!int x\n", "yaml/wrong-tag", 1, 4],
    ["a: !!map [b]\n", "yaml/wrong-tag", 1, 4],
    ["a:\n  b: !vault x\n", "yaml/unsupported-tag", 2, 6],
    ["a: !!python/object/apply:os.system [id]\n", "yaml/unsupported-tag", 1, 4],
    ["a: &a\n  b: *a\n", "yaml/recursive-alias", 2, 6],
  ];
  for (const [text, code, line, column] of cases) {
    const { value, findings } = read(text);
    const errors = findings.filter(({ level }) => level === "error");
    const places = errors.map((finding) => [finding.code, finding.line, finding.column]);
    t.strictSame(places, [[code, line, column]], text);
    t.equal(value, undefined, text);
  }
});

t.test("all values that cannot be read are named, each with its path", async (t) => {
  const { value, findings } = read("a: !x 1\nb:\n- !!int y\n- <<: z\n");
  t.equal(value, undefined);
  t.strictSame(
    findings.map(({ code, path }) => [code, path]),
    [
      ["yaml/unsupported-tag", "a"],
      ["yaml/wrong-tag", "b.0"],
      ["yaml/invalid", "b.1"],
    ],
  );
});

t.test("what a finding says holds no value of the document", async (t) => {
  for (const text of [
    "a: !!int hunter2",
    "a: 'hunter2",
    "a: b: hunter2",
    "a: !!bool hunter2",
    "hunter2\nb: c",
  ]) {
    const { findings } = read(text);
    t.ok(findings.length > 0, text);
    t.notMatch(JSON.stringify(findings), /hunter2/, text);
  }
});

t.test("keys and values are found, also through aliases and merge keys", async (t) => {
  const document = read(
    [
      "base: &base",
      "  mode: 420",
      "users:",
      "- name: \u{1f600}",
      "  <<: *base",
      "  more: *base",
      "- two: {a: b}",
    ].join("\n"),
  );
  const cases: readonly (readonly [
    readonly (string | number)[],
    "key" | "value",
    number,
    number,
  ])[] = [
    [[], "value", 1, 1],
    [["base"], "key", 1, 1],
    [["base"], "value", 1, 7],
    [["base", "mode"], "value", 2, 9],
    [["users", 0, "name"], "value", 4, 9],
    [["users", 0, "mode"], "key", 2, 3],
    [["users", 0, "more"], "value", 6, 9],
    [["users", 0, "more", "mode"], "value", 2, 9],
    [["users", 1], "key", 7, 3],
    [["users", "1", "two", "a"], "value", 7, 12],
  ];
  for (const [path, target, line, column] of cases) {
    t.strictSame(document.locate(path, target), { line, column }, `${target} ${path.join(".")}`);
  }
  for (const path of [
    ["none"],
    ["users", 2],
    ["users", "name"],
    ["users", 0, "name", "x"],
    ["users", -1],
  ]) {
    t.equal(document.locate(path), undefined, path.join("."));
  }
  t.equal(read("a: [").locate(["a"]), undefined);
});

t.test("documents beyond the limits are refused", async (t) => {
  const laughs = Array.from({ length: 9 }, (_, level) => {
    const parts = Array(9).fill(level === 0 ? "ha" : `*a${level - 1}`);
    return `a${level}: &a${level} [${parts.join(", ")}]`;
  });
  const merges = Array.from({ length: 40 }, (_, level) =>
    level === 0 ? "a0: &a0 {x: 1}" : `a${level}: &a${level} {<<: [*a${level - 1}, *a${level - 1}]}`,
  );
  const chain = Array.from({ length: 300 }, (_, level) =>
    level === 0 ? "a0: &a0 [1]" : `a${level}: &a${level} [*a${level - 1}]`,
  );
  const cases: readonly (readonly [string, string, Partial<YamlOptions>])[] = [
    ["\u00e9".repeat(60), "yaml/too-large", { maxBytes: 100 }],
    ["[a, b, c]", "yaml/too-large", { maxNodes: 3 }],
    [laughs.join("\n"), "yaml/too-large", {}],
    [merges.join("\n"), "yaml/too-large", {}],
    [`a: &a ${"x".repeat(500)}\nb: [*a, *a, *a]`, "yaml/too-large", { maxBytes: 1000 }],
    ["[".repeat(100_000), "yaml/too-deep", {}],
    ["{a: ".repeat(100_000), "yaml/too-deep", {}],
    ["- ".repeat(100_000), "yaml/too-deep", {}],
    ["[[[a]]]", "yaml/too-deep", { maxDepth: 2 }],
    [chain.join("\n"), "yaml/too-deep", {}],
    [`{${chain.join(", ")}, <<: {k: *a299}}`, "yaml/too-deep", {}],
  ];
  for (const [text, code, options] of cases) {
    const { value, findings } = read(text, options);
    t.equal(value, undefined);
    t.strictSame(
      findings.map((finding) => finding.code),
      [code],
      text.slice(0, 40),
    );
  }
  t.strictSame(read("[[a]]", { maxDepth: 2, maxNodes: 3, maxBytes: 5 }).value, [["a"]]);
});

t.test("endless findings are cut, and the cut is said", async (t) => {
  const { value, findings } = read(`[${"2026-01-02,".repeat(1000)}!x y]`);
  t.equal(value, undefined);
  t.equal(findings.length, 202);
  t.ok(
    findings.some(({ code }) => code === "yaml/unsupported-tag"),
    "errors are not cut for notes",
  );
  t.match(findings.at(-1), { code: "yaml/more-findings", level: "warning", message: /^800 / });
});

t.test("any text gives a value or an error, and nothing else", async (t) => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
    fc
      .array(fc.constantFrom(..."ab0 \n\t:-?,[]{}#&*!|>'\"%@\\=<~.\r\u2028\ufeff"), {
        maxLength: 200,
      })
      .map((all) => all.join("")),
  );
  fc.assert(
    fc.property(hostile, (text) => {
      const { value, findings, locate } = read(text);
      const refused = findings.some(({ level }) => level === "error");
      const lines = text.split(/\r\n|[\r\n\u0085\u2028\u2029]/).length;
      const placed = findings.every(
        ({ line, column }) => line === null || (line >= 1 && line <= lines && (column ?? 0) >= 1),
      );
      locate(["a", 0]);
      return refused === (value === undefined) && placed;
    }),
    { numRuns: 3000, seed: 1 },
  );
  t.pass();
});
