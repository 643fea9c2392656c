import { inspect } from "node:util";
import { gzipSync } from "node:zlib";
import t from "tap";
import { describeFault } from "#core/fault.ts";
import { formatFinding } from "#core/finding.ts";
import { translateText } from "./sample-translation.ts";
import type { Translation } from "./translation.ts";

const canary = "CaNaRy-7f3a";
const encoded = Buffer.from(canary).toString("base64");
const zipped = gzipSync(canary).toString("base64");

/** Everything of a translation that goes on, as it would be written down. */
function written({ spec, findings, origins, coverage }: Translation): string {
  return [
    JSON.stringify({ spec, findings, coverage, origins: [...origins] }),
    findings.map(formatFinding).join("\n"),
  ].join("\n");
}

const cloud = (body: string) => `#cloud-config\n${body}\n`;
const own = (body: string) => `#firstlight\n${body}\n`;
const beside = (body: string) =>
  `#cloud-config\nusers: [{name: a, passwd: $6$a$b}]\nfirstlight: {${body}}\n`;
const file = (keys: string) => cloud(`write_files: [{path: /etc/x, ${keys}}]`);

const places: Readonly<Record<string, string>> = {
  "a hash": cloud(`users: [{name: a, passwd: $6$a$${canary}}]`),
  "a hash of the default user": cloud(`user: {hashed_passwd: $6$a$${canary}}`),
  "a hash in an old spelling": cloud(`users: [{name: a, hashed-passwd: $6$a$${canary}}]`),
  "a password that is no hash": cloud(`users: [{name: a, passwd: ${canary}}]`),
  "a password that is a list": cloud(`users: [{name: a, passwd: [${canary}]}]`),
  "a password that is a mapping": cloud(`users: [{name: a, hashed_passwd: {x: ${canary}}}]`),
  "a hash that another overrides": cloud(
    `users: [{name: a, passwd: $6$a$b}, {name: a, passwd: $6$a$${canary}}]`,
  ),
  "a password in plain text": cloud(`users: [{name: a, plain_text_passwd: ${canary}}]`),
  "a password under a misspelt key": cloud(`users: [{name: a, pasword: ${canary}}]`),
  "a private file": file(`permissions: "0600", content: ${canary}`),
  "a private file, number as mode": file(`permissions: 0600, content: ${canary}`),
  "a private file, decimal mode": file(`permissions: 600, content: ${canary}`),
  "a private file, no mode": file(`permissions: [1], content: ${canary}`),
  "a private file, encoded": file(`permissions: "0600", encoding: b64, content: ${encoded}`),
  "a private file, zipped": file(`permissions: "0600", encoding: gz+b64, content: ${zipped}`),
  "a private file, badly encoded": file(
    `permissions: "0600", encoding: b64, content: "%${canary}"`,
  ),
  "a private file, content as a list": file(`permissions: "0600", content: [${canary}]`),
  "an appended file": file(`append: true, content: ${canary}`),
  "headers of a source": file(`source: {uri: x, headers: {Authorization: ${canary}}}`),
  "an address with a token": file(`source: {uri: "https://example.org/?t=${canary}"}`),
  "a command": cloud(`runcmd: ["echo ${canary}", [echo, ${canary}], ["/usr/bin/x", ${canary}]]`),
  "a command that is none": cloud(`bootcmd: [{x: ${canary}}]\nruncmd: {x: ${canary}}`),
  "a password of another module": cloud(`password: ${canary}\nchpasswd: {list: "a:${canary}"}`),
  "a host key": cloud(`ssh_keys: {rsa_private: ${canary}}`),
  "a key of wireguard": cloud(`wireguard: {interfaces: [{content: ${canary}}]}`),
  "a broken document": cloud(`users: [{name: a, passwd: "${canary}`),
  "a tag": cloud(`users: [{name: a, passwd: !!int ${canary}}]`),
  "a text that is no Unicode": cloud(`users: [{name: a, passwd: "${canary}\\ud800"}]`),
  passwordHash: own(`users: {a: {passwordHash: ${canary}}}`),
  "passwordHash as a list": own(`users: {a: {passwordHash: [${canary}]}}`),
  "passwordHash as a mapping": own(`users: {a: {passwordHash: {hash: ${canary}}}}`),
  "passwordHash beside a reference": own(
    `users: {a: {passwordHash: {secretRef: a, x: ${canary}}}}`,
  ),
  "passwordHash under a misspelt key": own(`users: {a: {pasword: ${canary}}}`),
  "a user that is none": own(`users: [{passwordHash: ${canary}}]`),
  "a secret file": own(`files: [{path: /a, secret: ${canary}}]`),
  "a secret file without path": own(`files: [{secret: ${canary}}]`),
  "content that not everybody may read": own(
    `files: [{path: /a, mode: "0600", content: ${canary}}]`,
  ),
  "content with a number as mode": own(`files: [{path: /a, mode: 0600, content: ${canary}}]`),
  "content under a misspelt key": own(`files: [{path: /a, mode: "0600", contents: ${canary}}]`),
  "content beside a secret": own(`files: [{path: /a, secret: a, content: ${canary}}]`),
  "files that are no list": own(`files: {a: {secret: ${canary}}}`),
  "a named secret": own(
    `secrets: {a: ${canary}}\nunits: {a.service: {credentials: [{secretRef: a}]}}`,
  ),
  "a named secret that nobody uses": own(`secrets: {a: ${canary}}`),
  "a named secret as a list": own(`secrets: {a: [${canary}]}`),
  "a named secret as a mapping": own(`secrets: {a: {secretRef: a, x: ${canary}}}`),
  "a named secret under a name that is none": own(`secrets: {-a: ${canary}}`),
  "named secrets that are a list": own(`secrets: [${canary}]`),
  "a secret in the place of a reference": own(`units: {a.service: {credentials: [${canary}]}}`),
  "a script": own(`commands: [{name: a, when: late, frequency: once, script: ${canary}}]`),
  "a script as a list": own(
    `commands: [{name: a, when: late, frequency: once, script: [${canary}]}]`,
  ),
  "a command without a name": own(`commands: [{script: ${canary}}]`),
  "the password of the broker": own(`report: {mqtt: {host: a, password: ${canary}}}`),
  "the password of the broker elsewhere": own(
    `report: {password: ${canary}, mqtt: {pasword: ${canary}}}`,
  ),
  "a part beside cloud-config": beside(`users: {a: {passwordHash: ${canary}}}`),
  "a part beside cloud-config as a mapping": beside(`users: {a: {passwordHash: {x: ${canary}}}}`),
  "a part beside cloud-config that is none": beside(`users: ${canary}, files: ${canary}`),
};

