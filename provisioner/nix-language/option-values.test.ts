import t from "tap";
import { optionValues } from "./option-values.ts";
import { attrs, bind, blank, bool, call, inherit, int, list, nil, ref, str } from "./tree.ts";

const cases = {
  "a plain value": {
    value: bool(true),
    values: [["services.x", "true"]],
  },
  "a set, leaf by leaf, names quoted as Nix quotes them": {
    value: attrs([
      bind("enable", bool(true)),
      blank,
      bind(["settings", "a b"], attrs([bind("port", int(22)), bind("host", nil)])),
    ]),
    values: [
      ["services.x.enable", "true"],
      ['services.x.settings."a b".port', "22"],
      ['services.x.settings."a b".host', "null"],
    ],
  },
  "an empty set is a value": { value: attrs([]), values: [["services.x", "{ }"]] },
  "a set that inherits is a value": {
    value: attrs([inherit(["pkgs"])]),
    values: [["services.x", "{\n  inherit pkgs;\n}"]],
  },
  "a list is a value, on several lines when it is long": {
    value: attrs([
      bind("one", list([str("a")])),
      bind("two", list([str("a"), attrs([bind("b", int(1))])])),
    ]),
    values: [
      ["services.x.one", '[ "a" ]'],
      ["services.x.two", '[\n  "a"\n  { b = 1; }\n]'],
    ],
  },
  "what decorates a value belongs to it": {
    value: call(ref("lib", "mkOverride"), int(90), str("x")),
    values: [["services.x", 'lib.mkOverride 90 "x"']],
  },
  "a text of several lines": {
    value: str("one\ntwo\n"),
    values: [["services.x", "''\n  one\n  two\n''"]],
  },
} as const;

for (const [name, { value, values }] of Object.entries(cases)) {
  t.test(`values: ${name}`, async (t) => {
    t.strictSame(optionValues(["services", "x"], value), values);
  });
}
