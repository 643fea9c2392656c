import { existsSync, readFileSync } from "node:fs";
import t from "tap";
import { validate } from "#generated/provisioner/system/plan.validate.js";
import { planText, previewText } from "./plan-text.ts";
import { optionText } from "./plan-words.ts";
import { sampleFirstPlan, samplePlan, samplePreview } from "./sample-plan.ts";

const texts = {
  plan: planText(samplePlan),
  "first-plan": planText(sampleFirstPlan),
  preview: previewText(samplePreview),
};

for (const [name, text] of Object.entries(texts)) {
  t.test(`${name} reads as golden/${name}.txt`, async (t) => {
    const golden = new URL(`./golden/${name}.txt`, import.meta.url);
    const expected = existsSync(golden) ? readFileSync(golden, "utf8") : "no golden file";
    t.equal(`${text.join("\n")}\n`, expected);
  });
}

t.test("what plan prints as JSON is what its schema says", async (t) => {
  const head = { v: 1, findings: [] };
  const documents = [
    { ...head, unchanged: true, text: ["nothing would change"] },
    { ...head, unchanged: false, text: texts.plan, plan: samplePlan },
    { ...head, unchanged: false, text: texts["first-plan"], plan: sampleFirstPlan },
    { ...head, unchanged: false, text: texts.preview, preview: samplePreview },
  ];
  for (const document of documents) t.ok(validate(document), JSON.stringify(validate.errors));
  t.notOk(validate({ ...head, unchanged: false, text: [], plan: { digest: "x" } }));
});

t.test("of long values only what differs is shown, and not all of that", async (t) => {
  const lines = (change: string) => ["''", "  a", ...Array(30).fill(`  ${change}`), "  z", "''"];
  const [first, ...rest] = optionText({
    option: "x",
    change: "changed",
    before: lines("old").join("\n"),
    after: lines("new").join("\n"),
    setBy: null,
  });
  t.equal(first, "x:");
  t.strictSame(rest.slice(0, 2), ["-   old", "-   old"]);
  t.equal(rest.filter((line) => line === "+   new").length, 12);
  t.match(rest.at(-1), "… 18 more lines");
});

t.test("a repeated line that comes or goes is one line", async (t) => {
  const change = { option: "x", change: "changed", setBy: null } as const;
  const [, ...less] = optionText({ ...change, before: "a\na\na", after: "a\na" });
  t.strictSame(less, ["- a"]);
});

t.test("nothing that a document says moves the cursor", async (t) => {
  const option = {
    option: 'environment.etc."\u001b[2J"',
    change: "added",
    before: null,
    after: '"\u202e\u0007"',
    setBy: { document: "user\u2028data", line: 1, column: 1 },
  } as const;
  const text = planText({ ...samplePlan, options: [option] });
  for (const line of text) t.notMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
});
