import t from "tap";
import { hasErrors } from "#core/finding.ts";
import { referencedSources } from "./referenced-sources.ts";
import { partOf, sampleContext, secretText, translateText } from "./sample-translation.ts";
import { translate } from "./translate.ts";
import type { Translation } from "./translation.ts";

interface Texts {
  readonly userData?: string;
  readonly vendorData?: string;
  readonly vendorData2?: string;
}

const config = (text: string) => `#cloud-config\n${text}\n`;
const raw = (document: string, text: string | undefined) =>
  text === undefined ? undefined : { document, bytes: Buffer.from(text) };

function documentsOf({ userData, vendorData, vendorData2 }: Texts) {
  return {
    userData: raw("user-data", userData),
    vendorData: raw("vendor-data", vendorData),
    vendorData2: raw("vendor-data2", vendorData2),
  };
}

function translateAll(texts: Texts): Translation {
  return translate(documentsOf(texts), sampleContext);
}

/** `vendor-data:3:1 warning cloud-config/unknown-key a`. */
function saidOf({ findings }: Translation): readonly string[] {
  return findings.map(
    ({ document, line, column, level, code, path }) =>
      `${document}:${line}:${column} ${level} ${code}${path === "" ? "" : ` ${path}`}`,
  );
}

t.test("vendor-data alone is what the machine is to be", async (t) => {
  for (const userData of [undefined, "", config("")]) {
    const translation = translateAll({
      ...(userData === undefined ? {} : { userData }),
      vendorData: config("hostname: a"),
    });
    t.strictSame(partOf(translation), { hostname: "a" });
    t.strictSame(saidOf(translation), []);
    t.strictSame(translation.coverage, { translated: 1, agent: 0, unsupported: 0 });
    t.strictSame(translation.origins.get("hostname"), {
      document: "vendor-data",
      line: 2,
      column: 11,
    });
  }
  t.strictSame(saidOf(translateAll({ vendorData: "" })), []);
});

t.test("user-data counts most, then vendor-data2; lists stay whole", async (t) => {
  const translation = translateAll({
    userData: config("hostname: user\nruncmd: [a]\nntp: {servers: [192.0.2.1]}"),
    vendorData2: config("hostname: two\ntimezone: Europe/Berlin\nruncmd: [b]\nntp: {pools: []}"),
    vendorData: config("timezone: Europe/Paris\nlocale: de_DE.UTF-8\npackages: [fd-find]"),
  });
  t.notOk(hasErrors(translation.findings));
  const { hostname, timezone, locale, packages, commands } = translation.spec;
  t.strictSame([hostname, timezone], ["user", "Europe/Berlin"]);
  t.match(locale, /de_DE/);
  t.strictSame(packages, ["fd"]);
  t.equal(commands?.length, 1);
  const { origins } = translation;
  t.match(origins.get("timezone"), { document: "vendor-data2", line: 3 });
  t.match(origins.get("packages.0"), { document: "vendor-data", line: 4 });
  t.match(origins.get("commands.0"), { document: "user-data", line: 3 });
});

t.test("its own word on merging is about its own parts", async (t) => {
  const { spec } = translateAll({
    userData: config("packages: [htop]"),
    vendorData: config("packages: [git]\nmerge_how: dict(recurse_list)+list(append)"),
  });
  t.strictSame(spec.packages, ["htop"]);
});

t.test("user-data switches it off, each by its own key", async (t) => {
  const vendor = { vendorData: config("hostname: a"), vendorData2: config("timezone: UTC") };
  for (const off of ["{enabled: false}", "{enabled: 'no'}", "{enabled: }"]) {
    const first = translateAll({ ...vendor, userData: config(`vendor_data: ${off}`) });
    t.strictSame(partOf(first), { timezone: "UTC" }, off);
    const said = saidOf(first).filter((line) => line.startsWith("vendor-data:"));
    t.strictSame(said, ["vendor-data:1:1 note user-data/vendor-data"], off);
    const second = translateAll({ ...vendor, userData: config(`vendor_data2: ${off}`) });
    t.strictSame(partOf(second), { hostname: "a" }, off);
  }
  for (const on of ["{}", "{enabled: true}", "{enabled: 'YES '}", "{enabled: 1}", "{prefix: []}"]) {
    const translation = translateAll({ ...vendor, userData: config(`vendor_data: ${on}`) });
    t.strictSame(partOf(translation), { hostname: "a", timezone: "UTC" }, on);
    t.strictSame(saidOf(translation), [], on);
  }
});

