import { readFileSync } from "node:fs";
import t from "tap";
import { goldenCases } from "./golden.ts";
import { print } from "./print.ts";
import { attrs, bind, list, type NixExpr, ref, str } from "./tree.ts";

for (const { name, expr, header } of goldenCases) {
  t.test(`${name} is printed as in golden/${name}.nix`, async (t) => {
    const options = header === undefined ? {} : { header };
    const golden = readFileSync(new URL(`./golden/${name}.nix`, import.meta.url), "utf8");
    t.equal(print(expr, options), golden);
    t.equal(print(expr, options), golden, "and the second time the same");
    t.notMatch(golden, /[ \t]\n/, "no line ends in blanks");
    t.match(golden, /[^\n]\n$/, "the file ends in one newline");
    t.notMatch(golden, /\n\n\n/, "never two empty lines");
  });
}

t.test("a line that does not fit in 100 columns beside its indentation is broken", async (t) => {
  const name = (length: number): NixExpr => ref("x".repeat(length));
  t.equal(print(attrs([bind("a", name(94))])), `{\n  a = ${"x".repeat(94)};\n}\n`);
  t.equal(print(attrs([bind("a", name(96))])), `{\n  a =\n    ${"x".repeat(96)};\n}\n`);
});

t.test("texts are never broken, and begin below a long path", async (t) => {
  const text = "x".repeat(120);
  t.equal(print(attrs([bind("a", str(text))])), `{\n  a = "${text}";\n}\n`);
  t.equal(
    print(attrs([bind(["etc", "a b", "text"], str(text))])),
    `{\n  etc."a b".text =\n    "${text}";\n}\n`,
  );
});

t.test("a thousand levels print without trouble", async (t) => {
  let deep: NixExpr = str("x");
  for (let level = 0; level < 1000; level++)
    deep = list([deep, deep.kind === "list" ? str("y") : deep]);
  t.ok(print(deep).length > 1000);
});
