import t from "tap";
import { answerTemplate } from "./child.ts";

t.test("numbers are divided and printed as Python does it", async (t) => {
  const cases = {
    "{{ 4 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7.0 // 2 }}": "2.0 3 -4 3.0",
    "{{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 7.5 % 2 }}": "1 2 -2 1.5",
    "{{ 0.00001 }} {{ 10000000000000000.0 }} {{ 0.1 + 0.2 }} {{ [1.0] }}":
      "1e-05 1e+16 0.30000000000000004 [1.0]",
  };
  for (const [template, text] of Object.entries(cases))
    t.strictSame(answerTemplate({ template, variables: {} }), { text, missing: [] });
});

t.test("divisions within each other take no more steps than there are", async (t) => {
  const template = `{{ ${"(".repeat(40)}1${" / 1)".repeat(40)} }}`;
  t.match(answerTemplate({ template, variables: {} }), { text: "1.0" });
});

t.test("operands are evaluated once, however deep they are", async (t) => {
  const count =
    "{% set n = namespace(c=0) %}{% macro one() %}{% set n.c = n.c + 1 %}{{ n.c }}{% endmacro %}";
  const deep = `${"(".repeat(40)}one()${" == 1)".repeat(40)}`;
  for (const operation of [deep, "one() == '1'", "(one() | int) // 1", "d[one()] == 1"])
    t.match(
      answerTemplate({
        template: `${count}{% if ${operation} %}{% endif %}{{ n.c }}`,
        variables: { d: {} },
      }),
      { text: "1" },
      operation,
    );
});

t.test(
  "a variable that is not there is told by its own name, where its block begins",
  async (t) => {
    const cases: Readonly<Record<string, readonly unknown[]>> = {
      "\n {{ 'a' if q is defined else nmae }}": [["nmae", true, 2, 2]],
      "{{ q | default(nmae) }}": [["nmae", true, 1, 1]],
      "{% for a in [1] %}\n{{ loop.indx }}{{ loop.nextitem }}{% endfor %}": [["indx", true, 2, 1]],
      "x\n{% set x = missing %}{{ x }}": [["missing", true, 2, 1]],
      "{{ missing and 1 }}": [["missing", true, 1, 1]],
      "{% for a in missing if a %}{% endfor %}": [["missing", false, 1, 1]],
      "{# {{ zone }} #}\nzone\n{{ zone }}": [["zone", true, 3, 1]],
      "{{ (1 if false) }}{% set x = (1 if false) %}{{ x }}": [],
    };
    for (const [template, expected] of Object.entries(cases)) {
      const answer = answerTemplate({ template, variables: {} });
      const missing = "missing" in answer ? answer.missing : [];
      t.same(
        missing.map(({ name, isPrinted, line, column }) => [name, isPrinted, line, column]),
        expected,
        template,
      );
    }
  },
);

t.test("a template that cannot be rendered has the line at which it fails", async (t) => {
  const cases: Readonly<Record<string, number>> = {
    "{% macro m() %}\n{{ 1 }}\n{% endmacro %}\n\n{{ m() and 1 / 0 }}": 5,
    "{% macro m() %}\n{{ 1 / 0 }}\n{% endmacro %}\n\n{{ m() }}": 2,
    "a\n\n{{ 'x }}\n\nb": 3,
    "a\n{{ x! }}\nb": 2,
    "a\n{# c #}{% raw %}{{ ! }}{% endraw %}\n{# b": 3,
    "a\n{{ 1 == 2 not in [3] }}\n": 2,
    "a\n{% generation %}": 2,
    "{{ '{% raw %}' }}\n{{ '{% endraw %}' }}\n{{ 1 / 0 }}": 3,
    "a\n{{ 9007199254740993 }}": 2,
  };
  for (const [template, line] of Object.entries(cases))
    t.match(answerTemplate({ template, variables: {} }), { line }, template);
});
