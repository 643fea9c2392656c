// biome-ignore-all lint/suspicious/noTemplateCurlyInString: in Nix texts the sign is the subject
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import t from "tap";
import { fc } from "#core/fast-check.ts";
import { isFault } from "#core/fault.ts";
import { fromJson, type PlainData } from "#provisioner/nix-language/from-json.ts";
import { goldenCases } from "#provisioner/nix-language/golden.ts";
import { print } from "#provisioner/nix-language/print.ts";
import { indentedLines } from "#provisioner/nix-language/text.ts";
import {
  attrs,
  bind,
  bool,
  call,
  comment,
  float,
  int,
  interpolated,
  lambda,
  list,
  type NixExpr,
  nil,
  ref,
  select,
  str,
} from "#provisioner/nix-language/tree.ts";
import { nixEvalJson, nixParses, skipWithoutNix } from "./nix-eval.ts";

const skip = skipWithoutNix();
const seed = 20_251_124;
t.comment(`seed ${seed}`);

/** Values as Nix tells them apart; fast-check makes these, not trees, so that both sides are independent. */
type Model =
  | null
  | boolean
  | string
  | { readonly int: bigint }
  | { readonly float: number }
  | { readonly list: readonly Model[] }
  | { readonly set: readonly (readonly [string, Model])[] };

const fragments = [
  ...[
    "${",
    "$${",
    "$",
    "''",
    "'",
    "'''",
    "''${",
    "''\\",
    '"',
    "\\",
    "\\n",
    "}",
    "{",
    "${x}",
    "$''",
  ],
  ...["\n", "\r", "\r\n", "\t", " ", "  ", "\u0001", "\u001b[31m", "\u007f", "\u0085", "\v", "\f"],
  ...["\u2028", "\u2029", "\ufeff", "\u202e", "\u200d", "🐧", "é", "𝔘", "\uffff"],
  ...["#", "/*", "*/", ";", "a", "it", "x = 1", "<nixpkgs>", "./x", "http://a.example/b", "~"],
];
const keywordNames = ["if", "then", "else", "assert", "with", "let", "in", "rec", "inherit", "or"];
const oddNames = [
  "",
  "null",
  "true",
  "import",
  "__curPos",
  "a.b",
  "1",
  "-",
  "'",
  "a'b-c_1",
  "builtins",
];

const hostileText = fc.oneof(
  fc
    .array(fc.constantFrom(...fragments), { maxLength: 12, size: "max" })
    .map((parts) => parts.join("")),
  fc
    .string({ unit: "binary", maxLength: 20, size: "max" })
    .map((text) => text.replaceAll("\0", "")),
);
const name = fc.oneof(hostileText, fc.constantFrom(...keywordNames, ...oddNames));
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n, 2n ** 53n + 1n),
);
const readableFloat = fc
  .oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(1e30, -0, 1e-7, 1e21, 123456789.123, Number.MAX_VALUE, 2.2250738585072014e-308),
  )
  .filter((value) => value === 0 || Math.abs(value) >= 2.2250738585072014e-308);

const { model } = fc.letrec<{ model: Model }>((tie) => ({
  model: fc.oneof(
    { maxDepth: 3, depthSize: "max" },
    { weight: 6, arbitrary: hostileText },
    fc.constant(null),
    fc.boolean(),
    int64.map((value) => ({ int: value })),
    readableFloat.map((value) => ({ float: value })),
    {
      weight: 2,
      arbitrary: fc
        .array(tie("model"), { maxLength: 4, size: "max" })
        .map((items) => ({ list: items })),
    },
    {
      weight: 3,
      arbitrary: fc
        .uniqueArray(fc.tuple(name, tie("model")), {
          maxLength: 4,
          size: "max",
          selector: ([key]) => key,
        })
        .map((set) => ({ set })),
    },
  ),
}));

function toTree(value: Model): NixExpr {
  if (value === null) return nil;
  if (typeof value === "boolean") return bool(value);
  if (typeof value === "string") return str(value);
  if ("int" in value) return int(value.int);
  if ("float" in value) return float(value.float);
  if ("list" in value) return list(value.list.map(toTree));
  return attrs(value.set.map(([key, item]) => bind(key, toTree(item))));
}

/** JSON in which floats keep a dot, as Nix's own reader tells them apart. */
function toJsonText(value: Model): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if ("int" in value) return String(value.int);
  if ("float" in value) return floatJson(value.float);
  if ("list" in value) return `[${value.list.map(toJsonText).join(",")}]`;
  return `{${value.set.map(([key, item]) => `${JSON.stringify(key)}:${toJsonText(item)}`).join(",")}}`;
}

