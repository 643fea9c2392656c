import t, { type Test } from "tap";
import type { Json } from "#core/canonical-json.ts";
import { fakeIo } from "#core/fake-io.ts";
import { hasErrors } from "#core/finding.ts";
import { Secret } from "#core/secret.ts";
import { answerTemplate } from "#provisioner/userdata/jinja/child.ts";
import { templateVariables } from "#provisioner/userdata/jinja/variables.ts";
import { content } from "./fake-boot.ts";
import { instanceData } from "./instance-data.ts";
import type { RenderTemplate } from "./render-documents.ts";
import { resolveSpec } from "./resolve-spec.ts";

/** What becomes of user-data, and of other documents by their names, rendered in this process. */
async function resolve(
  t: Test,
  userData: string,
  metaData: Json = {},
  others: Readonly<Record<string, string>> = {},
) {
  const io = fakeIo(t.testdir());
  const renderTemplate: RenderTemplate = async (template, instance) =>
    answerTemplate({ template, variables: templateVariables(instanceData(io, instance)) });
  const tools = {
    renderTemplate,
    fetchSources: async () => new Map<string, Uint8Array>(),
    openEnvelope: async (): Promise<Uint8Array> => t.fail("nothing is sealed") as never,
  };
  const { instance, secrets, ...said } = content(userData);
  const given = Object.entries(others).map(
    ([name, text]) => [name, new Secret<Uint8Array>(Buffer.from(text))] as const,
  );
  const all = new Map([...secrets, ...given]);
  return resolveSpec({ ...said, secrets: all, instance: { ...instance, metaData } }, {}, tools);
}

t.test("user-data that is a template is rendered before it is read", async (t) => {
  const { spec, findings } = await resolve(
    t,
    `## template: jinja
#cloud-config
hostname: node-{{ v1.instance_id }}
{% if v1.platform == "nocloud" %}
timezone: Europe/Zurich
{% endif %}
`,
  );
  t.match(spec, { hostname: "node-i-1", timezone: "Europe/Zurich" });
  t.same(findings, []);
});

t.test("what a template comes to is part of what a node is made from", async (t) => {
  const header = "## template: jinja\n#cloud-config\n";
  const template = `${header}hostname: {{ ds.meta_data.role }}\n`;
  const one = await resolve(t, template, { role: "one" });
  t.equal(
    Buffer.from(one.fetched.get("user-data") ?? []).toString(),
    "#cloud-config\nhostname: one\n",
  );
  t.strictNotSame((await resolve(t, template, { role: "two" })).fetched, one.fetched);
  t.equal((await resolve(t, "#cloud-config\nhostname: one\n")).fetched.size, 0);
});

t.test("vendor-data that is a template is rendered as well, and stops nothing", async (t) => {
  const userData = "#cloud-config\ntimezone: UTC\n";
  const header = "## template: jinja\n#cloud-config\n";
  const vendor = {
    "vendor-data": `${header}hostname: {{ ds.meta_data.role }}\n`,
    "vendor-data2": `${header}timezone: x\npackages: [htop]\n`,
  };
  const { spec, fetched, findings } = await resolve(t, userData, { role: "one" }, vendor);
  t.match(spec, { hostname: "one", timezone: "UTC", packages: ["htop"] });
  t.strictSame([...fetched.keys()], ["vendor-data", "vendor-data2"]);
  t.strictSame(findings, []);
  const broken = await resolve(t, userData, {}, { "vendor-data": `${header}a: {{ 1 / 0 }}\n` });
  t.match(broken.findings, [
    { document: "vendor-data", level: "warning", code: "user-data/template-failed", line: 3 },
  ]);
  t.notOk(hasErrors(broken.findings));
});

t.test("findings point to lines of the template", async (t) => {
  const { findings, spec } = await resolve(
    t,
    `## template: jinja
#cloud-config
timezone: {{ ds.meta_data.zone }}
hostnam: a
`,
  );
  t.match(findings, [
    { code: "user-data/template-variable", line: 3, column: 27, message: /no variable zone$/ },
    { line: 4, path: "hostnam" },
  ]);
  t.match(spec, { timezone: "CI_MISSING_JINJA_VAR/zone" });
});

t.test("a template with the line ends of Windows is read as Jinja2 does", async (t) => {
  const lines = [
    "## template: jinja",
    "#cloud-config",
    "{% if true %}",
    "hostname: a",
    "{% endif %}",
  ];
  const { fetched, spec } = await resolve(t, `${lines.join("\r\n")}\r\n`);
  t.match(spec, { hostname: "a" });
  t.equal(Buffer.from(fetched.get("user-data") ?? []).toString(), "#cloud-config\nhostname: a\n\n");
});

