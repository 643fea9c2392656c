import t, { type Test } from "tap";
import type { Json } from "#core/canonical-json.ts";
import { formatFinding, hasErrors } from "#core/finding.ts";
import { answerTemplate } from "#provisioner/userdata/jinja/child.ts";
import { content } from "./fake-boot.ts";
import type { KeptIncludes } from "./read-parts.ts";
import { resolveSpec } from "./resolve-spec.ts";

interface World {
  /** What is behind addresses. */
  readonly served?: Readonly<Record<string, string>>;
  readonly kept?: KeptIncludes;
  readonly metaData?: Json;
  readonly nixModules?: boolean;
  readonly syntax?: { readonly line: number; readonly column: number; readonly message: string };
}

/** What becomes of user-data, and what was read for it, in the order of reading. */
async function resolve(t: Test, userData: string, world: World = {}) {
  const { served = {}, kept, metaData = {}, nixModules, syntax } = world;
  const asked: string[] = [];
  const { instance, ...said } = content(userData);
  const resolution = await resolveSpec(
    { ...said, instance: { ...instance, metaData } },
    nixModules === undefined ? {} : { userData: { nixModules } },
    {
      renderTemplate: async (template) => answerTemplate({ template, variables: { name: "node" } }),
      fetchSources: async (urls) => {
        asked.push(...urls);
        const found = urls.filter((url) => served[url] !== undefined);
        return new Map(found.map((url) => [url, Buffer.from(served[url] ?? "")]));
      },
      keptIncludes: kept && (() => kept),
      parseModule: async () => syntax,
      openEnvelope: async (): Promise<Uint8Array> => t.fail("nothing is sealed") as never,
    },
  );
  const lines = resolution.findings.map((finding) => formatFinding(finding).split("\n")[0]);
  return { ...resolution, asked, lines };
}

const a = "https://a.example/a";
const b = "https://a.example/b";
const c = "https://a.example/c";

t.test("what is included is read, also where it includes more or is a template", async (t) => {
  const served = {
    [a]: `#include\n${b}\n${c}\n`,
    [b]: "## template: jinja\n#cloud-config\nhostname: {{ name }}\nfoo: 1\n",
    [c]: "#!/bin/sh\ntrue\n",
  };
  const { spec, asked, fetched, lines } = await resolve(t, `#include\n${a}\n`, { served });
  t.equal(spec.hostname, "node");
  t.match(spec.commands, [{ name: "part-002", frequency: "instance" }]);
  t.same(asked, [a, b, c], "each once");
  const template = [...fetched.keys()].find((key) => key.startsWith("template:")) ?? "";
  t.same([...fetched.keys()], [a, b, c, template], "all of it is what the node is made from");
  t.match(Buffer.from(fetched.get(b) ?? []).toString(), /hostname: {{ name }}/);
  t.match(Buffer.from(fetched.get(template) ?? []).toString(), /hostname: node/);
  t.match(lines, [/^https:\/\/a\.example\/b:4:1 warning foo: .*unknown-key/]);
});

t.test("each template counts by itself, also where their addresses are shown alike", async (t) => {
  const script = (word: string) => `## template: jinja\n#!/bin/sh\n# {{ name }} ${word}\n`;
  const served = { [`${a}?1`]: script("one"), [`${a}?2`]: script("two") };
  const { fetched } = await resolve(t, `#include\n${a}?1\n${a}?2\n`, { served });
  const texts = [...fetched]
    .filter(([key]) => /^template:[0-9a-f]{64}$/.test(key))
    .map(([, bytes]) => Buffer.from(bytes).toString());
  t.same(texts, ["#!/bin/sh\n# node one\n", "#!/bin/sh\n# node two\n"]);
  const whole = await resolve(t, script("whole"));
  t.same([...whole.fetched.keys()], ["user-data"], "as earlier versions called it");
});

t.test("a file that an included config names is read as well", async (t) => {
  const served = {
    [a]: `#cloud-config\nwrite_files: [{path: /etc/x, source: {uri: '${b}'}}]\n`,
    [b]: "text",
  };
  const { spec, asked, lines } = await resolve(t, `#include\n${a}\n`, { served });
  t.match(spec.files, [{ path: "/etc/x", content: "text" }]);
  t.same(asked, [a, b]);
  t.same(lines, []);
});

t.test("what cannot be read is an error at its line, and is not asked for again", async (t) => {
  const { asked, lines } = await resolve(t, `#include\n\n${a}\n`);
  t.same(asked, [a]);
  t.match(lines, [/^user-data:3:1 error: https:\/\/a\.example\/a was not read/]);
});

t.test("what is included once is kept, and is not read again", async (t) => {
  const store = new Map<string, Uint8Array>();
  const kept: KeptIncludes = {
    read: async (address) => store.get(address),
    keep: async (address, bytes) => void store.set(address, bytes),
  };
  const served = { [a]: "#cloud-config\nhostname: one\n", [b]: "#!/bin/sh\n" };
  const userData = `#include-once\n${a}\n#include\n${b}\n`;
  const first = await resolve(t, userData, { served, kept });
  t.equal(first.spec.hostname, "one");
  t.same([...store.keys()], [a]);
  const later = { served: { ...served, [a]: "#cloud-config\nhostname: two\n" }, kept };
  const second = await resolve(t, userData, later);
  t.equal(second.spec.hostname, "one");
  t.same(second.asked, [b]);
});

t.test("parts are for the machine that the meta-data says this is", async (t) => {
  const userData = `MIME-Version: 1.0\nContent-Type: text/cloud-config\nLaunch-Index: 1\n\nhostname: one\n`;
  const hostname = async (metaData: Json) =>
    (await resolve(t, userData, { metaData })).spec.hostname;
  const chosenBy = async (text: string, metaData: Json) =>
    (await resolve(t, text, { metaData })).launchIndex;
  t.equal(await chosenBy(userData, { "ami-launch-index": "1" }), 1);
  t.equal(await chosenBy(userData, { "ami-launch-index": "0" }), 0);
  t.equal(await chosenBy(userData, {}), null);
  t.equal(await chosenBy("#cloud-config\n{}\n", { "ami-launch-index": "1" }), null, "of no part");
  t.equal(await hostname({ "ami-launch-index": "1" }), "one");
  t.equal(await hostname({ "launch-index": 1 }), "one");
  t.equal(await hostname({}), "one");
  t.not(await hostname({ "ami-launch-index": "0" }), "one");
});

t.test("a module of NixOS is parsed before it is taken", async (t) => {
  const userData = "\n#nix\n{ a = ; }\n";
  t.notOk(hasErrors((await resolve(t, userData, { nixModules: true })).findings));
  const syntax = { line: 3, column: 7, message: "syntax error" };
  const broken = await resolve(t, userData, { nixModules: true, syntax });
  t.match(broken.lines, [
    /^user-data:3:7 error modules\.0: Nix cannot read this module: syntax error/,
  ]);
  const refused = await resolve(t, userData, { syntax });
  t.match(refused.lines, [/^user-data:1:1 error modules\.0: this image takes no modules/]);
});
