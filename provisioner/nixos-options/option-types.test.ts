import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import t from "tap";
import newerOptions from "./newer-options.json" with { type: "json" };
import { sharedDataDirectory } from "./option-list.ts";
import { type OptionType, parseOptionType } from "./option-types.ts";

function shown(type: OptionType): string {
  switch (type.kind) {
    case "scalar":
      return type.accepts.join("+");
    case "union":
      return type.of.map(shown).join(" | ");
    case "list":
    case "attrs":
      return `${type.kind}(${shown(type.of)})`;
    default:
      return type.kind;
  }
}

const cases: readonly (readonly [string, string])[] = [
  ["boolean", "bool"],
  ["null or string", "null | string"],
  ["string without spaces", "string"],
  ["strings concatenated with “\\n”", "string"],
  ["non-empty (list of string (with check: non-empty))", "list(string)"],
  ["list of (submodule)", "list(submodule)"],
  ["attribute set of (submodule)", "attrs(submodule)"],
  ["attribute set of list of string", "attrs(list(string))"],
  ["null or ((list of string) or string convertible to it)", "null | list(string) | string"],
  ["16 bit unsigned integer; between 0 and 65535 (both inclusive)", "int"],
  ["unsigned integer, meaning &gt;=0, or string matching the pattern [0-9]+", "int | string"],
  ["null or package or (path, not containing newlines or colons)", "null | package | path+package"],
  ["one of “a or b”, “c”", "string"],
  ["null or one of 32, 64", "null | int"],
  ["one of &lt;null&gt;, “session”", "string+null"],
  ["signed integer or value “auto” (singular enum)", "int | string"],
  [
    "attribute set of (atom (null, bool, int, float or string))",
    "attrs(null+bool+int+float+string)",
  ],
  ["attribute set", "attrs(any)"],
  ["floating point number", "float"],
  ["JSON value", "any"],
  ["something that nobody has seen", "any"],
];

for (const [text, expected] of cases) {
  t.test(`"${text}" is read as ${expected}`, async (t) => {
    t.equal(shown(parseOptionType(text)), expected);
  });
}

const directory = sharedDataDirectory();
const file = `${directory ?? ""}/nixos-options.json.gz`;
const skip = existsSync(file) ? false : "the option list is not on this machine (../shared/data)";

t.test("of the types of NixOS at most one in ten says nothing", { skip }, async (t) => {
  const options: Record<string, string> = JSON.parse(gunzipSync(readFileSync(file)).toString());
  const types = Object.values(options).map((text) => shown(parseOptionType(text)));
  const vague = types.filter((type) => type.split(" | ").includes("any"));
  t.ok(types.length > 20_000);
  t.ok(vague.length < types.length / 10, `${vague.length} of ${types.length}`);
});

t.test("every newer option has a type that is read and a source", async (t) => {
  for (const { name, type, source } of newerOptions) {
    t.match(source, /^https:\/\/github\.com\//, name);
    t.not(type, "", name);
  }
  t.same(
    newerOptions.map(({ name }) => name),
    [...new Set(newerOptions.map(({ name }) => name))],
  );
});
