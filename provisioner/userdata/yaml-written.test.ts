import t from "tap";
import { fc } from "#core/fast-check.ts";
import { readYaml } from "./yaml.ts";

/** Where the character of the value of `k` stands that `mark` is. */
function placeOf(document: string, mark = "X"): string {
  const { value, locate, findings } = readYaml(document, { document: "user-data" });
  const text = (value as { readonly k: string } | undefined)?.k ?? JSON.stringify(findings);
  const found = locate(["k"], text.indexOf(mark));
  return `${found?.line}:${found?.column}`;
}

t.test("a character of a text is found where it stands in the document", async (t) => {
  const cases: Readonly<Record<string, string>> = {
    "k: |\n  a\n  bX\n": "3:4",
    "k: |2\n   a\n   X\n": "3:4",
    "k: |\n\n\n    a\n\n      b\n    X\n": "7:5",
    "k: |+ # why\n  a\n  X\n\n": "3:3",
    "k: >\n  a\n  b\n\n  c X\n": "5:5",
    "k: >-\n  a\n    more\n    X\n  b\n": "4:5",
    "k: >\n  a\n  b X c\n": "3:5",
    "k: a\n  b\n\n  c X\n": "4:5",
    "k: 'it''s\n  a\n\n  ''X'\n": "4:5",
    'k: "a\\n\\x41\\u0041X"\n': "1:18",
    'k: "a \\\n    b\n  \\"X"\n': "3:5",
    'k: "a\\\n  \\ X"\n': "2:5",
    "k: &x !!str |\n  a\n  X\n": "3:3",
    "k: |\r\n  a\r\n  X\r\n": "3:3",
    "\ufeffk: |\n  \u{1f600}\n  \u{1f600}X\n": "3:4",
    "a:\n- b:\n    - |\n     z\nk: |\n  y\n  X\n": "7:3",
  };
  for (const [document, place] of Object.entries(cases)) {
    t.equal(placeOf(document), place, document);
  }
  t.equal(placeOf('k: "say \\"X"\n'), "1:4", "a text of one line is found by its beginning");
});

t.test("in a list, under an alias and behind other documents it is found as well", async (t) => {
  const { locate } = readYaml("a: &t |\n  one\n  two\nb: [*t, 'x\n    y']\n", { document: "d" });
  t.same(locate(["b", 0], 4), { line: 3, column: 3 });
  t.same(locate(["b", 1], 2), { line: 5, column: 5 });
});

t.test(
  "every letter of a text stands at the place that is told, however it is written",
  async () => {
    const word = fc.constantFrom("a", "bc", "d-e", "f: g", "h''i", "#", "j #k", "é", "😀", "  l");
    const lines = fc.array(fc.oneof(word, fc.constant("")), { minLength: 1, maxLength: 8 });
    const style = fc.constantFrom("|", ">", "|+", ">-", "'", '"', "");
    fc.assert(
      fc.property(lines, style, fc.integer({ min: 1, max: 4 }), (words, head, indent) => {
        const margin = " ".repeat(indent);
        const body = words.map((each) => (each === "" ? "" : margin + each)).join("\n");
        const document = /[|>]/.test(head)
          ? `z: 1\nk: ${head}\n${body}\n`
          : `z: 1\nk: ${head}a\n${body}${head}\n`;
        const { value, locate } = readYaml(document, { document: "d" });
        const text = (value as { readonly k?: unknown } | undefined)?.k;
        if (typeof text !== "string") return true;
        const written = document.split("\n").map((line) => [...line]);
        let offset = 0;
        for (const letter of text) {
          const at = locate(["k"], offset);
          const isMany = /\n./.test(document.slice(document.indexOf("k:")).trimEnd());
          if (isMany && letter.trim() !== "" && letter !== "'") {
            if (written[(at?.line ?? 0) - 1]?.[(at?.column ?? 0) - 1] !== letter) return false;
          }
          offset += letter.length;
        }
        return true;
      }),
      { numRuns: 2000, seed: 5 },
    );
  },
);

t.test("a text of many lines is read twice at most, however often it is asked for", async (t) => {
  const count = 100_000;
  const { locate } = readYaml(`k: |\n${"  x\n".repeat(count)}`, { document: "d" });
  for (let line = 0; line < count; line += 1) {
    if (locate(["k"], line * 2)?.line !== line + 2) t.fail(`line ${line}`);
  }
});