t.test("a switch that is none is an error, and no value switches it off", async (t) => {
  const vendorData = config("hostname: a");
  const error = "user-data:2:14 error user-data/wrong-type vendor_data";
  const off = translateAll({ vendorData, userData: config("vendor_data: no") });
  t.strictSame(partOf(off), {});
  t.strictSame(saidOf(off), [error, "vendor-data:1:1 note user-data/vendor-data"]);
  const on = translateAll({ vendorData, userData: config("vendor_data: []") });
  t.strictSame(partOf(on), { hostname: "a" });
  t.strictSame(saidOf(on), [error]);
  const nothing = translateAll({ vendorData, userData: config("vendor_data:") });
  t.strictSame(partOf(nothing), {});
  t.notOk(hasErrors(nothing.findings));
});

t.test("types of parts are left out", async (t) => {
  const vendorData = config("hostname: a");
  for (const list of ["[text/cloud-config]", "text/cloud-config"]) {
    const userData = config(`vendor_data: {disabled_handlers: ${list}}`);
    t.strictSame(partOf(translateAll({ userData, vendorData })), {}, list);
  }
});

const archive = (...scripts: readonly string[]) =>
  `#cloud-config-archive\n${scripts.map((each) => `- ${JSON.stringify(each)}\n`).join("")}`;

t.test("a prefix starts the scripts of both kinds of vendor-data, and no others", async (t) => {
  const scripts = ["#!/bin/bash\necho a\n", "#cloud-boothook\n#!/bin/sh\necho hook\n"];
  const translation = translateAll({
    userData: archive(
      config('vendor_data: {prefix: [/usr/bin/nice, -n, 19, "it\'s"]}\nruncmd: [ls]'),
      "#!/bin/sh\necho own\n",
    ),
    vendorData: archive(...scripts, config("bootcmd: [ls]")),
    vendorData2: archive(config("timezone: UTC"), "#!/usr/bin/env python3\nprint(2)\n"),
  });
  t.notOk(hasErrors(translation.findings));
  const textOf = (ref: { readonly secretRef: string } | undefined) =>
    ref === undefined ? undefined : secretText(translation, ref.secretRef);
  const started = (translation.spec.commands ?? []).map(({ interpreter = "sh", ...command }) => {
    return [interpreter, textOf(command.script), textOf(command.starter)];
  });
  const starter = "exec nice -n 19 'it'\\''s' \"$@\"\n";
  t.strictSame(
    started.filter(([, , each]) => each !== undefined),
    [
      ["own", "#!/usr/bin/env bash\necho a\n", starter],
      ["own", "#!/usr/bin/env python3\nprint(2)\n", starter],
    ],
  );
  t.equal(started.length, 6, "hooks, scripts and commands of the user are started as ever");
});

t.test("a prefix is a program, or a list with its arguments", async (t) => {
  const vendorData = "#!/bin/sh\necho a\n";
  const of = (prefix: string, key = "vendor_data", more = "") => {
    const userData = config(`${key}: {prefix: ${prefix}}\n${more}`);
    const translation = translateAll({ userData, vendorData });
    const { starter } = translation.spec.commands?.[0] ?? {};
    const text = starter && secretText(translation, starter.secretRef);
    return [text, ...saidOf(translation).filter((line) => !/files/.test(line))];
  };
  const errorsOf = (said: readonly (string | undefined)[]) =>
    said.filter((line) => line === undefined || / error /.test(line));
  const nothing = ["", "[]", "''", "~"];
  for (const prefix of nothing) t.strictSame(errorsOf(of(prefix)), [undefined], prefix);
  t.strictSame(of("timeout"), ['exec timeout "$@"\n']);
  t.strictSame(of("/usr/bin/ltrace"), [
    'exec ltrace "$@"\n',
    "user-data:2:23 warning cloud-config/program-path vendor_data.prefix",
  ]);
  const file = "write_files: [{path: /usr/bin/ltrace, content: x}]";
  t.strictSame(of("/usr/bin/ltrace", "vendor_data", file), ['exec /usr/bin/ltrace "$@"\n']);
  const error = "user-data:2:23 error user-data/wrong-type vendor_data.prefix";
  for (const prefix of ["nice -n 19", "{a: 1}", "[nice, [a]]", "['']", "7"])
    t.strictSame(errorsOf(of(prefix)), [undefined, error], prefix);
  t.strictSame(of("[nice]", "vendor_data2"), [
    undefined,
    "user-data:2:16 warning cloud-config/unsupported-key vendor_data2.prefix",
  ]);
});

