import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import t from "tap";
import { formatFinding } from "#core/finding.ts";
import { Secret } from "#core/secret.ts";
import { readConfigs } from "#provisioner/userdata/config-documents.ts";
import { hardwareSigner, signedWith } from "#provisioner/userdata/signed/try-sign.ts";
import { addSecrets } from "./datasources/given-secrets.ts";
import { boot, content, prepare } from "./fake-boot.ts";
import { resolveSpec } from "./resolve-spec.ts";

const ops = hardwareSigner();
const recursions = ["dict", "list", "array", "str"];
const health = "health: { passes: 1, interval: 1ms, timeout: 1s }";
const bytes = (text: string | Uint8Array) => new Secret<Uint8Array>(Buffer.from(text));

interface Beside {
  readonly vendorData?: string;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly launchIndex?: number;
  readonly namespace?: string;
  readonly isSigned?: boolean;
}

/** What a datasource says that has this text signed, and this beside it. */
function saying(text: string, beside: Beside = {}) {
  const { vendorData, secrets = {}, launchIndex, isSigned = true } = beside;
  const { namespace = "firstlight" } = beside;
  const plain = content("");
  const userData = isSigned ? signedWith(ops, text, { namespace }) : Buffer.from(text);
  const bag = new Map([["user-data", bytes(userData)]]);
  if (vendorData !== undefined) bag.set("vendor-data", bytes(vendorData));
  const given = Object.entries(secrets).map(([name, value]) => [name, bytes(value)] as const);
  const instance = {
    ...plain.instance,
    metaData: launchIndex === undefined ? {} : { "launch-index": launchIndex },
    vendorData: vendorData === undefined ? null : { secretRef: "vendor-data" },
  };
  return { ...plain, ...addSecrets({ instance, secrets: bag }, new Map(given)) };
}

const trusted = { signers: [ops.line] };

async function resolve(
  text: string,
  beside: Beside & {
    readonly served?: Readonly<Record<string, string>>;
    readonly vendorFirstlight?: readonly "report"[];
  } = {},
) {
  const { served = {}, vendorFirstlight = [] } = beside;
  const asked: string[] = [];
  const resolution = await resolveSpec(
    saying(text, beside),
    { userData: { ...trusted, vendorFirstlight: [...vendorFirstlight] } },
    {
      fetchSources: async (urls) => {
        asked.push(...urls);
        const found = urls.filter((url) => served[url] !== undefined);
        return new Map(found.map((url) => [url, Buffer.from(served[url] ?? "")]));
      },
      openEnvelope: async (): Promise<Uint8Array> => t.fail("nothing is sealed") as never,
    },
  );
  const errors = resolution.findings
    .filter(({ level }) => level === "error")
    .map((finding) => formatFinding(finding).split("\n")[0]);
  return { ...resolution, asked, errors };
}

t.test("no part of signed text is chosen by the meta-data", async (t) => {
  const forms = [
    "MIME-Version: 1.0\nContent-Type: text/cloud-config\nLaunch-Index: 1\n\nhostname: one\n",
    "#cloud-config\nlaunch-index: 1\nhostname: one\n",
    "#cloud-config-archive\n- {content: '#!/bin/sh', launch-index: x}\n",
  ];
  for (const text of forms) {
    for (const beside of [{}, { launchIndex: 0 }, { launchIndex: 1 }]) {
      const { errors, spec } = await resolve(text, beside);
      t.match(errors, [/^user-data.*:\d+:1 error: .*\[user-data\/signed-launch-index\]/], text);
      t.not(spec.hostname, "one");
    }
    t.same((await resolve(text, { launchIndex: 1, isSigned: false })).errors, []);
  }
});

