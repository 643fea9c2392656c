import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { armor, Encrypter } from "age-encryption";
import t, { type Test } from "tap";
import { needs, writeTree } from "#agent/datasources/images/make-images.ts";
import { brokerMissing, startBroker } from "./brokers.ts";
import { canariesIn, canary, findCanaries, gzipBase64 } from "./canaries.ts";
import { everythingReceived, saidNothing } from "./canary-watch.ts";
import { skipWithoutNix } from "./nix-machine.ts";
import { type Run, type StoryNode, storyNode } from "./story.ts";

t.setTimeout(180_000);

const skip = skipWithoutNix() || brokerMissing("mosquitto") || (needs("xorriso").skip ?? false);

const mqttPassword = canary("mqtt");
const hash = `$6$rounds=5000$salt$${canary("hash").padEnd(86, "x")}`;
const binary = Buffer.concat([Buffer.from([0xff, 0x00, 0xfe]), Buffer.from(canary("binary"))]);

/** A secret in every place that can hold one, whether it is translated or only named in a finding. */
const userData = (port: number, sealed: string) => `#cloud-config
# ${canary("comment")}
password: ${canary("password")}
chpasswd:
  users: [{ name: bob, password: "${canary("chpasswd")}", type: text }]
ssh_keys:
  ed25519_private: |
    -----BEGIN OPENSSH PRIVATE KEY-----
    ${canary("host-key")}
    -----END OPENSSH PRIVATE KEY-----
users:
  - name: alice
    lock_passwd: false
    hashed_passwd: ${hash}
  - name: bob
    lock_passwd: false
    plain_text_passwd: ${canary("plain")}
  - name: carol
    lock_passwd: false
    passwd: ${hash.replace(".hash.", ".passwd.")}
write_files:
  - { path: /root/key, permissions: "0600", content: "${canary("file")}" }
  - { path: /etc/group-only, permissions: "0640", content: "${canary("group-file")}" }
  - { path: /etc/binary, content: ${binary.toString("base64")}, encoding: b64 }
  - { path: /root/packed, permissions: "0400", content: ${gzipBase64(canary("packed"))}, encoding: gz+b64 }
  - { path: /root/added, permissions: "0600", append: true, content: "${canary("added")}" }
  - { path: /root/later, permissions: "0600", defer: true, content: "${canary("deferred")}" }
runcmd:
  - echo ${canary("runcmd")}
  - [sh, -c, "echo ${canary("runcmd-list")}"]
bootcmd:
  - echo ${canary("bootcmd")}
puppet: { install: false, start_service: false, conf: { agent: { http_proxy_password: "${canary("puppet")}" } } }
yum_repos: { a: { baseurl: "https://192.0.2.1/", password: "${canary("yum")}" } }
ubuntu_pro: { token: "${canary("ubuntu")}" }
phone_home: { url: "https://user:${canary("url")}@192.0.2.1/" }
firstlight:
  health: { passes: 1, interval: 10ms, timeout: 5s }
  users: { dora: { passwordHash: "${hash.replace(".hash.", ".own-hash.")}" } }
  files:
    - { path: /root/own, mode: "0600", content: "${canary("own-file")}" }
    - { path: /root/own-secret, secret: "${canary("own-secret")}" }
    - { path: /root/named, secret: { secretRef: named } }
    - { path: /root/sealed, secret: { secretRef: sealed } }
    - { path: /root/smbios, secret: { secretRef: smbios } }
  secrets:
    named: "${canary("named")}"
    sealed: ${JSON.stringify(sealed)}
    unused: "${canary("unused")}"
  units:
    app.service:
      text: "[Service]\\nExecStart=/run/current-system/sw/bin/true\\n"
      credentials: [{ secretRef: handed }, { secretRef: sealed }]
  commands:
    - { name: own, when: late, frequency: once, script: "echo ${canary("own-command")}" }
  report:
    node: edge-1
    mqtt: { host: 127.0.0.1, port: ${port}, username: edge-1, password: "${mqttPassword}" }
`;