t.test("without a first line a script with a prefix is one of sh", async (t) => {
  const part = "MIME-Version: 1.0\nContent-Type: text/x-shellscript\n\n";
  const userData = config("vendor_data: {prefix: nice}");
  const translation = translateAll({ userData, vendorData: `${part}echo a\n` });
  const { script, interpreter } = translation.spec.commands?.[0] ?? {};
  t.equal(interpreter, "own");
  t.equal(script && secretText(translation, script.secretRef), "#!/bin/sh\necho a\n");
  const crlf = translateAll({ userData, vendorData: "#!/bin/dash\r\necho a\r\n" });
  const dash = crlf.spec.commands?.[0]?.script.secretRef ?? "";
  t.equal(secretText(crlf, dash), "#!/bin/sh\necho a\n");
});

t.test("what is wrong in it stops nothing, and what is lost of it is a note", async (t) => {
  const vendorData = config("hostname: [a]\nfoo: 1\napt: {x: 1}\ntimezone: UTC\nruncmd: 7");
  const translation = translateAll({ userData: config("locale: C.UTF-8"), vendorData });
  t.strictSame(saidOf(translation), [
    "vendor-data:2:11 warning user-data/wrong-type hostname",
    "vendor-data:3:1 note cloud-config/unknown-key foo",
    "vendor-data:4:1 note cloud-config/unsupported-key apt",
    "vendor-data:6:9 warning user-data/wrong-type runcmd",
  ]);
  t.equal(translation.spec.timezone, "UTC");
  const broken = { "#cloud-config\na: [\n": "yaml/invalid", hello: "user-data/unknown-format" };
  for (const [text, code] of Object.entries(broken)) {
    const { findings, spec } = translateAll({ userData: config("hostname: a"), vendorData: text });
    t.match(findings, [{ document: "vendor-data", code }]);
    t.notOk(hasErrors(findings));
    t.equal(spec.hostname, "a");
  }
  const bytes = { document: "vendor-data", bytes: Buffer.from([0x23, 0xff]) };
  const undecodable = translateText("#cloud-config\nhostname: a\n", {}, { vendorData: bytes });
  t.match(undecodable.findings, [{ level: "warning", code: "user-data/undecodable" }]);
});

t.test(
  "what is said of its commands and packages is a note: a boot is not degraded for it",
  async (t) => {
    const vendorData = config("runcmd: [apt-get update]\npackages: [qemu-guest-agent]");
    const { findings, spec } = translateAll({ userData: config(""), vendorData });
    t.ok(findings.length >= 2);
    t.strictSame([...new Set(findings.map(({ level }) => level))], ["note"]);
    t.equal(spec.commands?.length, 1, "they run all the same");
  },
);

t.test("of its packages those are taken that are known to be there", async (t) => {
  const list = "[fd-find, droplet-agent, [acme-agent, '1'], apt: [other-agent, fd-find], gcc-12]";
  const of = (document: "userData" | "vendorData") =>
    translateAll({ userData: config(""), [document]: config(`packages: ${list}`) });
  t.strictSame(of("vendorData").spec.packages, ["fd", "gcc12"]);
  const said = saidOf(of("vendorData")).filter((line) => /package-of-vendor/.test(line));
  t.strictSame(said, [
    "vendor-data:2:21 note cloud-config/package-of-vendor packages.1",
    "vendor-data:2:36 note cloud-config/package-of-vendor packages.2",
    "vendor-data:2:61 note cloud-config/package-of-vendor packages.3.apt.0",
  ]);
  t.match(of("userData").spec.packages, ["fd", "droplet-agent", "acme-agent", "other-agent"]);
  const { translated, unsupported } = of("vendorData").coverage;
  t.strictSame([translated, unsupported], [3, 4]);
});

t.test("a #firstlight alone says all, and its vendor-data is named", async (t) => {
  const userData = "#firstlight\nhostname: own\n";
  const said = (vendorData: string) => saidOf(translateAll({ userData, vendorData }));
  const cases = {
    [config("locale: C\nruncmd: [ls]")]: "vendor-data:3:1 warning user-data/vendor-data runcmd",
    [config("bootcmd: [ls]")]: "vendor-data:2:1 warning user-data/vendor-data bootcmd",
    "#!/bin/sh\nls\n": "vendor-data:1:1 warning user-data/vendor-data",
    [config("runcmd: []")]: "vendor-data:1:1 note user-data/vendor-data",
    [config("- runcmd")]: "vendor-data:1:1 note user-data/vendor-data",
    [config("runcmd: [")]: "vendor-data:1:1 note user-data/vendor-data",
    "MIME-Version: 1.0\n\nhello\n": "vendor-data:1:1 note user-data/vendor-data",
  };
  for (const [text, line] of Object.entries(cases)) t.strictSame(said(text), [line], text);
  t.strictSame(said(""), []);
  const { spec, coverage } = translateAll({ userData, vendorData: config("timezone: UTC") });
  t.strictSame(spec, { version: 1, hostname: "own" });
  t.equal(coverage.unsupported, 1);
});