t.test("a secret that signed text defines is nobody else's to give", async (t) => {
  const text =
    "#firstlight\nsecrets: {token: own}\n" +
    "files: [{path: /a, secret: {secretRef: token}}, {path: /b, secret: {secretRef: other}}]\n";
  const secrets = { token: "beside", other: "beside" };
  const secretOf = (bag: ReadonlyMap<string, Secret<Uint8Array>>, name: string) =>
    Buffer.from(bag.get(name)?.reveal() ?? []).toString();
  const signed = await resolve(text, { secrets });
  t.equal(secretOf(signed.secrets, "token"), "own");
  t.equal(secretOf(signed.secrets, "other"), "beside", "the text leaves it to others");
  t.match(signed.errors, [/^user-data:\d+:11 error secrets\.token: .*\[spec\/secret-not-signed\]/]);
  const alone = await resolve(text, { secrets: { other: "beside" } });
  t.same(alone.errors, []);
  const unsigned = await resolve(text, { secrets, isSigned: false });
  t.equal(secretOf(unsigned.secrets, "token"), "beside");
  t.same(unsigned.errors, []);
});

t.test("vendor-data gives no secret in the place of a signed one", async (t) => {
  const boundary = "--b\nContent-Type: text/plain\n\n";
  const text =
    `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n` +
    `${boundary}#cloud-config\ntimezone: UTC\n` +
    `${boundary}#firstlight\nsecrets: {token: own}\nfiles: [{path: /a, secret: {secretRef: token}}]\n--b--\n`;
  const vendorData = "#cloud-config\nfirstlight: {secrets: {token: evil}}\n";
  const { secrets, errors } = await resolve(text, { vendorData });
  t.equal(Buffer.from(secrets.get("token")?.reveal() ?? []).toString(), "own");
  t.match(errors, [/\[spec\/secret-not-signed\]/]);
});

const http = "http://a.example/x";
const https = "https://a.example/x";
const file = (address: string, more = "") =>
  `#cloud-config\nwrite_files: [{path: /etc/x, source: {uri: '${address}'}${more}}]\n`;

t.test("what signed text has read without protection is an error, and not read", async (t) => {
  const served = { [http]: "#cloud-config\nhostname: evil\n" };
  const forms = [`#include\n${http}\n`, file(http), file(http, ", content: own")];
  for (const text of forms) {
    const { errors, asked, spec } = await resolve(text, { served });
    t.match(errors, [/^user-data:\d+:\d+ error.*\[user-data\/signed-unprotected\]/], text);
    t.same(asked, [], text);
    t.not(spec.hostname, "evil");
    t.same((await resolve(text, { served, isSigned: false })).errors, [], text);
  }
  const inside = await resolve(`#include\n${https}\n`, { served: { [https]: forms[0] ?? "" } });
  t.match(inside.errors, [/^https:\/\/a\.example\/x:2:1 error.*signed-unprotected/]);
  t.same(inside.asked, [https]);
});

t.test("a signature reaches what the signed text names, and nothing that others do", async (t) => {
  const vendor = "https://v.example/a?key";
  const nested = "https://v.example/nested";
  const served = {
    [https]: "#cloud-config\nssh_import_id: [gh:alice]\n",
    "https://v.example/a?own": "#cloud-config\n{}\n",
    [vendor]: file(nested),
    [nested]: "text",
  };
  const own = "https://v.example/a?own";
  const { signedAddresses, fetched, spec } = await resolve(`#include\n${https}\n${own}\n`, {
    ...{ served, vendorData: `#include\n${vendor}\n` },
  });
  t.match(spec.files, [{ path: "/etc/x" }]);
  t.ok(fetched.has(nested));
  t.same([...signedAddresses], [https, own, "https://github.com/alice.keys"]);
  const unsigned = await resolve(`#include\n${https}\n`, { served, isSigned: false });
  t.same([...unsigned.signedAddresses], []);
});

t.test("vendor-data lengthens no address of signed text", async (t) => {
  const options = "recurse_dict,recurse_list,recurse_str";
  const how = `list(${options})+dict(${options})+str(append)`;
  const files = (address: string) =>
    `write_files:\n- {path: /etc/x, source: {uri: '${address}'}}\n`;
  const { asked, signedAddresses } = await resolve(`#cloud-config\n${files("https://a.example")}`, {
    vendorData: `#cloud-config\nmerge_how: '${how}'\nmerge_type: '${how}'\n${files(".b.example")}`,
  });
  t.same(asked, ["https://a.example"]);
  t.same([...signedAddresses], ["https://a.example"]);
});

