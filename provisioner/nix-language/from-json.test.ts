import t from "tap";
import { Secret } from "#core/secret.ts";
import { fromJson, isTakeOver, type PlainData } from "./from-json.ts";
import { print } from "./print.ts";

t.test("data keeps its order and kinds", async (t) => {
  const data: PlainData = { b: [1, -1.5, 12n, null], a: { "x y": true }, type: "file" };
  t.equal(
    print(fromJson(data)),
    `{
  b = [
    1
    (-1.5)
    12
    null
  ];
  a = {
    "x y" = true;
  };
  type = "file";
}
`,
  );
});

let deep: PlainData = 1;
for (let level = 0; level < 300; level++) deep = [deep];

const refused: readonly (readonly [string, PlainData, string])[] = [
  ["NUL", { users: [{ name: "a\0" }] }, "users.0.name"],
  ["half a character", { a: ["\ud83d"] }, "a.0"],
  ["NUL in a key", { a: { "k\0": 1 } }, "a.k\\u0000"],
  ["half a character in a key", { a: { "\ud83d": 1 } }, "a.\ufffd"],
  ["NaN", [Number.NaN], "0"],
  ["infinity", { a: Number.POSITIVE_INFINITY }, "a"],
  ["an integer above 64 bits", { a: { b: 2n ** 63n } }, "a.b"],
  ["an integer below 64 bits", [-(2n ** 63n) - 1n], "0"],
  ["a number that may have lost digits", { a: { b: 2 ** 53 } }, "a.b"],
  ["a whole number as large as 1e30", [1e30], "0"],
  ["a number too near to zero", { a: 5e-324 }, "a"],
  ["deep nesting", deep, "0.0.0"],
  ["NUL at the top", "\0", "the top"],
  ["a date", { a: new Date(0) as unknown as PlainData }, "a"],
  ["a secret", { a: new Secret("x") as unknown as PlainData }, "a"],
  ["a function", { a: (() => 1) as unknown as PlainData }, "a"],
  ["nothing", { a: undefined as unknown as PlainData }, "a"],
];

for (const [what, value, place] of refused) {
  t.test(`${what} is refused with its place`, async (t) => {
    t.throws(() => fromJson(value), { code: "nix/unprintable" });
    t.throws(() => fromJson(value), new RegExp(`value at ${place.replaceAll("\\", "\\\\")}`));
  });
}

for (const key of [
  "_type",
  "_module",
  "imports",
  "outPath",
  "drvPath",
  "__toString",
  "__functor",
]) {
  t.test(`data with the key ${key} is refused, however deep`, async (t) => {
    t.ok(isTakeOver(key));
    t.throws(() => fromJson({ [key]: 1 }), { code: "nix/take-over-key" });
    t.throws(() => fromJson({ a: [{ b: { [key]: {} } }] }), { code: "nix/take-over-key" });
    t.throws(() => fromJson({ a: [{ b: { [key]: {} } }] }), new RegExp(`a.0.b.${key}`));
  });
}

t.test("a set that calls itself a derivation is refused, other types are data", async (t) => {
  t.throws(() => fromJson({ a: { type: "derivation" } }), { code: "nix/take-over-key" });
  t.doesNotThrow(() => fromJson({ a: { type: "ed25519" } }));
});

t.test("keys that JavaScript itself obeys are plain names", async (t) => {
  const value: PlainData = JSON.parse('{"__proto__":{"a":1},"constructor":2}');
  t.equal(print(fromJson(value)), "{\n  __proto__ = {\n    a = 1;\n  };\n  constructor = 2;\n}\n");
});
