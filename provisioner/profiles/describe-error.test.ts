import { readFileSync } from "node:fs";
import t from "tap";
import { formatFinding } from "#core/finding.ts";
import { hostFiles } from "#core/host-files.ts";
import { forms } from "./describe-error.ts";
import { readProfile } from "./profile-folder.ts";

const none = hostFiles(t.testdir(), () => {});
const good = `id: acme/x
title: X
vendor: Acme
match: { any: [{ all: { dmi: { sysVendor: Acme, productName: X } } }] }
status: { level: declared, evidence: none }
tests: { match: [{ name: it, facts: {} }], noMatch: [{ name: other, facts: {} }] }
`;

const check = (text: string) =>
  readProfile(none, { here: "/", text, document: "p" }).findings.map(formatFinding);

t.test("what does not fit the schema is told in words, with what to do", async (t) => {
  t.same(check(good), []);
  const cases: readonly (readonly [from: string, to: string, message: RegExp, hint: RegExp])[] = [
    ["productName", "prodctName", /dmi\.prodctName: no such key/, /did you mean `productName`\?/],
    ["{ all:", "{ al:", /any\.0\.al: no such key/, /did you mean `all`\?/],
    ["{ any:", "{ aby:", /match\.aby: no such key/, /did you mean `any`\?/],
    ["{ dmi:", "{ dmy:", /all\.dmy: no such key/, /did you mean `dmi`\?/],
    ["name: other", "nam: other", /noMatch\.0\.nam: no such key/, /did you mean `name`\?/],
    [
      "other, facts: {}",
      "o, facts: { cpuVendr: x }",
      /cpuVendr: no such/,
      /did you mean `cpuVendor`/,
    ],
    ["status", "quirks: [{ affect: x }]\nstatus", /affect: no such key/, /did you mean `effect`\?/],
    ["status", "colour: red\nstatus", /colour: no such key/, /known are id, /],
    ["title: X", "titel: X", /titel: no such key/, /did you mean `title`\?/],
    ["title: X\n", "", /error: lacks `title`/, /add `title`; docs\/own-profiles\.md/],
    ["[{ name: other, facts: {} }]", "[]", /noMatch: must have at least 1 entry/, /must not get/],
    ["level: declared", "level: decalred", /must be .*declared/, /did you mean `declared`\?/],
    ["title: X", "title: [X]", /title: must be text/, /docs\/own-profiles\.md/],
    ["title: X", 'title: ""', /title: must not be empty/, /write a text/],
    ["id: acme/x", "id: Acme/X", /id: must be VENDOR\/MODEL/, /docs\/own-profiles\.md/],
    ["productName: X", "productName: { prefx: X }", /is no rule for a text/, /`prefix: …`/],
    ["productName: X", "productName: []", /is no rule for a text/, /`oneOf: \[…\]`/],
    ["{ sysVendor: Acme, productName: X }", "{}", /dmi: says nothing/, /give one of its keys/],
    ["status", "kernel: { params: { a: [] } }\nstatus", /none of the forms/, /`true` for a name/],
    ["status", "kernel: { params: { a b: 1 } }\nstatus", /a b: this name/, /use letters/],
    ["status", "install: { espMebibytes: 1 }\nstatus", /at least 256/, /larger/],
    ["status", "install: { espMebibytes: 9999 }\nstatus", /at most 8192/, /smaller/],
    ["title: X", `title: ${"x".repeat(257)}`, /at most 256 characters/, /shorter/],
  ];
  for (const [from, to, message, hint] of cases) {
    const findings = check(good.replace(from, to));
    const found = findings.find((each) => message.test(each)) ?? "";
    t.match(found, message, to, { findings });
    t.match(found, hint, to, { findings });
    t.notMatch(findings.join("\n"), /must (?:NOT|match)|propert/, to);
  }
});

t.test("every form that the schema asks for has words of its own", async (t) => {
  const schema = readFileSync(new URL("profile.schema.json", import.meta.url), "utf8");
  const asked = [...schema.matchAll(/"pattern": ("(?:[^"\\]|\\.)*")/g)].map(([, text = ""]) =>
    String(JSON.parse(text)),
  );
  t.same([...new Set(asked)].sort(), Object.keys(forms).sort());
});
