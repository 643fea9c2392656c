import t from "tap";
import { translateCloud, translateText } from "./sample-translation.ts";

/** Bodies of a cloud-config with a word misspelt, and the one that is meant. */
const cloud: Readonly<Record<string, string>> = {
  "users: [{name: a, lock_passwd: ture}]": "true",
  "ssh_pwauth: flase": "false",
  "power_state: {mode: rebot}": "reboot",
  "growpart: {mode: atuo}": "auto",
  "ntp: {ntp_client: chorny}": "chrony",
  "chpasswd: {users: [{name: root, type: RANDM}]}": "RANDOM",
  "ansible: {install_method: pipp, package_name: a}": "pip",
  "lxd: {init: {storage_backend: zsf}}": "zfs",
  "lxd: {bridge: {mode: exsting}}": "existing",
  "disk_setup: {/dev/vdb: {table_type: gtp, layout: true}}": "gpt",
  "firstlight: {health: {checks: [{type: htpp, url: 'http://localhost/'}]}}": "http",
  "firstlight: {mutableUsers: ture}": "true",
  "firstlight: {hooks: [{name: a, when: pre-udpate, command: [x]}]}": "pre-update",
};

/** Network configs with one. */
const network: Readonly<Record<string, string>> = {
  "{version: 1, config: [{type: phyiscal, name: eth0}]}": "physical",
  "{version: 1, config: [{type: physical, name: eth0, subnets: [{type: dchp4}]}]}": "dhcp4",
  "{version: 1, config: [{type: bond, name: b, bond_interfaces: [], params: {bond-mode: activebackup}}]}":
    "active-backup",
  "{version: 2, etherents: {}}": "ethernets",
  "{version: 2, ethernets: {eth0: {dhcp4: ture}}}": "true",
  "{version: 2, ethernets: {eth0: {routes: [{to: default, scope: gloabl}]}}}": "global",
  "{version: 2, tunnels: {t: {mode: wiregaurd}}}": "wireguard",
  "{version: 2, bridges: {b: {interfaces: [eth0], parameters: {path-cost: {eth0: 5}}}}}": "",
};

t.test("a word that is misspelt has the one that is meant in its hint", async (t) => {
  for (const [body, meant] of Object.entries(cloud)) {
    const hints = translateCloud(`${body}\n`).findings.map(({ hint }) => hint);
    t.ok(hints.includes(`did you mean \`${meant}\`?`), `${body}: ${hints.join(" | ")}`);
  }
  for (const [text, meant] of Object.entries(network)) {
    const networkConfig = { document: "network-config", bytes: Buffer.from(text) };
    const { findings } = translateText("#cloud-config\n", {}, { networkConfig });
    const hints = findings.map(({ hint }) => hint);
    if (meant === "") t.same(hints, [], text);
    else t.ok(hints.includes(`did you mean \`${meant}\`?`), `${text}: ${hints.join(" | ")}`);
  }
});

t.test("a word that is like none of those that may stand there has them all", async (t) => {
  const { findings } = translateCloud("power_state: {mode: sleep}\n");
  t.match(findings, [{ hint: "write `reboot`, `poweroff` or `halt`" }]);
});

t.test("a value of another kind is told how it is written", async (t) => {
  const cases: Readonly<Record<string, string>> = {
    "hostname: [a]":
      "write one text, as `hostname: some words`, in quotes where YAML may read it as something else",
    "runcmd: ls": "write it in brackets, as `[a, b]`, or one line each after `- `",
    "write_files: {path: /a}":
      "begin each entry with `- `, and indent its other keys as far as the first",
    "swap: 512M": "write `size: …` below it, indented further",
    "chpasswd: {users: [a]}":
      "write `name` and `password` below it, each on a line of its own and indented further, as `name: …`",
    "ssh_pwauth: [a]": "write `ssh_pwauth: true` or `ssh_pwauth: false`, without quotes",
  };
  for (const [body, hint] of Object.entries(cases)) {
    t.match(translateCloud(`${body}\n`).findings, [{ level: "error", hint }], body);
  }
});