function floatJson(value: number): string {
  const text = Object.is(value, -0) ? "0" : JSON.stringify(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** What JSON.parse must find in Nix's answer; floats, which Nix prints short, only by their place. */
function expectedJson(value: Model): unknown {
  if (value === null || typeof value !== "object") return value;
  if ("int" in value) return Number(value.int);
  if ("float" in value) return "float";
  if ("list" in value) return value.list.map(expectedJson);
  return Object.fromEntries(value.set.map(([key, item]) => [key, expectedJson(item)]));
}

function withoutFloats(value: Model): Model {
  if (value === null || typeof value !== "object" || "int" in value) return value;
  if ("float" in value) return "float";
  if ("list" in value) return { list: value.list.map(withoutFloats) };
  return { set: value.set.map(([key, item]) => [key, withoutFloats(item)]) };
}

/** Compares inside Nix: equal, and equal in kind (1 and 1.0 are equal to Nix, but print apart). */
const compare = `let
  got = import ./got.nix;
  want = builtins.fromJSON (builtins.readFile ./want.json);
  at = builtins.elemAt;
  kind = value:
    if builtins.isList value then map kind value
    else if builtins.isAttrs value then builtins.mapAttrs (_: kind) value
    else builtins.typeOf value;
  differs = n: at got n != at want n || kind (at got n) != kind (at want n);
in
assert builtins.length got == builtins.length want;
builtins.filter differs (builtins.genList (n: n) (builtins.length got))`;

t.test("10,000 hostile values are the same in Nix, none wrong", { skip }, async (t) => {
  const models = fc.sample(model, { seed, numRuns: 10_000 });
  const text = print(list(models.map(toTree)));
  t.ok(text.length > 500_000, `${text.length} characters of Nix`);
  const files = { "got.nix": text, "want.json": `[${models.map(toJsonText).join(",")}]` };
  const wrong = nixEvalJson(compare, { files });
  t.same(wrong, [], "compared inside Nix, floats to the last digit");

  const plain = print(list(models.map(withoutFloats).map(toTree)));
  const answer = nixEvalJson(plain);
  const differing = models.filter(
    (value, index) =>
      canonical(expectedJson(value)) !== canonical((answer as readonly unknown[])[index]),
  );
  t.same(differing.slice(0, 3), [], "compared outside of Nix, through its JSON");
});

/** Nix sorts attributes by bytes; integers beyond the safe ones lose digits in JSON on both sides alike. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) return item;
    return Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1));
  });
}

const { plainData } = fc.letrec<{ plainData: PlainData }>((tie) => ({
  plainData: fc.oneof(
    { maxDepth: 3, depthSize: "max" },
    hostileText,
    fc.constantFrom(null, true, false),
    fc.maxSafeInteger(),
    readableFloat.filter((value) => !Number.isInteger(value)),
    fc.array(tie("plainData"), { maxLength: 5 }),
    fc.dictionary(name, tie("plainData"), { maxKeys: 5 }),
  ),
}));

t.test("data through fromJson is the same in Nix", { skip }, async (t) => {
  const values = fc
    .sample(plainData, { seed, numRuns: 2_000 })
    .map((value) => ({ value, tree: accepted(value) }))
    .filter(({ tree }) => tree !== undefined);
  t.ok(values.length > 1_500, `${values.length} of 2000 accepted`);
  const got = print(list(values.flatMap(({ tree }) => tree ?? [])));
  const want = JSON.stringify(values.map(({ value }) => value));
  t.same(nixEvalJson(withoutKinds, { files: { "got.nix": got, "want.json": want } }), []);
});

/** JSON does not tell 1 from 1.0. */
const withoutKinds = compare.replace(/ \|\| kind .*;/, ";");

function accepted(value: PlainData): NixExpr | undefined {
  try {
    return fromJson(value);
  } catch (error) {
    if (isFault(error)) return undefined;
    throw error;
  }
}

t.test("a megabyte of hostile text is the same in Nix", { skip }, async (t) => {
  const unit = "it's ${x} $${y} ''z \\ \"\r\t🐧";
  const text = unit.repeat(Math.ceil(1_000_000 / unit.length));
  const lines = `${"a line with ${x} in it\n".repeat(45_000)}`;
  t.not(indentedLines(lines), undefined, "the second one is printed as an indented string");
  const answer = nixEvalJson(print(attrs([bind("a", str(text)), bind(text, str(lines))])));
  t.ok((answer as Record<string, unknown>)["a"] === text);
  t.ok((answer as Record<string, unknown>)[text] === lines);
});

t.test("10,000 hostile texts of several lines are the same in Nix", { skip }, async (t) => {
  const line = fc
    .array(fc.constantFrom(...fragments.filter((each) => !/[\r\n]/.test(each))), {
      maxLength: 8,
      size: "max",
    })
    .map((parts) => parts.join(""));
  const text = fc
    .tuple(
      fc.constantFrom("a", "", "'", "$", "  b"),
      fc.array(line, { minLength: 1, maxLength: 6 }),
    )
    .map(([first, lines]) => `${[first, ...lines].join("\n")}\n`);
  const plain = fc
    .array(fc.constantFrom("a", "$", "{", "}", "'", "\\", '"', " ", "\n", "${", "\\${", "b$"), {
      minLength: 4,
      maxLength: 30,
      size: "max",
    })
    .map((parts) => `x\n${parts.join("")}\n`);
  const texts = [
    ...fc.sample(text, { seed, numRuns: 5_000 }),
    ...fc.sample(plain, { seed, numRuns: 5_000 }),
  ];
  const indented = texts.filter((each) => indentedLines(each) !== undefined);
  t.ok(indented.length > 2_000, `${indented.length} of 10000 are printed as indented strings`);
  t.ok(
    indented.some((each) => each.includes("${")),
    "some of them with an escaped interpolation",
  );
  const tree = attrs([bind("deep", list(texts.map((each) => attrs([bind("text", str(each))]))))]);
  const answer = nixEvalJson(print(tree)) as { deep: readonly { text: string }[] };
  const wrong = texts.filter((each, index) => answer.deep[index]?.text !== each);
  t.same(wrong.slice(0, 3), []);
});

t.test("no text leaves a comment", { skip }, async (t) => {
  const evil = fc.array(fc.constantFrom(...fragments, "\n evil = 1;", "\r evil = 1;", "\n}"), {
    maxLength: 10,
  });
  const texts = fc.sample(evil, { seed, numRuns: 3_000 }).map((parts) => parts.join(""));
  const sets = texts.map((text) =>
    attrs([comment(text), bind("a", list([comment(text), int(1), comment(text)])), comment(text)]),
  );
  const header = texts.slice(0, 200).join("\n");
  const answer = nixEvalJson(print(list(sets), { header })) as readonly unknown[];
  t.equal(answer.length, texts.length);
  const changed = texts.filter((_, index) => JSON.stringify(answer[index]) !== '{"a":[1]}');
  t.same(changed.slice(0, 3), []);
});

t.test(
  "no attribute name interpolates, where it is set or where it is selected",
  { skip },
  async (t) => {
    const names = fc.sample(name, { seed, numRuns: 2_000 });
    const trees = names.map((each) => {
      const set = attrs([bind([each, each], str(each))]);
      const chosen = select(set, [each, each], str("absent"));
      return call(lambda("x", select(ref("x"), [each, each])), attrs([bind([each, each], chosen)]));
    });
    t.same(nixEvalJson(print(list(trees))), names);
  },
);

t.test("literal parts of interpolated strings stay literal", { skip }, async (t) => {
  const triples = fc.sample(fc.tuple(hostileText, hostileText, hostileText), {
    seed,
    numRuns: 3_000,
  });
  const trees = triples.map(([before, inside, after]) => interpolated(before, str(inside), after));
  const expected = triples.map((parts) => parts.join(""));
  t.same(nixEvalJson(print(list(trees))), expected);
});

t.test("every golden text is Nix", { skip }, async (t) => {
  for (const { name: file } of goldenCases) {
    t.same(nixParses(golden(file)), { ok: true, complaint: "" }, file);
  }
});

t.test("a text that is not Nix is told apart", { skip }, async (t) => {
  t.notOk(nixParses("{ a = ; }").ok);
  t.notOk(nixParses("{ a = unbound; }").ok);
  t.throws(() => nixEvalJson("1 + null"), /nix could not evaluate/);
});

const nixfmt = process.env["NIXFMT"];

// Only where NIXFMT names a nixfmt (RFC 166) that reads stdin: no package of it is to be had everywhere.
if (nixfmt !== undefined)
  t.test("nixfmt leaves every golden text as it is", async (t) => {
    for (const { name: file } of goldenCases) {
      const input = golden(file);
      const { stdout } = spawnSync(nixfmt, [], { input, encoding: "utf8" });
      t.equal(stdout, input, file);
    }
  });

function golden(file: string): string {
  const url = new URL(`../provisioner/nix-language/golden/${file}.nix`, import.meta.url);
  return readFileSync(url, "utf8");
}