t.test("findings of several documents stand in the order of the documents", async (t) => {
  const translation = translateAll({
    userData: config("a: 1\nfoo: 1"),
    vendorData: config("bar: 1"),
    vendorData2: config("\n\n\nqux: 1"),
  });
  t.strictSame(
    saidOf(translation).map((line) => line.split(" ")[0]),
    ["user-data:2:1", "user-data:3:1", "vendor-data2:5:1", "vendor-data:2:1"],
  );
});

t.test("addresses of its files are read beforehand, where they are used", async (t) => {
  const files = (uri: string) => config(`write_files: [{path: /a, source: {uri: '${uri}'}}]`);
  const vendorData = files("https://example.org/v");
  t.strictSame(referencedSources(documentsOf({ vendorData })).addresses, ["https://example.org/v"]);
  const userData = files("https://example.org/u");
  t.strictSame(referencedSources(documentsOf({ userData, vendorData })).addresses, [
    "https://example.org/u",
  ]);
  const off = config("vendor_data: {enabled: false}");
  t.strictSame(referencedSources(documentsOf({ userData: off, vendorData })).addresses, []);
});

t.test("a #firstlight in vendor-data is named", async (t) => {
  const translation = translateAll({
    userData: config(""),
    vendorData: "#firstlight\nhostname: a\n",
  });
  t.strictSame(partOf(translation), {});
  t.strictSame(saidOf(translation), ["vendor-data:1:1 warning user-data/vendor-data"]);
  t.match(translation.findings, [{ hint: /under its key `firstlight`/ }]);
  const inside = config("firstlight: {timezone: UTC}");
  t.strictSame(partOf(translateAll({ userData: config(""), vendorData: inside })), {
    timezone: "UTC",
  });
});

t.test(
  "modules of NixOS under `firstlight` of vendor-data are left out, those of the user stay",
  async (t) => {
    const modules = config("firstlight:\n  modules: [{name: v, text: '{ }'}]\n  timezone: UTC");
    const context = { ...sampleContext, nixModules: true };
    const told = "warning user-data/vendor-data modules.0";
    const alone = translate(documentsOf({ userData: config(""), vendorData: modules }), context);
    t.strictSame(partOf(alone), { timezone: "UTC" });
    t.strictSame(saidOf(alone), [`vendor-data:3:13 ${told}`]);
    const userData =
      "Content-Type: multipart/mixed; boundary=x\n\n--x\n\n#cloud-config\n--x\nContent-Type: text/x-nix\nContent-Disposition: attachment; filename=own.nix\n\n#nix\n{ }\n--x--\n";
    const both = translate(documentsOf({ userData, vendorData2: modules }), context);
    t.match(both.spec.modules, [{ name: "own" }]);
    t.equal(both.spec.modules?.length, 1);
    t.equal(both.origins.get("modules.0")?.document.startsWith("user-data"), true);
    t.strictSame(saidOf(both), [`vendor-data2:3:13 ${told}`]);
    t.notOk(
      hasErrors(
        translate(documentsOf({ vendorData: modules }), { ...context, nixModules: false }).findings,
      ),
    );
  },
);

t.test(
  "where a node reports, who may change it and options are not for vendor-data to say",
  async (t) => {
    const vendorData = config(
      "firstlight:\n" +
        "  report: {node: v, mqtt: {host: v.example, tls: false}}\n" +
        "  update: {changes: apply}\n" +
        "  options: {services.x.enable: true, services.y: {a: 1, b: 2}}\n" +
        "  timezone: UTC",
    );
    const alone = translateAll({ userData: config(""), vendorData });
    t.strictSame(partOf(alone), { timezone: "UTC" });
    t.strictSame(saidOf(alone), [
      "vendor-data:3:3 warning user-data/vendor-data firstlight.report",
      "vendor-data:4:3 warning user-data/vendor-data firstlight.update",
      "vendor-data:5:3 warning user-data/vendor-data firstlight.options",
    ]);
    t.strictSame(alone.coverage, { translated: 1, agent: 0, unsupported: 7 });

    const userData = config(
      "firstlight:\n  report: {mqtt: {host: u.example}}\n  options: {services.y: {a: 0}}",
    );
    const both = translateAll({ userData, vendorData });
    t.strictSame(partOf(both), {
      report: { mqtt: { host: "u.example" } },
      options: { "services.y": { a: 0 } },
      timezone: "UTC",
    });
    t.strictSame(
      saidOf(both).filter((line) => !line.startsWith("user-data")),
      [
        "vendor-data:3:12 warning user-data/vendor-data firstlight.report.node",
        "vendor-data:3:45 warning user-data/vendor-data firstlight.report.mqtt.tls",
        "vendor-data:4:3 warning user-data/vendor-data firstlight.update",
        "vendor-data:5:13 warning user-data/vendor-data firstlight.options.services.x.enable",
        "vendor-data:5:57 warning user-data/vendor-data firstlight.options.services.y.b",
      ],
    );

    const context = { ...sampleContext, vendorFirstlight: ["report"] as const };
    const allowed = translate(documentsOf({ userData: config(""), vendorData }), context);
    t.match(allowed.spec.report, { node: "v" });
    t.strictSame([allowed.spec.update, allowed.spec.options], [undefined, undefined]);
  },
);

