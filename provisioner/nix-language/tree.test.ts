// biome-ignore-all lint/suspicious/noTemplateCurlyInString: in Nix texts the sign is the subject
import t from "tap";
import { isFault } from "#core/fault.ts";
import { commentLines, isIdentifier } from "./text.ts";
import {
  attrs,
  bind,
  call,
  float,
  functionOf,
  inherit,
  int,
  interpolated,
  join,
  lambda,
  list,
  nil,
  path,
  ref,
  select,
  str,
} from "./tree.ts";

const unprintable: readonly (readonly [string, () => unknown])[] = [
  ["a string with NUL", () => str("a\0b")],
  ["a string with half a character", () => str("a\ud800")],
  ["an interpolated string with NUL", () => interpolated("a", ref("b"), "\0")],
  ["an attribute name with NUL", () => bind("\0", nil)],
  ["an attribute name with half a character", () => bind(["a", "\udc00"], nil)],
  ["a selected attribute with NUL", () => ref("pkgs", "\0")],
  ["an integer above 64 bits", () => int(2n ** 63n)],
  ["an integer below 64 bits", () => int(-(2n ** 63n) - 1n)],
  ["an integer that may have lost digits", () => int(2 ** 53)],
  ["a number that is no integer", () => int(1.5)],
  ["NaN as an integer", () => int(Number.NaN)],
  ["NaN", () => float(Number.NaN)],
  ["infinity", () => float(Number.NEGATIVE_INFINITY)],
  ["a number nearer to zero than Nix reads", () => float(5e-324)],
];

for (const [what, build] of unprintable) {
  t.test(`${what} is refused`, async (t) => {
    t.throws(build, { code: "nix/unprintable" });
  });
}

const defects: readonly (readonly [string, () => unknown])[] = [
  ["an absolute path", () => path("/etc/passwd")],
  ["a path upwards", () => path("./../secret.nix")],
  ["a path with an interpolation", () => path("./" + "${x}")],
  ["a search path", () => path("<nixpkgs>")],
  ["a home path", () => path("~/x")],
  ["a path that ends in a slash", () => path("./x/")],
  ["a hidden path", () => path("./.ssh")],
  ["a variable with code in it", () => ref("x; y")],
  ["a keyword as a variable", () => ref("if")],
  ["a dotted name as one variable", () => ref("pkgs.vim")],
  ["a keyword as a parameter", () => lambda("rec", nil)],
  [
    "a formal with code in it",
    () => functionOf({ names: [{ name: "a }: b", fallback: null }], open: false }, nil),
  ],
  ["an inherited name with code in it", () => inherit(["a; b"])],
  ["an attribute set twice", () => attrs([bind("a", nil), bind("a", nil)])],
  ["an attribute bound and inherited", () => attrs([bind("a", nil), inherit(["a"])])],
  ["an attribute set inside of a set one", () => attrs([bind("a", nil), bind(["a", "b"], nil)])],
  ["the same the other way round", () => attrs([bind(["a", "b"], nil), bind("a", nil)])],
  ["a selection of nothing", () => select(nil, [])],
  ["an operator without operands", () => join("+", [])],
  ["more than two operands of ==", () => join("==", [str("a"), str("b"), str("c")])],
];

for (const [what, build] of defects) {
  t.test(`${what} is a defect of the caller`, async (t) => {
    t.throws(build, { code: "cli/internal" });
  });
}

t.test(
  "text parts that touch become one, so that no dollar meets a brace of another",
  async (t) => {
    t.same(interpolated("$", "{x}"), str("${x}"));
    t.same(interpolated("", ref("a"), ""), { kind: "string", parts: [ref("a")] });
  },
);

t.test("a call of a call has all arguments", async (t) => {
  t.same(call(call(ref("f"), nil), list([])), call(ref("f"), nil, list([])));
  t.same(call(ref("f")), ref("f"));
});

t.test("a fault never repeats the text that was refused", async (t) => {
  try {
    str("hunter2\0");
    t.fail("expected a fault");
  } catch (error) {
    t.ok(isFault(error, "nix/unprintable") && !error.message.includes("hunter2"));
  }
});

t.test("keywords and strange names are no identifiers", async (t) => {
  for (const name of ["a", "_", "a-b", "a'", "null", "true", "A1"]) t.ok(isIdentifier(name), name);
  for (const name of ["", "1a", "a b", "a.b", "-a", "'a", "é", "if", "or", "${a}", "a\n"]) {
    t.notOk(isIdentifier(name), JSON.stringify(name));
  }
});

t.test("every line of a comment begins with its sign", async (t) => {
  const text = "a\nb\rc\r\nd\u2028e\u2029f\u0085g\vh\fi\tj\0k\u202el\ud800";
  for (const line of commentLines(text)) t.match(line, /^#( [^\p{C}\p{Zl}\p{Zp}]+)?$/u);
  t.same(commentLines(""), ["#"]);
  t.equal(commentLines(text).length, 9);
});