t.test("a variable that is not there is named wherever it is used", async (t) => {
  const named = async (body: string) => {
    const document = `## template: jinja\n#cloud-config\n# zone and a\n${body}\n`;
    const { findings } = await resolve(t, document, { there: "x", "two words": "y" });
    return findings
      .filter(({ code }) => code === "user-data/template-variable")
      .map(({ level, line, column, message }) => [level, line, column, message]);
  };
  const printed = (name: string, column: number) => [
    ...["warning", 4, column, `there is no variable ${name}`],
  ];
  const silent = (name: string, column: number) => [
    ...["note", 4, column, `there is no variable ${name}, it is taken for nothing`],
  ];
  const cases: readonly (readonly [string, readonly unknown[]])[] = [
    ["# {{ zone }}abc", [printed("zone", 6)]],
    ["# x{{ zone ~ 'abc' }}", [printed("zone", 7)]],
    ["# {{ zone | upper }}{{ ds.meta_data.role }}", [printed("zone", 6), printed("role", 37)]],
    ["# {{ ds['no-such'] }}.", [printed("no-such", 10)]],
    ["# {% if zone %}a{% endif %}", [silent("zone", 9)]],
    ["# {% if zone == 'a' %}a{% endif %}", [silent("zone", 9)]],
    ["# {% for x in zone %}a{% endfor %}", [silent("zone", 15)]],
    ["# {{ zone or 'a' }}", [silent("zone", 6)]],
    ["# {% if zone %}a{% endif %}{{ zone }}", [printed("zone", 9)]],
    ["# {{ zone | default('a') }}{% if zone is defined %}{% endif %}", []],
    ["# {% if zone is not defined %}{% endif %}{{ ds.meta_data.there }}", []],
    ["# {% for x in [1, 2] %}{% if loop.nextitem %}a{% endif %}{% endfor %}", []],
    ["# {{ ds['of a secret'] }}", [["warning", 1, 1, "there is nothing behind 1 further key"]]],
  ];
  for (const [body, expected] of cases) t.same(await named(body), expected, body);
  const many = Array.from({ length: 25 }, (_, n) => `{{ v${n}_ }}`).join("");
  const findings = await named(`# ${many}`);
  t.equal(findings.length, 21);
  t.match(findings.at(-1)?.[3], "5 further keys");
});

t.test("a variable is named where it is used, not where its name stands first", async (t) => {
  const header = "## template: jinja\n#cloud-config\n";
  const cases: readonly (readonly [string, number, number])[] = [
    ["# zone {# {{ zone }} #}\n# zone {{ 'a' }} zone {{ zone }}\n", 4, 26],
    ["# {{ v1.zone is defined }} {{\n  ds.zone }}\n", 4, 6],
    ["# {{ ds['zo' ~ 'ne'] }}\n", 3, 3],
    [`# {{ zone }} {# ${"{%".repeat(1_000_000)} #}\n`, 3, 6],
  ];
  for (const [body, line, column] of cases) {
    const { findings } = await resolve(t, `${header}${body}`);
    t.match(findings, [{ line, column, message: /no variable zone$/ }], body.slice(0, 50));
  }
});

t.test("empty lines around the header are none of the document", async (t) => {
  for (const [before, after] of [
    ["", "\n"],
    ["\n\n", ""],
    ["\n", "\n\n"],
  ]) {
    const document = `${before}## template: jinja\n${after}#cloud-config\nhostname: a-{{ v1.instance_id }}\nx: 1\n`;
    const { spec, findings } = await resolve(t, document);
    t.match(spec, { hostname: "a-i-1" });
    const line = document.split("\n").indexOf("x: 1") + 1;
    t.match(findings, [{ path: "x", line }], JSON.stringify(document));
  }
});

t.test("one that cannot be rendered is an error that repeats nothing of it", async (t) => {
  for (const template of ["{{ 'hunter2' hunter2 }}", "{{ v1.hunter2.x }}", "{% for %}"]) {
    const { findings } = await resolve(
      t,
      `## template: jinja\n#cloud-config\nhostname: ${template}\n`,
    );
    t.match(findings, [{ code: "user-data/template-failed", level: "error", line: 3 }]);
    t.notMatch(JSON.stringify(findings), /hunter2/);
  }
});

t.test("one that cannot be rendered says why, and at which of its lines", async (t) => {
  const reasons: readonly (readonly [template: string, line: number, message: RegExp])[] = [
    ["a\n{{ 1 / 0 }}", 3, /divides by zero/],
    ["{% if x %}\n{% elif 1 % 0 %}{% endif %}", 3, /divides by zero/],
    [
      "{% raw %}\n{{\n{% endraw %}\n{# {{ #}{{ {'a': {'b': '}}'}} }}{{ 'a' | format }}",
      5,
      /filter/,
    ],
    ["\n\n{{ x.y }}", 4, /a variable that there is not/],
    ["\n{% for %}", 3, /not written as Jinja/],
    ["\n{% if x %}\n", 3, /not written as Jinja/],
    ["\n{{ range(1000000) }}\n", 3, /too long/],
  ];
  for (const [template, line, message] of reasons) {
    const { findings } = await resolve(t, `## template: jinja\n${template}\n`);
    t.match(findings, [{ line, message }], template);
  }
});
