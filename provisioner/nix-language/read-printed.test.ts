import t from "tap";
import { goldenCases } from "./golden.ts";
import { print } from "./print.ts";
import { readPrinted } from "./read-printed.ts";
import { attrs, bind, float, int, str } from "./tree.ts";

/** A tree without comments and empty lines, which are not read. */
function withoutLayout(part: unknown): unknown {
  if (Array.isArray(part)) return part.filter((each) => !isLayout(each)).map(withoutLayout);
  if (typeof part !== "object" || part === null) return part;
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => [key, withoutLayout(value)]),
  );
}

function isLayout(part: unknown): boolean {
  const kind = (part as { readonly kind?: unknown } | null)?.kind;
  return kind === "comment" || kind === "blank";
}

for (const { name, expr, header } of goldenCases) {
  t.test(`what is printed in golden/${name}.nix is read as it was`, async (t) => {
    const text = print(expr, header === undefined ? {} : { header });
    t.strictSame(readPrinted(text), withoutLayout(expr));
  });
}

const hostile = [
  "a\nb\n",
  "  a\n b\n",
  "\n\na\n  b\n",
  '"\\\n\r\t',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: in Nix texts the sign is the subject
  "${x}\n$${y} ''${z}\n",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: in Nix texts the sign is the subject
  "a ${x} # no comment\n$ 'b'\n",
  "# no comment\n/* none */\n",
  "then else in or\n",
];

t.test("any text and any number is read as it was", async (t) => {
  const values = [...hostile.map(str), int(-(2n ** 63n)), int(-5), float(-1e-7), float(1e30)];
  for (const value of values) {
    const expr = attrs([bind(["a", "b c", "or"], value), bind("d", attrs([bind("e", value)]))]);
    t.strictSame(readPrinted(print(expr)), withoutLayout(expr));
  }
});

t.test("what the printer never writes is refused", async (t) => {
  for (const text of ["{ a = ; }", "{ a = 1 }", "[ 1", '"a', "''a", "1 2 }", "{ a = b - c; }", ""])
    t.throws(() => readPrinted(text), /^printed Nix|expected/, text);
});