t.test("a file of vendor-data takes the place of none of the user's", async (t) => {
  const translation = translateAll({
    userData: config("write_files: [{path: /etc/app/policy, content: user}]"),
    vendorData: config(
      "firstlight:\n" +
        "  files:\n" +
        "    - {path: /etc/app/policy, content: vendor}\n" +
        "    - {path: /etc//app/policy, content: more, append: true}\n" +
        "    - {path: /etc/app/other, content: vendor}",
    ),
  });
  t.strictSame(
    translation.spec.files?.map(({ path, content }) => [path, content]),
    [
      ["/etc/app/policy", "user"],
      ["/etc/app/other", "vendor"],
    ],
  );
  t.strictSame(saidOf(translation), [
    "vendor-data:4:7 note cloud-config/overridden firstlight.files.0",
    "vendor-data:5:7 note cloud-config/overridden firstlight.files.1",
  ]);
});

t.test("its own word on merging changes nothing of the user's `firstlight`", async (t) => {
  const options = "recurse_dict,recurse_list,recurse_str";
  for (const how of [
    `dict(${options})+list(append)+str(append)`,
    "dict(replace)",
    "dict(allow_delete)",
    "list()",
  ]) {
    const { spec } = translateAll({
      userData: config("firstlight: {report: {mqtt: {host: u.example}}, packages: [git]}"),
      vendorData: config(
        "firstlight: {report: {mqtt: {host: .v.example}}, packages: [htop], timezone: UTC}\n" +
          `merge_how: '${how}'\nmerge_type: '${how}'`,
      ),
    });
    t.strictSame(spec.report, { mqtt: { host: "u.example" } }, how);
    t.strictSame(spec.packages, ["git"], how);
  }
});

t.test("`firstlight` of vendor-data is put below what user-data says in other words", async (t) => {
  const vendorData = config(
    "ntp: {servers: [192.0.2.1]}\nfirstlight:\n  hostname: v\n  locale: C.UTF-8\n" +
      "  packages: [htop]\n  users: {alice: {shell: zsh, authorizedKeys: [evil], uid: 1}}",
  );
  const userData = config(
    "hostname: u\npackages: [git]\nusers: [{name: alice, shell: /bin/bash, ssh_authorized_keys: [ssh-ed25519 AAAA]}]",
  );
  const { spec, findings } = translateAll({ userData, vendorData });
  t.equal(spec.hostname, "u");
  t.equal(spec.locale, "C.UTF-8");
  t.strictSame(spec.packages, ["git", "htop"], "packages are beside one another");
  t.match(spec.users?.["alice"], { shell: "bash", uid: 1 });
  t.strictSame(spec.users?.["alice"]?.authorizedKeys, ["ssh-ed25519 AAAA"]);
  t.match(
    findings.filter(({ code }) => code === "cloud-config/overridden").map(({ path }) => path),
    [
      "firstlight.hostname",
      "firstlight.users.alice.shell",
      "firstlight.users.alice.authorizedKeys",
    ],
  );
  const own = translateAll({
    userData: archive(config("{}"), "#firstlight\nntp: {servers: [192.0.2.2]}\nhostname: own\n"),
    vendorData,
  });
  t.strictSame(own.spec.ntp?.servers, ["192.0.2.2"], "a list of the user's in its place");
  t.equal(own.spec.hostname, "own");
});

t.test("one document as both: what is wrong in it is an error", async (t) => {
  const both = { document: "both.yaml", bytes: Buffer.from(config("hostname: [a]")) };
  const { findings } = translate({ userData: both, vendorData: both }, sampleContext);
  t.ok(hasErrors(findings));
});