const metaData = `admin_pass: ${canary("admin-pass")}
api-token: ${canary("token")}
nested: { deep: { private_key: ${canary("meta-key")} } }
unlikely: "$6$${canary("meta-hash")}"
`;

const networkConfig = `version: 2
ethernets: { enp1s0: { dhcp4: true } }
wifis:
  wlan0: { dhcp4: true, access-points: { home: { password: "${canary("psk")}" } } }
`;

/** What has to reach the machine, and by this way only. */
const delivered = [
  "added",
  "binary",
  "bootcmd",
  "deferred",
  "file",
  "group-file",
  "handed",
  "hash",
  "mqtt",
  "named",
  "own-command",
  "own-file",
  "own-hash",
  "own-secret",
  "packed",
  "passwd",
  "psk",
  "puppet",
  "runcmd",
  "runcmd-list",
  "sealed",
  "smbios",
  "url",
];

/** Gives a machine secrets as credentials; returns the files that they come in. */
function addCredentials(root: string): readonly string[] {
  const prefix = "firstlight.secret";
  const files = {
    [`run/credentials/@system/${prefix}.handed`]: canary("handed"),
    [`run/credentials/@system/${prefix}.nobody`]: canary("nobody"),
    "sys/firmware/dmi/entries/11-0/raw": `\x0b\x05\0\0\x01io.systemd.credential:${prefix}.smbios=${canary("smbios")}\0\0`,
  };
  writeTree(root, files);
  return Object.keys(files);
}

/** Seals a text to a node. */
async function seal(recipient: string, text: string): Promise<string> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient.trim());
  return armor.encode(await encrypter.encrypt(text));
}

