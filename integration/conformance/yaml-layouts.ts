import { fc } from "#core/fast-check.ts";

/** A document as it is laid out: what decides how YAML reads it, and not only its values. */
type Layout =
  | { readonly kind: "inline"; readonly text: string }
  | { readonly kind: "block"; readonly header: string; readonly lines: readonly string[] }
  | { readonly kind: "list"; readonly items: readonly Layout[]; readonly step: number }
  | {
      readonly kind: "map";
      readonly entries: readonly (readonly [string, Layout])[];
      readonly step: number;
    }
  | {
      readonly kind: "flow";
      readonly brackets: "[]" | "{}";
      readonly gap: string;
      readonly items: readonly Layout[];
    }
  | { readonly kind: "marked"; readonly mark: string; readonly of: Layout };

const pieces = [
  ...[
    "0",
    "1",
    "7",
    "8",
    "9",
    "00",
    "12",
    "59",
    "60",
    "_",
    ":",
    ".",
    "e",
    "E",
    "+",
    "-",
    "x",
    "o",
    "b",
  ],
  ...[
    "0x",
    "0b",
    "0o",
    "yes",
    "Yes",
    "no",
    "NO",
    "on",
    "off",
    "true",
    "False",
    "null",
    "Null",
    "~",
    "y",
    "n",
  ],
  ...[
    ".inf",
    "-.INF",
    ".nan",
    "2024-",
    "-01",
    "-02-29",
    "2023-02-29",
    "12:30",
    ":45",
    "T",
    "Z",
    " ",
    "e+3",
    "1e3",
  ],
  ...["<<", "=", "9007199254740993", "f", "A"],
];

/** Plain scalars that stress the resolvers of YAML 1.1. */
export const plainScalars: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join(""));

const words = fc.constantFrom(
  "a",
  "b c",
  "x-y",
  "key",
  "0644",
  "yes",
  "1:30",
  "a#b",
  "a:b",
  "-x",
  "?x",
  "http://h/?q=1",
  "",
);
const quotedTexts = fc.constantFrom(
  "",
  "a",
  "a b",
  "a: b",
  "# no",
  "a\n  b",
  "a\n\nb",
  " a ",
  "- x",
  "a\\\n b",
  "tab\there",
);
const keys = fc.constantFrom(
  "a",
  "b",
  "c d",
  "'e'",
  '"f"',
  "1",
  "yes",
  "~",
  "2001-01-01",
  "<<",
  "=",
  "? g",
  "__proto__",
);
const comments = fc.constantFrom("", "", "", " # note", "\n# note", "\n\n");

const inline: fc.Arbitrary<Layout> = fc
  .oneof(
    { weight: 4, arbitrary: fc.tuple(words, comments).map(([word, comment]) => word + comment) },
    { weight: 1, arbitrary: plainScalars },
    { weight: 2, arbitrary: quotedTexts.map((text) => `'${text}'`) },
    { weight: 2, arbitrary: quotedTexts.map((text) => `"${text}\\u00e9"`) },
    { weight: 1, arbitrary: fc.constantFrom("plain\ngoes on", "plain\n\n  goes on", "*x", "*y") },
  )
  .map((text) => ({ kind: "inline", text }));

const block: fc.Arbitrary<Layout> = fc.record({
  kind: fc.constant("block" as const),
  header: fc.constantFrom("|", ">", "|-", ">-", "|+", ">+", "|2", ">1-", "| # note"),
  lines: fc.array(fc.constantFrom("", "text", "  more", "# no note", " ", "\ttab", "- x", "a: b"), {
    maxLength: 6,
  }),
});

const { layout } = fc.letrec<{ layout: Layout }>((tie) => {
  const step = fc.constantFrom(0, 1, 2, 2, 4);
  return {
    layout: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      inline,
      block,
      fc.record({
        kind: fc.constant("list" as const),
        items: fc.array(tie("layout"), { minLength: 1, maxLength: 4 }),
        step,
      }),
      fc.record({
        kind: fc.constant("map" as const),
        entries: fc.array(fc.tuple(keys, tie("layout")), { minLength: 1, maxLength: 4 }),
        step,
      }),
      fc.record({
        kind: fc.constant("flow" as const),
        brackets: fc.constantFrom("[]" as const, "{}" as const),
        gap: fc.constantFrom("", " ", "\n", "\n   ", " # note\n"),
        items: fc.array(tie("layout"), { maxLength: 4 }),
      }),
      fc.record({
        kind: fc.constant("marked" as const),
        mark: fc.constantFrom("&x", "&y", "!!str", "!!int", "!", "!!set", "!!omap", "!other"),
        of: tie("layout"),
      }),
    ),
  };
});

/** Whole documents in block and flow style, most of them valid. */
export const documents: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom("", "#cloud-config\n", "---\n", "%YAML 1.1\n---\n", "---"),
    layout,
    fc.constantFrom("", "\n", "\n...\n", "\n# end"),
  )
  .map(([start, root, end]) => start + print(root, 0).replace(/^ /, "") + end);

const pad = (width: number) => " ".repeat(width);

/** What follows `-` or `key:` of a line indented by `indent`. */
function print(layout: Layout, indent: number): string {
  switch (layout.kind) {
    case "inline":
      return ` ${layout.text.replaceAll("\n", `\n${pad(indent + 1)}`)}`;
    case "block":
      return [` ${layout.header}`, ...layout.lines.map((line) => pad(indent + 2) + line)].join(
        "\n",
      );
    case "list": {
      const inner = indent + layout.step;
      return layout.items.map((item) => `\n${pad(inner)}-${print(item, inner)}`).join("");
    }
    case "map": {
      const inner = indent + layout.step;
      return layout.entries
        .map(([key, value]) => `\n${pad(inner)}${key}:${print(value, inner)}`)
        .join("")
        .replace(/^\n +/, layout.step === 2 ? pad(1) : "$&");
    }
    case "flow": {
      const { brackets, gap, items } = layout;
      const inner = items.map((item) => printFlow(item, brackets)).join(`,${gap}`);
      return ` ${brackets.charAt(0)}${gap}${inner}${gap}${brackets.charAt(1)}`;
    }
    case "marked":
      return ` ${layout.mark}${print(layout.of, indent)}`;
  }
}

function printFlow(layout: Layout, brackets: "[]" | "{}"): string {
  switch (layout.kind) {
    case "block":
      return layout.lines.join(" ");
    case "list":
      return `[${layout.items.map((item) => printFlow(item, "[]")).join(", ")}]`;
    case "map":
      return layout.entries
        .map(([key, value]) => `${key}: ${printFlow(value, brackets)}`)
        .join(brackets === "{}" ? ", " : "\n,");
    default:
      return print(layout, 0).slice(1);
  }
}
