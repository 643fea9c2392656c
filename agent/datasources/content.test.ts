import t from "tap";
import { canonicalJson } from "#core/canonical-json.ts";
import { formatFinding } from "#core/finding.ts";
import { makeContent, type RawDocuments } from "./content.ts";
import { mergeMetaData, readMetaData } from "./meta-data.ts";

const datasource = {
  name: "NoCloud",
  place: "disk /dev/sr0",
  identity: "disk x",
  removable: true,
  evidence: [],
};

function content(metaData: string, documents: RawDocuments = {}) {
  return makeContent({
    datasource,
    metaData: readMetaData(Buffer.from(metaData), "/dev/sr0"),
    documents,
    defaultInstanceId: "nocloud",
    findings: [],
  });
}

t.test("the well-known values are taken from the meta-data", async (t) => {
  const { instance, secrets, findings } = content(
    "instance-id: i-1\nlocal-hostname: node-7\npublic-keys:\n - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A\npassword: hunter2\n",
    {
      userData: Buffer.from("#cloud-config\n"),
      vendorData: new Uint8Array(),
      networkConfig: Buffer.from([0x1f, 0x8b]),
    },
  );
  t.strictSame(instance, {
    v: 1,
    datasource,
    instanceId: "i-1",
    hostname: "node-7",
    publicKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A"],
    metaData: {
      "instance-id": "i-1",
      "local-hostname": "node-7",
      "public-keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A"],
      password: { secretRef: "meta-data.password" },
    },
    userData: { secretRef: "user-data" },
    vendorData: null,
    networkConfig: { secretRef: "network-config" },
  });
  t.strictSame([...secrets.keys()], ["meta-data.password", "user-data", "network-config"]);
  t.strictSame(secrets.get("network-config")?.reveal(), Buffer.from([0x1f, 0x8b]), "as it came");
  t.strictSame(findings, []);
  t.notMatch(canonicalJson(instance), /hunter2/);
});

t.test("instance-id is any scalar as text, and nocloud when there is none", async (t) => {
  const cases: Record<string, string> = {
    "instance-id: 0x10": "16",
    "instance-id: true": "true",
    '{"instance-id": "i-9"}': "i-9",
    "instance-id:": "nocloud",
    "instance-id: ''": "nocloud",
    "": "nocloud",
    "{}": "nocloud",
    "# only a comment": "nocloud",
  };
  for (const [text, id] of Object.entries(cases))
    t.equal(content(text).instance.instanceId, id, text);
  t.strictSame(content("\nx: 1\ninstance-id:").findings.map(formatFinding), [
    "meta-data:3:13 note instance-id: no instance-id: nocloud is taken, which every machine without one has [datasource/default-instance-id]\n" +
      "  write instance-id into the meta-data, and change it for each new instance",
  ]);
});

t.test("an instance-id that can be none faults", async (t) => {
  for (const text of [
    "instance-id: [a]",
    "instance-id: {a: b}",
    `instance-id: ${"x".repeat(257)}`,
    'instance-id: "a\\nb"',
  ]) {
    t.throws(() => content(text), {
      code: "datasource/malformed",
      message: /^disk \/dev\/sr0: meta-data: instance-id: /,
    });
  }
});

t.test("hostname is the second choice, and what is no name is named", async (t) => {
  t.equal(content("hostname: b").instance.hostname, "b");
  t.equal(content("local-hostname: a\nhostname: b").instance.hostname, "a");
  t.equal(content("instance-id: i").instance.hostname, null);
  const odd = content("instance-id: i\nlocal-hostname: 7\n");
  t.equal(odd.instance.hostname, null);
  t.match(odd.findings, [
    { path: "local-hostname", line: 2, column: 17, code: "datasource/unused-value" },
  ]);
});

t.test("keys that are none are named with their place", async (t) => {
  const { instance, findings } = content(
    "instance-id: i\npublic-keys:\n  a: ssh-rsa AAAAB3NzaC1yc2EB\n  b: 7\n",
  );
  t.strictSame(instance.publicKeys, ["ssh-rsa AAAAB3NzaC1yc2EB"]);
  t.match(findings, [
    { path: "public-keys.b", line: 4, column: 6, code: "datasource/unused-value" },
  ]);
});

t.test("meta-data that is no mapping, no YAML or no text faults with the place", async (t) => {
  const cases: [string | Uint8Array, RegExp][] = [
    ["- a\n- b\n", /^\/dev\/sr0: meta-data: a mapping was expected, a list came$/],
    ["just text", /^\/dev\/sr0: meta-data: a mapping was expected, a string came$/],
    ["a: [1\nb: 2", /^\/dev\/sr0: meta-data is no YAML: meta-data:2:2: /],
    [
      new Uint8Array([0xff, 0xfe, 0x00]),
      /^\/dev\/sr0: meta-data:1:1: expected UTF-8, got the byte 0xFF$/,
    ],
  ];
  for (const [text, message] of cases) {
    t.throws(() => readMetaData(Buffer.from(text), "/dev/sr0"), {
      code: "datasource/malformed",
      message,
    });
  }
});

t.test("of several places the earlier counts, and mappings inside are merged", async (t) => {
  const merged = mergeMetaData([
    { a: 1, m: { x: 1 }, n: null },
    { a: 2, b: 2, m: { x: 2, y: 2 }, n: 3 },
    { m: "text" },
  ]);
  t.strictSame(merged, { a: 1, m: { x: 1, y: 2 }, n: null, b: 2 });
});