t.test("what vendor-data has under `firstlight` is put below signed text", async (t) => {
  const vendorData =
    "#cloud-config\nmerge_how: dict(replace)\nmerge_type: dict(replace)\nhostname: evil\n" +
    "firstlight: {hostname: evil, timezone: UTC, users: {alice: {authorizedKeys: [ssh-ed25519 BBBB]}}}\n";
  const text =
    "#cloud-config\nhostname: own\nusers: [{name: alice, ssh_authorized_keys: [ssh-ed25519 AAAA]}]\n";
  const { spec } = await resolve(text, { vendorData });
  t.match(spec, { hostname: "own", timezone: "UTC" });
  t.same(spec.users?.["alice"]?.authorizedKeys, ["ssh-ed25519 AAAA"]);
});

t.test("vendor-data in other words changes nothing that is signed, or is not used", async (t) => {
  const changing: readonly (readonly [own: string, other: string, isUsed: boolean])[] = [
    ["hostname: own", "fqdn: evil.example.org", true],
    ["fqdn: own.example.org", "prefer_fqdn_over_hostname: true\nhostname: evil", false],
    ["hostname: own", "preserve_hostname: true", false],
    ["lxd: {init: {storage_backend: btrfs}}", "lxd: {preseed: 'config: {a: b}'}", false],
    ["ssh_authorized_keys: [ssh-ed25519 AAAA]", "user: {name: evil}", false],
    ["ssh_authorized_keys: [ssh-ed25519 AAAA]", "users: [{name: evil}]", false],
    ["runcmd: [echo own]\npackages: [git]", "bootcmd: [echo beside]\nlocale: C.UTF-8", true],
    ["runcmd: [echo own]", "write_files: [{path: /b, permissions: '0600', content: b}]", true],
  ];
  for (const [own, other, isUsed] of changing) {
    const text = `#cloud-config\n${own}\n`;
    const name = `${own}; ${other}`;
    const vendorData = `#cloud-config\n${other}\ntimezone: UTC\n`;
    const [alone, both] = [await resolve(text), await resolve(text, { vendorData })];
    const left = both.findings.filter(({ message }) => /would not be what is signed/.test(message));
    t.equal(left.length, isUsed ? 0 : 1, name);
    t.equal(both.spec.timezone, isUsed ? "UTC" : undefined, name);
    if (!isUsed) t.same(both.spec, alone.spec, name);
    t.equal(both.spec.hostname, alone.spec.hostname, name);
    t.same(both.errors, [], name);
  }
});

t.test("the image decides whether vendor-data says where to report", async (t) => {
  const vendorData = "#cloud-config\nfirstlight: {report: {node: v}}\n";
  t.equal((await resolve("#cloud-config\n", { vendorData })).spec.report, undefined);
  const { spec } = await resolve("#cloud-config\n", { vendorData, vendorFirstlight: ["report"] });
  t.same(spec.report, { node: "v" });
});

/** Leaves of a value by their path; an empty list or mapping is one. */
function leavesOf(value: unknown, path = ""): readonly (readonly [string, unknown])[] {
  const inner = typeof value === "object" && value !== null ? Object.entries(value) : [];
  if (inner.length === 0) return [[path, value]];
  return inner.flatMap(([key, each]) => leavesOf(each, `${path}/${key}`));
}

