import { gzipSync } from "node:zlib";
import t from "tap";
import { hasErrors } from "#core/finding.ts";
import { otherKeys } from "./cloud-config/other-keys.ts";
import { cloudConfigModules } from "./cloud-config/table.ts";
import { referencedSources } from "./referenced-sources.ts";
import {
  linesOf,
  partOf,
  plainDefaultUser,
  sampleContext,
  translateCloud,
  translateText,
} from "./sample-translation.ts";
import { translate } from "./translate.ts";

t.test("without any document the meta-data names the machine and its user", async (t) => {
  const context = { ...sampleContext, hostname: "m.example.org", publicKeys: ["k\n# x\nl\n"] };
  const { spec, findings, coverage } = translate({}, context);
  t.strictSame(spec, {
    version: 1,
    hostname: "m",
    domain: "example.org",
    users: { nixos: { ...plainDefaultUser, authorizedKeys: ["k", "l"] } },
  });
  t.strictSame(findings, []);
  t.strictSame(coverage, { translated: 0, agent: 0, unsupported: 0 });
});

t.test("formats that are not read are named", async (t) => {
  const unsupported = [
    "#!/bin/sh\n",
    "#include\n",
    "MIME-Version: 1.0\n",
    "#nix\n",
    "## template: jinja\n",
  ];
  for (const text of unsupported) {
    t.strictSame(linesOf(translateText(text)), ["error user-data/unsupported-format 1:1 "], text);
  }
  const hintOf = (text: string) => translateText(text).findings[0]?.hint;
  t.match(hintOf("#!/bin/sh\n"), /`runcmd`/);
  t.match(hintOf("#cloud-boothook\n"), /`bootcmd`/);
  t.match(hintOf("MIME-Version: 1.0\n"), /one #cloud-config/);
  t.match(hintOf("hostname: a\n"), /begin it with #cloud-config/);
  t.strictSame(linesOf(translateText("hostname: a\n")), ["error user-data/unknown-format 1:1 "]);
});

t.test("of several YAML documents in one the hint names nothing that is not read", async (t) => {
  const { findings } = translateCloud("a: 1\n---\nb: 2\n");
  t.match(findings, [{ code: "yaml/invalid", line: 3, hint: /as one document/ }]);
  t.notMatch(findings[0]?.hint, /MIME/);
});

t.test("a document without a first line may be told apart from outside", async (t) => {
  const userData = { document: "x.yaml", bytes: Buffer.from("hostname: a\n") };
  for (const format of ["cloud-config", "firstlight"] as const) {
    const { spec, findings } = translate({ userData: { ...userData, format } }, sampleContext);
    t.equal(spec.hostname, "a");
    t.strictSame(findings, []);
  }
});

t.test("compressed user-data, YAML that is none, and bytes that are no text", async (t) => {
  const bytes = gzipSync("#cloud-config\nhostname: a\n");
  t.equal(translate({ userData: { document: "u", bytes } }, sampleContext).spec.hostname, "a");
  t.strictSame(linesOf(translateCloud("a: [\n")), ["error yaml/invalid 3:1 "]);
  const latin1 = { document: "u", bytes: Buffer.from([0x23, 0xff]) };
  t.match(linesOf(translate({ userData: latin1 }, sampleContext)), [
    /^error user-data\/undecodable/,
  ]);
});

t.test("vendor-data is named, an empty one is none", async (t) => {
  const vendorData = { document: "vendor-data", bytes: Buffer.from("#cloud-config\n") };
  const { findings, coverage } = translate({ vendorData }, sampleContext);
  t.strictSame(linesOf({ findings }), ["note user-data/vendor-data 1:1 "]);
  t.equal(coverage.unsupported, 1);
  const empty = { document: "vendor-data", bytes: new Uint8Array() };
  t.strictSame(translate({ vendorData: empty }, sampleContext).findings, []);
});

t.test("commands in vendor-data run nowhere, which is a warning at their place", async (t) => {
  const said = (text: string) => {
    const vendorData = { document: "vendor-data", bytes: Buffer.from(text) };
    return linesOf(translate({ vendorData }, sampleContext));
  };
  const cases = {
    "#cloud-config\nlocale: C\nruncmd: [ls]\n": "warning user-data/vendor-data 3:1 runcmd",
    "#cloud-config\nbootcmd: [ls]\n": "warning user-data/vendor-data 2:1 bootcmd",
    "#!/bin/sh\nls\n": "warning user-data/vendor-data 1:1 ",
    "#cloud-config\nruncmd: []\n": "note user-data/vendor-data 1:1 ",
    "#cloud-config\n- runcmd\n": "note user-data/vendor-data 1:1 ",
    "#cloud-config\nruncmd: [\n": "note user-data/vendor-data 1:1 ",
    "MIME-Version: 1.0\n": "note user-data/vendor-data 1:1 ",
  };
  for (const [text, line] of Object.entries(cases)) t.strictSame(said(text), [line], text);
});

t.test(
  "keys of other modules are named with another way, unknown ones with a likely name",
  async (t) => {
    const translation = translateCloud(
      "datasource:\n  a: b\nhostnam: x\nzzz: 1\n__proto__: 1\nconstructor: {a: 1}\n",
    );
    t.strictSame(partOf(translation), {});
    t.strictSame(
      translation.findings.map(({ code, line, hint }) => [code, line, hint]),
      [
        ["cloud-config/unsupported-key", 2, "datasources are chosen in the settings of the image"],
        ["cloud-config/unknown-key", 4, "did you mean `hostname`?"],
        ["cloud-config/unknown-key", 5, "it has no effect; remove it"],
        ["cloud-config/unknown-key", 6, "it has no effect; remove it"],
        ["cloud-config/unknown-key", 7, "it has no effect; remove it"],
      ],
    );
  },
);

t.test("a key belongs to one module, or is named as one of others", async (t) => {
  const own = cloudConfigModules.flatMap(({ keys }) => keys);
  t.equal(new Set(own).size, own.length);
  t.strictSame(
    own.filter((key) => Object.hasOwn(otherKeys, key)),
    [],
  );
});

/** Modules of cloud-init by their names in its documentation. */
const modules = `ansible apk_configure apt_configure apt_pipelining bootcmd byobu ca_certs chef
  disable_ec2_metadata disk_setup fan growpart grub_dpkg keyboard landscape locale
  lxd mcollective mounts ntp package_update_upgrade_install puppet raspberry_pi
  reset_rmc resizefs resolv_conf rh_subscription rsyslog runcmd salt_minion
  scripts_per_boot scripts_per_instance scripts_per_once scripts_user
  scripts_vendor set_hostname snap spacewalk ssh timezone ubuntu_autoinstall
  ubuntu_drivers ubuntu_pro update_etc_hosts update_hostname users_groups wireguard
  write_files write_files_deferred yum_add_repo zypper_add_repo`.split(/\s+/);

t.test("every module of cloud-init is there, one that is refused has a finding", async (t) => {
  const names = cloudConfigModules.map(({ name }) => name);
  t.equal(new Set(names).size, names.length);
  for (const name of modules) t.ok(names.includes(name), name);
  for (const { name, keys, example, isRefused } of cloudConfigModules) {
    if (isRefused !== true) continue;
    t.ok(keys.length > 0 && translateCloud(example).findings.length > 0, name);
  }
});

t.test(
  "the example of each module is translated without an error or a warning of its own keys",
  async (t) => {
    for (const {
      name,
      keys,
      example,
      fetched = new Map(),
      isRefused = false,
    } of cloudConfigModules) {
      const translation = translateCloud(example, { fetched });
      t.notOk(hasErrors(translation.findings), name);
      if (isRefused || keys.length === 0) {
        t.strictSame(partOf(translation), {}, name);
        t.ok(
          translation.findings.every(({ hint }) => hint !== null),
          `${name}: each finding says what to do instead`,
        );
      } else if (translation.coverage.agent === 0) t.notSame(partOf(translation), {}, name);
      t.equal(
        keys.some((key) => new RegExp(`^${key}:`, "m").test(example)),
        keys.length > 0,
        name,
      );
    }
  },
);

t.test("addresses that files name are known before the translation", async (t) => {
  const sources = (text: string) =>
    referencedSources({ userData: { document: "user-data", bytes: Buffer.from(text) } });
  const files = ["a", "b", "a"].map((uri) => `  - {path: /x, source: {uri: ${uri}}}\n`).join("");
  t.strictSame(sources(`#cloud-config\nwrite_files:\n${files}`), ["a", "b"]);
  const many = Array.from(
    { length: 100 },
    (_, index) => `- {path: /x, source: {uri: u${index}}}\n`,
  );
  t.equal(sources(`#cloud-config\nwrite_files:\n${many.join("")}`).length, 64);
  for (const text of [
    "#cloud-config\nhostname: uri\n",
    "#cloud-config\nwrite_files: {uri: 1}\n",
    "#cloud-config\nwrite_files: [uri, {source: uri}, {source: {uri: [1]}}]\n",
    "#cloud-config\nuri: [\n",
    "#firstlight\nfiles: [{uri: a}]\n",
    "uri",
  ]) {
    t.strictSame(sources(text), [], text);
  }
});

t.test("where each part of the spec came from", async (t) => {
  const { origins } = translateCloud(
    "hostname: a.b\nusers:\n  - name: alice\n    uid: 7\npackages: [x, htop]\nruncmd: [a]\n",
  );
  const places = Object.entries({
    hostname: [2, 11],
    domain: [2, 11],
    "users.alice": [4, 11],
    "users.alice.uid": [5, 10],
    "packages.1": [6, 15],
    "commands.0": [7, 9],
  });
  for (const [path, [line, column]] of places) {
    t.strictSame(origins.get(path), { document: "user-data", line, column }, path);
  }
});