t.test("a secret in every secret field is nowhere but where it belongs", { skip }, async (t) => {
  const broker = await startBroker(t, "mosquitto", {
    users: { "edge-1": mqttPassword, ear: "ear" },
  });
  const received = await everythingReceived(t, broker);
  const node = await storyNode(t, { nixConfig: ["compress-build-log = false"] });
  const runs: Run[] = [];
  const firstlight = async (...args: string[]) => {
    const run = await node.firstlight([...args, "-v"], { record: true });
    runs.push(run);
    return run;
  };

  const given = addCredentials(node.machine.root);
  const { stdout: recipient } = await firstlight("identity");
  const sealed = await seal(recipient, canary("sealed"));
  node.insert("iso", {
    instanceId: "i-1",
    userData: userData(broker.port, sealed),
    metaData,
    networkConfig,
  });
  const boot = await firstlight("boot", "--report");
  t.match(boot, { code: 2, stdout: /^committed \(degraded\): generation 1 / });
  t.match(boot.stderr, /runs: nix-instantiate/, "it talked");
  t.ok(boot.processes.length > 5, "its processes are known");
  await received.until(/"kind":"boot.finished"|boot\.finished/);
  t.match(await firstlight("boot", "--json"), { code: 2 });
  for (const command of ["discover", "query", "status", "history", "plan", "facts"]) {
    t.match((await firstlight(command, "--json")).stdout, /^\{/, command);
  }

  await t.test("on the machine", (t) => onlyWhereItBelongs(t, node, given));
  t.same(canariesIn(received.bytes()), [], "nothing the broker received");
  saidNothing(t, runs);
});

t.test("nor is one of a network that NetworkManager sets up", { skip }, async (t) => {
  const node = await storyNode(t);
  const run = async (...args: string[]) => await node.firstlight([...args, "-v"], { record: true });
  node.insert("iso", {
    instanceId: "i-1",
    userData: "#cloud-config\n",
    networkConfig: `${networkConfig}renderer: NetworkManager\n`,
  });
  const boot = await run("boot", "--json");
  t.match(boot.stderr, /runs: nix-instantiate/, "it was built");
  const { root } = node.machine;
  const named = findFiles(path.join(root, "var/lib/firstlight/sources"), "network.nix");
  t.match(named.join(), /psk = "\\\$\{FIRSTLIGHT_/, "by NetworkManager");
  saidNothing(t, [boot, await run("plan", "--json"), await run("status", "--json")]);
  const hits = findCanaries(root).map(({ file }) => file.replace(/@[0-9a-f]+$/, ""));
  t.same(hits, ["dev/vdb", "var/lib/firstlight/credentials/network-wlan0-home"]);
});

/** Texts of all files of this name below a directory. */
function findFiles(directory: string, name: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((file) => path.basename(file) === name)
    .map((file) => readFileSync(path.join(directory, file), "utf8"));
}

t.test("documents that are wrong do not say their secrets", { skip }, async (t) => {
  const node = await storyNode(t);
  const documents = [
    `#cloud-config\nusers: [{ name: alice, hashed_passwd: ["${canary("list")}"] }]\n`,
    `#cloud-config\nusers: [{ name: alice, hashed_passwd: "${canary("no-hash")}" }]\n`,
    `#cloud-config\nruncmd: ${canary("text")}\nwrite_files: ${canary("text")}\n`,
    `#cloud-config\nwrite_files: [{ path: /a, encoding: b64, content: "${canary("no-base64")}" }]\n`,
    `#cloud-config\nwrite_files: [{ path: "${canary("path")}", permissions: "0600" }]\n`,
    `#cloud-config\nruncmd: ["${canary("yaml")}\nusers: {\n`,
    `#cloud-config\nfirstlight: { report: { mqtt: { password: { a: "${canary("map")}" } } } }\n`,
    `#cloud-config\nfirstlight: { users: { alice: { passwordHash: { secretRef: "${canary("ref")}" } } } }\n`,
    `#cloud-config\nfirstlight: { commands: ["${canary("command")}"] }\n`,
    `#part-handler\nsecret = "${canary("script")}"\n`,
    `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n#!/bin/sh\necho ${canary("cut")}\n`,
    `MIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\n${canary("no-encoding")}=\n`,
    `#cloud-config-archive\n- content: [${canary("entry")}]\n- type: ${canary("entry")}\n  content: ${canary("entry")}\n`,
    `#include\nhttps://${canary("user")}:${canary("user")}@127.0.0.1:9/x?${canary("query")}\n`,
    `#nix\n{ a = "${canary("module")}"; }\n`,
    `${canary("nothing")}\n`,
  ];
  for (const userData of documents) {
    node.insert("iso", { instanceId: "i-1", userData });
    const run = await node.firstlight(["boot", "-v", "--json"], { record: true });
    t.match(run.code, 4, userData.slice(0, 60));
    saidNothing(t, [run]);
  }
  await t.test("on the machine", (t) => {
    const hits = findCanaries(node.machine.root).filter(({ file }) => file !== "dev/vdb");
    t.same(hits, []);
    t.end();
  });
});

/** On disk: the seed, the credential files, and the hashes in the file that NixOS keeps them in. */
function onlyWhereItBelongs(t: Test, { machine }: StoryNode, given: readonly string[]): void {
  const hits = findCanaries(machine.root).filter(({ file }) => !given.includes(file));
  const isCredential = (file: string) => file.startsWith("var/lib/firstlight/credentials/");
  const others = hits.filter(({ file }) => !isCredential(file)).map(({ file }) => file);
  t.same(others, ["dev/vdb", "etc/shadow"], "no other file");
  t.match(hits.find(({ file }) => file === "etc/shadow")?.modes, ["0600"]);
  const credentials = hits.filter(({ file }) => isCredential(file));
  for (const { file, modes } of credentials) t.same(modes, ["0400", "0700"], path.basename(file));
  const inside = new Set(credentials.flatMap(({ canaries }) => canaries));
  t.same([...inside].sort(), delivered, "what is to be delivered is there");
  t.same(
    findCanaries(path.join(path.dirname(machine.root), "tmp")),
    [],
    "nor in the temporary directory",
  );
  t.end();
}
