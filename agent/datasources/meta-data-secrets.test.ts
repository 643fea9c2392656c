import t from "tap";
import { canonicalJson, type Json } from "#core/canonical-json.ts";
import { fc } from "#core/fast-check.ts";
import { redact } from "./meta-data-secrets.ts";

const ref = (name: string) => ({ secretRef: `meta-data.${name}` });

const cases: Record<string, { document: Json; value: Json; secrets: Record<string, string> }> = {
  "what is not secret stays": {
    document: {
      "instance-id": "i-1",
      n: 7,
      t: true,
      z: null,
      list: ["a", 1],
      "local-hostname": "h",
    },
    value: { "instance-id": "i-1", n: 7, t: true, z: null, list: ["a", 1], "local-hostname": "h" },
    secrets: {},
  },
  "passwords by any name": {
    document: {
      password: "p1",
      admin_passwd: "p2",
      admin_pass: "p4",
      "db-passphrase": 3,
      lock_passwd: true,
      random_seed: "p5",
    },
    value: {
      password: ref("password"),
      admin_passwd: ref("admin_passwd"),
      admin_pass: ref("admin_pass"),
      "db-passphrase": ref("db-passphrase"),
      lock_passwd: true,
      random_seed: ref("random_seed"),
    },
    secrets: {
      "meta-data.password": "p1",
      "meta-data.admin_passwd": "p2",
      "meta-data.admin_pass": "p4",
      "meta-data.db-passphrase": "3",
      "meta-data.random_seed": "p5",
    },
  },
  "everything below a secret key": {
    document: { "security-credentials": { role: { AccessKeyId: "x", list: ["y"] } } },
    value: {
      "security-credentials": {
        role: {
          AccessKeyId: ref("security-credentials.role.AccessKeyId"),
          list: [ref("security-credentials.role.list.0")],
        },
      },
    },
    secrets: {
      "meta-data.security-credentials.role.AccessKeyId": "x",
      "meta-data.security-credentials.role.list.0": "y",
    },
  },
  "public keys are public, private ones among them are not": {
    document: {
      "public-keys": {
        "token of alice": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A",
        oops: "-----BEGIN RSA PRIVATE KEY-----\nx",
      },
    },
    value: {
      "public-keys": {
        "token of alice": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A",
        oops: ref("public-keys.oops"),
      },
    },
    secrets: { "meta-data.public-keys.oops": "-----BEGIN RSA PRIVATE KEY-----\nx" },
  },
  "hashes and addresses with a password, under any key": {
    document: {
      note: "$6$salt$hash",
      mirror: "see https://user:pw@example.com/x",
      site: "https://example.com:8443/@x",
    },
    value: { note: ref("note"), mirror: ref("mirror"), site: "https://example.com:8443/@x" },
    secrets: {
      "meta-data.note": "$6$salt$hash",
      "meta-data.mirror": "see https://user:pw@example.com/x",
    },
  },
  "documents inside the meta-data": {
    document: {
      "user-data": "#!/bin/sh",
      vendor_data: { x: "y" },
      "network-interfaces": "iface wlan0\n wpa-psk 1",
    },
    value: {
      "user-data": ref("user-data"),
      vendor_data: { x: ref("vendor_data.x") },
      "network-interfaces": ref("network-interfaces"),
    },
    secrets: {
      "meta-data.user-data": "#!/bin/sh",
      "meta-data.vendor_data.x": "y",
      "meta-data.network-interfaces": "iface wlan0\n wpa-psk 1",
    },
  },
  "where a seed lies, and what people write beside an instance": {
    document: {
      seedfrom: "https://seeds.example/t0ken/",
      "instance-data": { "deploy-cmd": "join hunter2" },
    },
    value: {
      seedfrom: ref("seedfrom"),
      "instance-data": { "deploy-cmd": ref("instance-data.deploy-cmd") },
    },
    secrets: {
      "meta-data.seedfrom": "https://seeds.example/t0ken/",
      "meta-data.instance-data.deploy-cmd": "join hunter2",
    },
  },
  "names that would be the same": {
    document: { "a b": { token: "1" }, "a+b": { token: "2" } },
    value: { "a b": { token: ref("a-b.token") }, "a+b": { token: ref("a-b.token-2") } },
    secrets: { "meta-data.a-b.token": "1", "meta-data.a-b.token-2": "2" },
  },
  "a reference that the document forges": {
    document: { motd: { secretRef: "user-data" } },
    value: { motd: { secretRef: ref("motd.secretRef") } },
    secrets: { "meta-data.motd.secretRef": "user-data" },
  },
};

t.test("secrets leave the meta-data, and their names stay", async (t) => {
  for (const [name, { document, value, secrets }] of Object.entries(cases)) {
    const redacted = redact(document, "meta-data");
    t.strictSame(redacted.value, value, name);
    const revealed = [...redacted.secrets].map(([key, secret]) => [
      key,
      Buffer.from(secret.reveal()).toString(),
    ]);
    t.strictSame(Object.fromEntries(revealed), secrets, name);
  }
});

t.test("a canary under a secret key is nowhere in the result", async (t) => {
  const key = fc.constantFrom(
    "password",
    "auth_token",
    "PrivateKey",
    "psk",
    "client-secret",
    "api_key",
  );
  const inner = fc.letrec((tie) => ({
    value: fc.oneof(
      fc.constant("canary-7f3a"),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.string(), tie("value"), { maxKeys: 3 }),
    ),
  })).value;
  const property = fc.property(
    fc.array(fc.string(), { maxLength: 3 }),
    key,
    inner,
    (path, name, value) => {
      const document = path.reduceRight<unknown>((below, part) => ({ [part]: below, other: 1 }), {
        [name]: value,
      });
      return !canonicalJson(redact(document as Json, "meta-data").value).includes("canary-7f3a");
    },
  );
  t.doesNotThrow(() => fc.assert(property, { seed: 1, numRuns: 500 }));
});

t.test("hostile text is looked through in good time", async (t) => {
  const text = `${"a.".repeat(400_000)}://${"x:".repeat(200_000)}`;
  t.strictSame(redact({ text }, "meta-data").value, { text });
});
