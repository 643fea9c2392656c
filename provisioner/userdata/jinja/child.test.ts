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
