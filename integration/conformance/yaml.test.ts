import t from "tap";
import { fc } from "#core/fast-check.ts";
import { readYaml } from "#provisioner/userdata/yaml.ts";
import { askPythonTexts, askPyYaml, findDisagreements, missingPyYaml } from "./pyyaml.ts";
import { documents, plainScalars } from "./yaml-layouts.ts";

const missing = missingPyYaml();
if (missing !== null && process.env["CI"] === "true") t.fail(`PyYAML is needed: ${missing}`);
const skip = missing === null ? false : `PyYAML is needed: ${missing}`;
const seed = 20_260_101;

t.test("plain scalars are typed as PyYAML types them", { skip }, async (t) => {
  const scalars = fc.sample(plainScalars, { seed, numRuns: 6000 });
  const places = [
    (text: string) => text,
    (text: string) => `- ${text}`,
    (text: string) => `{? ${text} : x}`,
    (text: string) => `[${text}]`,
  ];
  const texts = scalars.map((text, index) => (places[index % places.length] ?? String)(text));
  t.strictSame(findDisagreements(texts), []);
});

t.test("the text of a float is Python's", { skip }, async (t) => {
  const forms = (value: number) => [
    String(value).replace(/^(-?\d+)(e|$)/, "$1.0$2"),
    value.toExponential().replace(/^(-?\d)e/, "$1.0e"),
    value.toFixed(3),
  ];
  const values = fc.sample(fc.double({ noDefaultInfinity: true, noNaN: true }), {
    seed,
    numRuns: 40,
  });
  const edges = [1e-4, 9.999e-5, 1e15, 1e16, 1e17, 123456789012345680, -0, 5e-324, 0.1 + 0.2, 1e22];
  const usual = fc.sample(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { seed, numRuns: 40 });
  const odd = ["5.", ".5", "1_0.5", "1:30.5", "-.inf", ".NaN", "+.Inf", "-0.0"];
  const texts = [...[...values, ...edges, ...usual].flatMap(forms), ...odd].filter((text) =>
    text.includes("."),
  );
  const ours = texts.map((text) => readYaml(text, { document: "user-data" }).floatText([]));
  t.strictSame(ours, askPythonTexts(texts));
});

t.test("explicit tags read what PyYAML's constructors read", { skip }, async (t) => {
  const tags = ["int", "float", "bool", "timestamp", "null", "binary", "str", "seq", "map"];
  const scalars = fc.sample(plainScalars, { seed, numRuns: 3000 });
  const texts = scalars.flatMap((text, index) => [
    `!!${tags[index % tags.length]} "${text}"`,
    `! "${text}${index % 2 === 0 ? "" : "\\n"}"`,
  ]);
  t.strictSame(findDisagreements(texts), []);
});

t.test("block and flow structures are read as PyYAML reads them", { skip }, async (t) => {
  const texts = fc.sample(documents, { seed, numRuns: 4000 });
  t.strictSame(findDisagreements(texts), []);
  const accepted = askPyYaml(texts).filter(({ accepts }) => accepts).length;
  t.ok(
    accepted > texts.length / 3,
    `most documents must say something: ${accepted} of ${texts.length}`,
  );
});

t.test(
  "texts of nothing but YAML's own characters are read as PyYAML reads them",
  { skip },
  async (t) => {
    const characters = [
      ..."ab01 \n\t:-?,[]{}#&*!|>'\"%@`\\=<~._/+\r\u0085\u2028\u00e9\ufeff\u{1f600}\u0007",
    ];
    const soup = fc
      .array(fc.constantFrom(...characters), { maxLength: 24 })
      .map((all) => all.join(""));
    t.strictSame(findDisagreements(fc.sample(soup, { seed, numRuns: 6000 })), []);
  },
);
