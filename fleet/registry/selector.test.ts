import t from "tap";
import { fc } from "#core/fast-check.ts";
import { labelFault, matches, parseSelector, type Selectable } from "./selector.ts";

const node: Selectable = {
  node: "edge-17",
  labels: { site: "berlin", role: "gateway", "acme.example/tier": "2" },
  hardware: "framework/laptop-13-amd-7040",
  platform: "x86_64-linux",
};

const cases: readonly (readonly [text: string, takes: boolean])[] = [
  ["*", true],
  ["site=berlin", true],
  ["site == berlin", true],
  ["site=bonn", false],
  ["site!=bonn", true],
  ["floor!=2", true],
  ["site", true],
  ["floor", false],
  ["!floor", true],
  ["! site", false],
  ["role in (sensor, gateway)", true],
  ["role in(sensor)", false],
  ["role notin (sensor)", true],
  ["floor notin (2)", true],
  ["site=berlin,role=sensor", false],
  ["site=b*n", true],
  ["site=b*l*n", true],
  ["site=ber*rlin", false],
  ["@hardware=framework/*", true],
  ["@hardware=framework/*-intel*", false],
  ["@node=edge-17,@platform=x86_64-linux", true],
  ["@agent", false],
  ["acme.example/tier=2", true],
  ["in in (x)", false],
  ["constructor", false],
];

t.test("a selector takes the nodes that have all it asks for", (t) => {
  for (const [text, takes] of cases) t.equal(matches(parseSelector(text), node), takes, text);
  t.end();
});

const wrong: readonly (readonly [text: string, said: RegExp])[] = [
  ["", /character 1: expected the name of a label/],
  ["site=", /character 6: expected a value/],
  ["site=berlin,", /character 13: expected the name/],
  ["site berlin", /character 6: expected a comma or the end/],
  ["role in (a", /character 11: expected a comma or \)/],
  ["@hardwar=x", /there is no @hardwar; .*perhaps @hardware/],
  ["site=a b", /expected a comma or the end/],
  ["x".repeat(5000), /longer than 4096/],
];

t.test("what is no selector is refused with the place", (t) => {
  for (const [text, said] of wrong)
    t.throws(() => parseSelector(text), { code: "selector/invalid", message: said }, text);
  t.end();
});

t.test("a pattern of many stars takes no long time", (t) => {
  const selector = parseSelector(`site=${"a*".repeat(100)}b`);
  t.notOk(matches(selector, { node: "n", labels: { site: "a".repeat(200) } }));
  t.end();
});

t.test("every label that may be given can be selected by its value", (t) => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (key, value) => {
      if (labelFault(key, value) !== undefined) return;
      const labelled = { node: "n", labels: { [key]: value } };
      t.ok(matches(parseSelector(`${key}=${value}`), labelled));
      t.notOk(matches(parseSelector(`${key}!=${value}`), labelled));
    }),
  );
  t.equal(labelFault("site", "berlin"), undefined);
  for (const [key, value] of [
    ["@node", "x"],
    ["site", "a b"],
    ["site", "a*"],
    ["", "x"],
    ["site", "<script>"],
  ] as const)
    t.type(labelFault(key, value), "string");
  t.end();
});