t.test("no merger of vendor-data changes a leaf of a signed document", async (t) => {
  const signed =
    '{"s":"a","n":1,"b":true,"z":null,"l":["a",["b"],{"c":"d"}],"e":[],"f":{},"m":{"x":"y","k":{"q":"r"},"l":[1]}}';
  const replacements = [
    "text",
    2,
    false,
    null,
    ["v", ["w"], { c: "x" }, "y"],
    { x: "v", "0": "w" },
  ];
  const options = [...recursions.map((each) => `recurse_${each}`), "replace", "no_replace"];
  const how = fc
    .tuple(
      fc.subarray([...options, "allow_delete"]),
      fc.subarray([...options, "append", "prepend"]),
      fc.subarray(["append"]),
    )
    .map(([dict, list, str]) => `dict(${dict})+list(${list})+str(${str})`);
  const keys = [...Object.keys(JSON.parse(signed)), "firstlight", "new"];
  const vendor = fc.dictionary(fc.constantFrom(...keys), fc.constantFrom(...replacements));
  const said = (text: string | undefined, document: string) =>
    text === undefined ? undefined : { document, bytes: Buffer.from(`#cloud-config\n${text}`) };
  let merged = 0;
  fc.assert(
    fc.property(vendor, vendor, how, fc.boolean(), (one, two, mergers, isBoth) => {
      const of = (config: object) =>
        JSON.stringify({ ...config, merge_how: mergers, ...(isBoth && { merge_type: mergers }) });
      const { config } = readConfigs(
        {
          userData: said(signed, "user-data"),
          vendorData: said(of(one), "vendor-data"),
          vendorData2: said(of(two), "vendor-data2"),
        },
        { fetched: new Map(), isSigned: true },
      );
      const found = new Map(leavesOf(config?.root.value));
      for (const [path, leaf] of leavesOf(JSON.parse(signed)))
        if (!isDeepStrictEqual(found.get(path), leaf)) throw new Error(`${path} is another`);
      if (found.size > leavesOf(JSON.parse(signed)).length) merged += 1;
      for (const part of [["s"], ["l", 0], ["m", "k", "q"]])
        if (config?.place(part).document !== "user-data")
          throw new Error(`${part} is said by another`);
    }),
    { numRuns: 500 },
  );
  t.ok(merged > 50, "what it says beside them is there");
});

t.test("what vendor-data includes changes no system under a signature", async (t) => {
  let said = saying("");
  let vendorText = "#cloud-config\ntimezone: UTC\n";
  const { deps } = prepare(t, {
    settings: { userData: trusted, policy: { changes: "require-signature" } },
    discover: async () => said,
    fetchSources: async (urls) => new Map(urls.map((url) => [url, Buffer.from(vendorText)])),
  });
  const boots = async (serial: number, word: string) => {
    const text = `#cloud-config\nhostname: edge\nfirstlight: { ${health} }\nlocale: ${word}\n`;
    const namespace = `firstlight,serial=${serial}`;
    said = saying(text, { vendorData: `#include\n${https}\n`, namespace });
    const { outcome, message } = await boot(deps);
    return `${outcome}: ${message}`;
  };
  t.match(await boots(1, "C.UTF-8"), /^committed/);
  t.match(await boots(2, "en_US.UTF-8"), /^committed/, "the same from there");
  vendorText = "#cloud-config\ntimezone: Europe/Zurich\n";
  t.match(await boots(3, "de_CH.UTF-8"), /^refused: .*beside the signed text/);
});

t.test("another launch index is a change where parts are chosen by it", async (t) => {
  const choosing =
    "#cloud-config-archive\n" +
    "- {content: '#!/bin/sh', launch-index: 1}\n" +
    `- '${`#cloud-config\\nfirstlight: { ${health} }`}'\n`.replaceAll("'", '"');
  for (const [text, want] of [
    [choosing, /^refused$/],
    [`#firstlight\n${health}\n`, /^committed$|^unchanged$/],
  ] as const) {
    let said = saying(text, { launchIndex: 0, isSigned: false });
    const { deps } = prepare(t, {
      settings: { userData: trusted, policy: { changes: "require-signature" } },
      discover: async () => said,
    });
    t.equal((await boot(deps)).outcome, "committed", text);
    said = saying(text, { launchIndex: 1, isSigned: false });
    t.match((await boot(deps)).outcome, want, text);
  }
});
