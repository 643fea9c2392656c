import t from "tap";
import type { FakeAnswer } from "../metadata/fake-service.ts";
import { fakeService } from "../metadata/fake-service.ts";
import { gce } from "./gce.ts";
import { type Known, readFrom, tryCloud } from "./try-cloud.ts";

const root = "/computeMetadata/v1/";
const instanceData = `${root}instance/attributes/?recursive=true`;
const projectData = `${root}project/attributes/?recursive=true`;
const userData = "#cloud-config\nhostname: a\n";
const key = (name: string) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA${name} ${name}`;

const answers: Readonly<Record<string, FakeAnswer>> = {
  [`${root}instance/id`]: "7684568764356123456",
  [`${root}instance/zone`]: "projects/123456789012/zones/us-central1-a",
  [`${root}instance/hostname`]: "edge.us-central1-a.c.project.internal",
  [`${root}instance/machine-type`]: "projects/123456789012/machineTypes/e2-medium",
  [instanceData]: JSON.stringify({
    "user-data": userData,
    "ssh-keys": `nixos:${key("mine")}\n`,
    "enable-oslogin": "FALSE",
    "startup-script": "echo secret",
  }),
  [projectData]: JSON.stringify({ "ssh-keys": `cloudinit:${key("project")}` }),
};

tryCloud(t, {
  cloud: gce,
  on: [{ productName: "Google Compute Engine" }, { productSerial: "GoogleCloud-0123456789AB" }],
  off: [
    { sysVendor: "Google", productName: "Google" },
    { productName: "Google Compute Engine 2" },
    { productSerial: "A-GoogleCloud-1" },
  ],
  answers,
  options: {
    guard: ({ headers }) =>
      headers["metadata-flavor"] === "Google" ? undefined : { status: 403, body: "Forbidden" },
  },
  expected: {
    instanceId: "7684568764356123456",
    hostname: "edge",
    publicKeys: [key("mine"), key("project")],
    metaData: {
      ...{ region: "us-central1", "availability-zone": "us-central1-a" },
      "instance-type": "e2-medium",
      hostname: "edge.us-central1-a.c.project.internal",
      "instance-data": {
        "enable-oslogin": { secretRef: "meta-data.instance-data.enable-oslogin" },
        "startup-script": { secretRef: "meta-data.instance-data.startup-script" },
      },
    },
    networkConfig: null,
  },
  userData,
  malformed: {
    [instanceData]: {
      answer: "{",
      fault: { code: "datasource/malformed", message: /attributes\/\?recursive=true: no JSON/ },
    },
    [projectData]: {
      answer: '{ "ssh-keys": ["a"] }',
      fault: { code: "datasource/malformed", message: /ssh-keys: a text was expected$/ },
    },
    [`${root}instance/id`]: {
      answer: new Uint8Array([0xff]),
      fault: {
        code: "datasource/unreachable",
        message: /instance\/id: answered with what is no text$/,
      },
    },
  },
});

/** What comes of these attributes. */
async function readAttributes(
  t: { teardown(end: () => void): void },
  instance: object,
  { project = {}, ...known }: Known & { readonly project?: object } = {},
) {
  const service = await fakeService(t, {
    ...answers,
    [instanceData]: JSON.stringify(instance),
    [projectData]: JSON.stringify(project),
  });
  const content = await readFrom(gce, service, { known });
  const { publicKeys } = content.instance;
  return {
    publicKeys,
    userData: Buffer.from(content.secrets.get("user-data")?.reveal() ?? []).toString(),
    findings: content.findings.map(({ level, code }) => `${level} ${code}`),
  };
}

t.test("user-data in base64 is decoded where the instance says that it is", async (t) => {
  const encoded = Buffer.from(userData).toString("base64");
  const cases: [object, string, readonly string[]][] = [
    [{ "user-data": encoded, "user-data-encoding": "base64" }, userData, []],
    [{ "user-data": encoded }, encoded, []],
    [
      { "user-data": userData, "user-data-encoding": "rot13" },
      userData,
      ["warning datasource/unused-value"],
    ],
    [{ "user-data-encoding": "base64" }, "", []],
  ];
  for (const [instance, expected, findings] of cases) {
    const read = await readAttributes(t, instance);
    t.match(read, { userData: expected, findings }, JSON.stringify(instance));
    t.equal(read.findings.length, findings.length);
  }
  await t.rejects(readAttributes(t, { "user-data": "#!", "user-data-encoding": "base64" }), {
    code: "datasource/malformed",
    message: /user-data: base64 was expected/,
  });
});

t.test(
  "keys: of the default user, in their time, and of the project unless it is blocked",
  async (t) => {
    const project = { "ssh-keys": `nixos:${key("p")}`, sshKeys: `nixos:${key("q")}` };
    const cases: [object, readonly string[]][] = [
      [{}, ["p", "q"]],
      [{ "block-project-ssh-keys": "TRUE", "ssh-keys": `nixos:${key("i")}` }, ["i"]],
      [{ sshKeys: `nixos:${key("old")}`, "ssh-keys": `nixos:${key("i")}` }, ["old", "i"]],
      [
        { "ssh-keys": `\nnixos:${key("a")}\r\ncloudinit:${key("b")}\nno key` },
        ["a", "b", "p", "q"],
      ],
    ];
    for (const [instance, expected] of cases) {
      const { publicKeys, findings } = await readAttributes(t, instance, { project });
      t.same(publicKeys, expected.map(key), JSON.stringify(instance));
      t.same(findings, []);
    }
    const others = await readAttributes(t, { "ssh-keys": `alice:${key("a")}\nbob:${key("b")}` });
    t.same(others.publicKeys, []);
    t.same(others.findings, ["note datasource/not-read"]);
    const alice = { "ssh-keys": `alice:${key("a")}` };
    const { publicKeys } = await readAttributes(t, alice, { defaultUser: "alice" });
    t.same(publicKeys, [key("a")]);
  },
);

t.test("a key that has run out opens nothing", async (t) => {
  const comment = (expireOn: string) =>
    `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA google-ssh {"userName":"a@example.org","expireOn":"${expireOn}"}`;
  const now = () => Date.parse("2026-01-02T12:00:00Z");
  const cases: Record<string, boolean> = {
    "2026-01-02T11:59:59+0000": false,
    "2026-01-02T12:00:01+0000": true,
    "2026-01-02T13:30:00+0200": false,
    "2026-01-02T12:00:01Z": true,
    tomorrow: true,
  };
  for (const [expireOn, isUsed] of Object.entries(cases)) {
    const instance = { "ssh-keys": `nixos:${comment(expireOn)}` };
    const { publicKeys } = await readAttributes(t, instance, { now });
    t.same(publicKeys, isUsed ? [comment(expireOn)] : [], expireOn);
  }
});
