import { readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";
import t from "tap";
import { hasErrors } from "#core/finding.ts";
import type { CloudConfigModule } from "./cloud-config/module.ts";
import { otherKeys } from "./cloud-config/other-keys.ts";
import { cloudConfigModules } from "./cloud-config/table.ts";
import { referencedSources } from "./referenced-sources.ts";
import {
  linesOf,
  partOf,
  plainDefaultUser,
  sampleContext,
  secretText,
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
  const error = (code: string) => [`error user-data/${code} 1:1 `];
  for (const text of ["#part-handler\n", "## template: jinja\n"]) {
    t.strictSame(linesOf(translateText(text)), error("unsupported-format"), text);
  }
  const hintOf = (text: string) => translateText(text).findings[0]?.hint;
  t.match(hintOf("#part-handler\n"), /do what it does beforehand/);
  t.match(hintOf("hostname: a\n"), /begin it with #cloud-config/);
  t.strictSame(linesOf(translateText("hostname: a\n")), error("unknown-format"));
  t.strictSame(linesOf(translateText("#include https://example.org/\n")), error("include-unread"));
  t.strictSame(linesOf(translateText("#include\n")), ["warning user-data/include-address 1:1 "]);
});

t.test(
  "a message is its parts: configs merged, scripts around runcmd, a spec over all",
  async (t) => {
    const message = `MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Disposition: attachment; filename=z.sh

#!/bin/bash -e
apt-get install -y nginx
--b
Content-Type: text/cloud-config

#cloud-config
hostname: a
runcmd: [ls]
--b
Content-Type: text/cloud-config
Merge-Type: list(append)+dict(recurse_list)+str()

runcmd: [df]
bootcmd: [uptime]
foo: 1
--b
Content-Type: text/x-shellscript-per-boot

#!/bin/sh
echo boot
--b
Content-Disposition: attachment; filename=a.sh

#!/usr/bin/env python3
print(1)
--b

#cloud-boothook
#!/bin/sh
echo hook
--b

#firstlight
timezone: Europe/Zurich
hostnam: a
--b--
`;
    const translation = translateText(message);
    const { spec, findings, origins, coverage } = translation;
    t.match(spec, { hostname: "a", timezone: "Europe/Zurich" });
    t.strictSame(
      spec.commands?.map(({ name, when, frequency, interpreter = "sh" }) =>
        [name, when, frequency, interpreter].join(" "),
      ),
      [
        "part-006 early always sh",
        "part-004 late always sh",
        "a.sh late instance own",
        "bootcmd early always sh",
        "runcmd late instance sh",
        "z.sh late instance own",
      ],
    );
    t.equal(secretText(translation, "runcmd"), "#!/bin/sh\nls\ndf\n");
    t.match(secretText(translation, "z.sh"), /^#!\/usr\/bin\/env -S bash -e\napt-get/);
    t.strictSame(origins.get("commands.5"), {
      ...{ document: "user-data: part 1 (z.sh)", line: 7, column: 1 },
    });
    t.match(origins.get("hostname"), { document: "user-data: part 2", line: 13 });
    t.match(origins.get("timezone"), { document: "user-data: part 7", line: 40, column: 11 });
    t.strictSame(coverage.unsupported, 1);
    t.strictSame(
      findings.map(({ document, line, code }) => `${document}:${line} ${code}`),
      [
        "user-data: part 1 (z.sh):8 cloud-config/package-manager",
        "user-data: part 3:21 cloud-config/unknown-key",
        "user-data: part 7:41 spec/invalid",
      ],
    );
  },
);

t.test("a module of NixOS is taken where the image takes any, and named elsewhere", async (t) => {
  const message =
    "MIME-Version: 1.0\nContent-Type: text/plain\nContent-Disposition: x; filename=web.nix\n\n#nix\n{ }\n";
  const taken = translateText(message, { nixModules: true });
  t.strictSame(taken.spec.modules, [{ name: "web", text: "#nix\n{ }\n" }]);
  t.strictSame(taken.findings, []);
  const refused = translateText(message, { nixModules: false });
  t.equal(refused.spec.modules, undefined);
  t.match(refused.findings, [
    { level: "error", code: "user-data/nix-module", line: 5, hint: /`userData: \{ nixModules/ },
  ]);
  t.match(translateText(message).findings, [{ level: "note", code: "user-data/nix-module" }]);
  const inSpec = "#firstlight\nmodules: [{ name: a, text: '{ }' }]\n";
  t.match(linesOf(translateText(inSpec, { nixModules: false })), [
    "error user-data/nix-module 2:11 modules.0",
  ]);
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

/** The sixty modules of cloud-init, by their names in its documentation. */
const modules = `ansible apk_configure apt_configure apt_pipelining bootcmd byobu ca_certs chef
  disable_ec2_metadata disk_setup fan final_message growpart grub_dpkg install_hotplug keyboard
  keys_to_console landscape locale lxd mcollective mounts ntp package_update_upgrade_install
  phone_home power_state_change puppet raspberry_pi reset_rmc resizefs resolv_conf
  rh_subscription rsyslog runcmd salt_minion scripts_per_boot scripts_per_instance
  scripts_per_once scripts_user scripts_vendor seed_random set_hostname set_passwords snap
  spacewalk ssh ssh_authkey_fingerprints ssh_import_id timezone ubuntu_autoinstall ubuntu_drivers
  ubuntu_pro update_etc_hosts update_hostname users_groups wireguard write_files
  write_files_deferred yum_add_repo zypper_add_repo`.split(/\s+/);

/** Keys of cloud-init that belong to no module of it. */
const ofNoModule = ["reporting"];

/** Modules without keys: they read those of others, what lies in a directory, or nothing. */
const keyless =
  "reset_rmc scripts_per_boot scripts_per_instance scripts_per_once scripts_user update_hostname write_files_deferred";

t.test(
  "the modules are cloud-init's own, each in a file of its own with rule and example",
  async (t) => {
    const directory = new URL("./cloud-config/", import.meta.url);
    const files = readdirSync(directory).filter((file) => /(?<!\.test)\.ts$/.test(file));
    const known = new Set<unknown>(cloudConfigModules);
    const found: string[] = [];
    for (const file of files) {
      const exported = Object.values((await import(new URL(file, directory).href)) as object);
      const here = exported.filter((value) => known.has(value)) as CloudConfigModule[];
      t.ok(here.length <= 1, `${file} has ${here.map(({ name }) => name).join(", ")}`);
      found.push(...here.map(({ name }) => name));
    }
    t.equal(modules.length, 60);
    t.strictSame(found.sort(), [...modules, ...ofNoModule].sort());
    t.ok(cloudConfigModules.every(({ rule }) => /^.{20,}\.$/s.test(rule)));
    const bare = cloudConfigModules.filter(
      ({ keys, example }) => keys.length === 0 && example === "",
    );
    t.strictSame(
      bare
        .map(({ name }) => name)
        .sort()
        .join(" "),
      keyless,
    );
    t.ok(cloudConfigModules.every((each) => each.example !== "" || bare.includes(each)));
  },
);

t.test("every module is there once, one that is refused has a finding", async (t) => {
  const names = cloudConfigModules.map(({ name }) => name);
  t.equal(new Set(names).size, names.length);
  for (const { name, keys, example, isRefused } of cloudConfigModules) {
    if (isRefused !== true) continue;
    t.ok(keys.length > 0 && translateCloud(example).findings.length > 0, name);
  }
});

/** Modules that say what is made of other documents, and nothing of the system themselves. */
const ofOthers = ["scripts_vendor"];

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
      if (isRefused || keys.length === 0 || ofOthers.includes(name)) {
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
    referencedSources({ userData: { document: "user-data", bytes: Buffer.from(text) } }).addresses;
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