for (const [name, text] of Object.entries(places)) {
  t.test(`${name} stays secret`, async (t) => {
    t.ok(text.includes(canary) || text.includes(encoded) || text.includes(zipped));
    const translation = translateText(text);
    for (const form of [canary, encoded, zipped]) t.notOk(written(translation).includes(form));
    t.notOk(inspect(translation, { depth: 20 }).includes(canary), "not even when it is inspected");
  });
}

/** What a network config holds that nobody may read. What is no password of a WLAN is not translated. */
const networks: Readonly<Record<string, string>> = {
  "a password of WLAN": `wifis: {wlan0: {access-points: {"my net": {password: ${canary}}}}}`,
  "keys of WLAN": `wifis: {wlan0: {access-points: {x: {auth: {key-management: psk, password: ${canary}}}}}}`,
  "a WLAN that is a text": `wifis: ${canary}`,
  "a password of 802.1X": `ethernets: {lan: {dhcp4: true, auth: {method: peap, password: ${canary}}}}`,
  "a password of WLAN that is too short": `wifis: {wlan0: {access-points: {x: {auth: {password: [${canary}]}}}}}`,
  "a key of WireGuard": `tunnels: {wg0: {mode: wireguard, key: ${canary}, peers: [{keys: {shared: ${canary}}}]}}`,
  "a password of a modem": `modems: {cdc: {apn: x, password: ${canary}, pin: ${canary}}}`,
  "settings of NetworkManager": `ethernets: {lan: {networkmanager: {passthrough: {wifi-security.psk: ${canary}}}}}`,
  "a password in the place of an address": `ethernets: {lan: {addresses: [${canary}], gateway4: ${canary}}}`,
  "a password in the place of a flag": `ethernets: {lan: {dhcp4: ${canary}, mtu: ${canary}}}`,
};

for (const [name, text] of Object.entries(networks)) {
  t.test(`${name} in a network config stays secret, and is kept or told`, async (t) => {
    const bytes = Buffer.from(`version: 2\n${text}\n`);
    const documents = { networkConfig: { document: "network-config", bytes } };
    const translation = translateText("#firstlight\n", {}, documents);
    t.notOk(written(translation).includes(canary));
    t.notOk(inspect(translation, { depth: 20 }).includes(canary), "not even when it is inspected");
    const isKept = [...translation.secrets.values()].some((secret) =>
      Buffer.from(secret.reveal()).includes(canary),
    );
    t.not(translation.findings.length > 0, isKept, "kept as a secret, or named");
  });
}

t.test("secrets cannot be written as JSON, and the fault does not hold them", async (t) => {
  const translation = translateText(places["a hash"] ?? "");
  t.equal(translation.secrets.size, 1);
  try {
    JSON.stringify([...translation.secrets]);
    t.fail("it was written");
  } catch (error) {
    t.notOk(JSON.stringify(describeFault(error)).includes(canary));
  }
});
