import t from "tap";
import { type DefinedOption, definedOptions } from "./defined-options.ts";
import {
  attrs,
  bind,
  bool,
  call,
  ifElse,
  importFile,
  inherit,
  int,
  interpolated,
  join,
  lambda,
  letIn,
  list,
  moduleOf,
  type NixExpr,
  nil,
  path,
  ref,
  str,
  withScope,
} from "./tree.ts";

const lib = (name: string, ...args: readonly NixExpr[]): NixExpr => call(ref("lib", name), ...args);

function shown(option: DefinedOption): string {
  const inside = option.elements?.map((element) => `[${element.map(shown).join(" ")}]`).join("");
  return `${option.path.join(".")}:${option.kind}${inside ?? ""}`;
}

const values: readonly (readonly [string, NixExpr, string])[] = [
  ["null", nil, "a:null"],
  ["a boolean", bool(true), "a:bool"],
  ["an integer", int(1), "a:int"],
  ["a string", str("x"), "a:string"],
  ["a string with interpolation", interpolated(ref("pkgs", "vim"), "/bin/vim"), "a:string"],
  ["a path", path("./x"), "a:path"],
  ["an empty set", attrs([]), "a:attrs"],
  ["a set", attrs([bind(["b", "c"], int(1)), bind("d", nil)]), "a.b.c:int a.d:null"],
  ["a list", list([int(1), attrs([bind("b", nil)])]), "a:list[:int][b:null]"],
  ["a package", ref("pkgs", "vim"), "a:package"],
  ["packages named with pkgs", withScope(ref("pkgs"), list([ref("vim")])), "a:list[:package]"],
  ["a reference", ref("config", "x"), "a:unknown"],
  ["a function", lambda("x", nil), "a:function"],
  ["a priority", lib("mkForce", int(1)), "a:int"],
  ["a numbered priority", lib("mkOverride", int(5), str("x")), "a:string"],
  ["a condition", lib("mkIf", ref("config", "x"), attrs([bind("b", nil)])), "a.b:null"],
  ["a merge", lib("mkMerge", list([int(1), lib("mkBefore", str("x"))])), "a:int a:string"],
  ["both ways of a choice", ifElse(bool(true), int(1), nil), "a:int a:null"],
  [
    "a concatenation",
    join("++", [list([int(1)]), lib("optionals", bool(true), list([nil]))]),
    "a:list[:int] a:list[:null]",
  ],
  ["an optional element", lib("optional", bool(true), ref("pkgs", "vim")), "a:list[:package]"],
  ["an unknown function", lib("mkSomething", int(1)), "a:unknown"],
  ["a condition without a value", lib("mkIf", bool(true)), "a:unknown"],
];

for (const [what, value, expected] of values) {
  t.test(`${what} defines ${expected}`, async (t) => {
    t.equal(
      definedOptions(attrs([bind("a", value)]))
        .map(shown)
        .join(" "),
      expected,
    );
  });
}

t.test("a module's options are found behind its head, let, and config", async (t) => {
  const module = moduleOf(
    ["lib"],
    letIn(
      [bind("x", int(1))],
      attrs([
        bind("imports", list([path("./x")])),
        bind(["options", "a"], nil),
        bind(["config", "b", "c"], int(1)),
      ]),
    ),
  );
  t.same(definedOptions(module).map(shown), ["b.c:int"]);
  const guarded = lib("mkIf", bool(true), attrs([bind("config", attrs([bind("d", nil)]))]));
  t.same(definedOptions(guarded).map(shown), ["d:null"]);
});

t.test("what is inherited is defined, what is imported is unknown", async (t) => {
  t.same(definedOptions(attrs([inherit(["a", "b"], ref("lib"))])).map(shown), [
    "a:unknown",
    "b:unknown",
  ]);
  t.same(definedOptions(importFile(path("./x"))).map(shown), [":unknown"]);
});

t.test("the text of a plain string is kept", async (t) => {
  t.equal(definedOptions(attrs([bind("a", str("/x"))]))[0]?.text, "/x");
  t.equal(definedOptions(attrs([bind("a", str(""))]))[0]?.text, "");
  t.equal(definedOptions(attrs([bind("a", interpolated("/", ref("x")))]))[0]?.text, undefined);
});
