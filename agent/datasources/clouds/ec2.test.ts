import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { cloudDatasource } from "../cloud.ts";
import type { Identity } from "../identity.ts";
import { writeTree } from "../images/make-images.ts";
import { type FakeAnswer, fakeService, first } from "../metadata/fake-service.ts";
import type { CrawlJob } from "../metadata/service.ts";
import { ec2 } from "./ec2.ts";
import {
  ec2Answers as answers,
  ec2Meta as meta,
  onlyWith,
  ec2Token as token,
  ec2UserData as userData,
} from "./fake-ec2.ts";
import { identityOf, networkOf, readFrom, tryCloud } from "./try-cloud.ts";

const uuid = { productUuid: "ec2a0e4f-1111-2222-3333-444444444444" };
const nitro = { sysVendor: "Amazon EC2" };

tryCloud(t, {
  cloud: ec2,
  on: [
    { ...uuid, ...nitro },
    { productUuid: "45e12aec-dcd1-b213-94ed-012345abcdef", ...nitro },
    { ...uuid, sysVendor: "Xen", biosVersion: "4.11.amazon" },
    { hypervisorUuid: "ec2f8a1b-0000-0000-0000-000000000000", hypervisorVersion: ".amazon" },
    { productSerial: "srv-xxxxx.gb1.brightbox.com" },
    { chassisAssetTag: "123456.zstack.io" },
    { sysVendor: "e24cloud" },
    { sysVendor: "Tilaa" },
    { sysVendor: "3DS Outscale", productName: "3DS Outscale VM" },
  ],
  off: [
    uuid, // by chance
    nitro,
    { ...uuid, sysVendor: "Dell Inc.", biosVersion: "2.amazon.1" },
    { hypervisorUuid: "ec2f8a1b-0000-0000-0000-000000000000", hypervisorVersion: ".1" },
    { productUuid: "4c4c4544-0042-3510-8053-b7c04f4b4e32" },
    { productUuid: "2aec0000-0042-3510-8053-b7c04f4b4e32", productSerial: "brightbox.com.example" },
    { sysVendor: "3DS Outscale", productName: "another" },
  ],
  answers,
  options: { guard: onlyWith(() => "t0ken") },
  expected: {
    instanceId: "i-0123456789abcdef0",
    hostname: "ip-192-0-2-7.eu-west-1.compute.internal",
    publicKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine"],
    metaData: {
      ...{ region: "eu-west-1", "availability-zone": "eu-west-1a", "instance-type": "m6i.large" },
      tags: { Name: "edge" },
    },
    networkConfig: null,
  },
  userData,
  malformed: {
    "/latest/dynamic/instance-identity/document": {
      answer: "{",
      fault: { code: "datasource/malformed", message: /instance-identity\/document: / },
    },
    [`${meta}instance-id`]: {
      answer: "i-1\u0007",
      fault: { code: "datasource/malformed", message: /instance-id: / },
    },
    [token]: {
      answer: "two words",
      fault: { code: "datasource/unreachable", message: /api\/token: a token was expected/ },
    },
  },
});

t.test("of two that answer it is the one that says the instance-id of Nitro's board", async (t) => {
  const guard = onlyWith(() => "t0ken");
  const other = "i-0fedcba9876543210";
  const beside = await fakeService(t, { ...answers, [`${meta}instance-id`]: other }, { guard });
  const late = first(2, { status: 404 }, "i-0123456789abcdef0\n");
  const service = await fakeService(t, { ...answers, [`${meta}instance-id`]: late }, { guard });
  const known = { identity: { ...nitro, boardAssetTag: "i-0123456789abcdef0" } };
  const { instance, findings } = await readFrom(ec2, service, {
    ...{ known, beside: [beside], patienceMs: 5_000 },
  });
  t.match(instance, { instanceId: "i-0123456789abcdef0", datasource: { place: service.url } });
  t.match(findings, [
    { level: "note", code: "datasource/other-instance", document: beside.url, message: other },
  ]);
  const alone = await readFrom(ec2, beside, { known });
  t.equal(alone.instance.instanceId, other);
  t.match(alone.findings, [
    {
      ...{ level: "warning", code: "datasource/other-instance" },
      message: `the instance-id is ${other}, that of the firmware is i-0123456789abcdef0`,
    },
  ]);
  for (const identity of [{ boardAssetTag: "i-0123456789abcdef0" }, { ...nitro }])
    t.same((await readFrom(ec2, beside, { known: { identity } })).findings, [], "not compared");
});

t.test("credentials of the instance's role are not asked for", async (t) => {
  const service = await fakeService(t, answers, { guard: onlyWith(() => "t0ken") });
  await readFrom(ec2, service);
  t.notOk(service.requests.some((request) => request.includes("/iam/")));
  t.equal(service.requests.filter((request) => request.includes(token)).length, 1, "one token");
});

t.test("a token that has run out is got again", async (t) => {
  let current = "t0ken";
  const service = await fakeService(
    t,
    {
      ...answers,
      [token]: first(1, "t0ken", "t1ken"),
      [`${meta}placement/`](_request, response) {
        current = "t1ken";
        response.end("availability-zone\nregion");
      },
    },
    { guard: onlyWith(() => current) },
  );
  const { instance } = await readFrom(ec2, service);
  t.match(instance, { metaData: { "availability-zone": "eu-west-1a" } });
  t.equal(service.requests.filter((request) => request === `PUT ${token}`).length, 2);
});

t.test("without tokens nothing is read", async (t) => {
  const old = { ...answers, [token]: { status: 404 } };
  const service = await fakeService(t, old);
  await t.rejects(readFrom(ec2, service), {
    code: "datasource/unreachable",
    message: /api\/token/,
  });
  const refused = await fakeService(t, { ...answers, [token]: { status: 403 } });
  await t.rejects(readFrom(ec2, refused), { code: "datasource/refused" });
});

t.test("several interfaces have a network-config by their addresses", async (t) => {
  const macs = `${meta}network/interfaces/macs/`;
  const [one, two] = ["02:00:00:00:00:01", "02:00:00:00:00:02"];
  const service = await fakeService(t, {
    ...answers,
    [meta]: "instance-id\nnetwork/",
    [`${meta}network/`]: "interfaces/",
    [`${meta}network/interfaces/`]: "macs/",
    [macs]: `${two}/\n${one}/`,
    [`${macs}${one}/`]: "device-number\nipv6s",
    [`${macs}${one}/device-number`]: "0",
    [`${macs}${one}/ipv6s`]: "2001:db8::7",
    [`${macs}${two}/`]: "device-number\nlocal-ipv4s\nsubnet-ipv4-cidr-block",
    [`${macs}${two}/local-ipv4s`]: "192.0.2.8\n192.0.2.9\nnonsense",
    [`${macs}${two}/subnet-ipv4-cidr-block`]: "192.0.2.0/28",
    [`${macs}${two}/device-number`]: "1",
  });
  const metric = (value: number) => ({ "route-metric": value });
  const { secrets, findings } = await readFrom(ec2, service);
  t.same(JSON.parse(Buffer.from(secrets.get("network-config")?.reveal() ?? []).toString()), {
    version: 2,
    ethernets: {
      eni0: {
        ...{ match: { macaddress: one }, dhcp4: true, dhcp6: true, optional: false },
        ...{ "dhcp4-overrides": metric(100), "dhcp6-overrides": metric(100) },
      },
      eni1: {
        ...{ match: { macaddress: two }, dhcp4: true, dhcp6: false, optional: true },
        ...{ "dhcp4-overrides": metric(200) },
        addresses: ["192.0.2.9/28"],
        routes: [
          { to: "default", via: "_dhcp4", table: 101 },
          { to: "192.0.2.0/28", table: 101 },
        ],
        "routing-policy": [
          { from: "192.0.2.8", table: 101 },
          { from: "192.0.2.9", table: 101 },
        ],
      },
    },
  });
  t.same(findings, []);
  const { network, findings: told } = await networkOf(ec2, service);
  t.same(told, []);
  t.match(network?.ethernets?.["eni1"], {
    routes: [{ to: "default", via: "_dhcp4", table: 101 }, { to: "192.0.2.0/28" }],
    routingPolicy: [{ from: "192.0.2.8/32", table: 101 }, {}],
  });
});

t.test("answers of interfaces without a number leave by the first, which is told", async (t) => {
  const macs = `${meta}network/interfaces/macs/`;
  const [one, two] = ["02:00:00:00:00:01", "02:00:00:00:00:02"];
  const service = await fakeService(t, {
    ...answers,
    [meta]: "instance-id\nnetwork/",
    [`${meta}network/`]: "interfaces/",
    [`${meta}network/interfaces/`]: "macs/",
    [macs]: `${one}/\n${two}/`,
    [`${macs}${one}/`]: "local-ipv4s",
    [`${macs}${one}/local-ipv4s`]: "192.0.2.7",
    [`${macs}${two}/`]: "local-ipv4s\nsubnet-ipv4-cidr-block",
    [`${macs}${two}/local-ipv4s`]: "192.0.2.8",
    [`${macs}${two}/subnet-ipv4-cidr-block`]: "192.0.2.0/28",
  });
  const { secrets, findings } = await readFrom(ec2, service);
  t.notMatch(Buffer.from(secrets.get("network-config")?.reveal() ?? []).toString(), "table");
  t.match(findings, [{ level: "note", message: /routes by source address/ }]);
});

t.test("one interface with further addresses has a network-config", async (t) => {
  const mac = "02:00:00:00:00:01";
  const at = `${meta}network/interfaces/macs/${mac}/`;
  const service = await fakeService(t, {
    ...answers,
    [meta]: "instance-id\nnetwork/",
    [`${meta}network/`]: "interfaces/",
    [`${meta}network/interfaces/`]: "macs/",
    [`${meta}network/interfaces/macs/`]: `${mac}/`,
    [at]: "ipv6s\nlocal-ipv4s\nipv4-prefix\nsubnet-ipv6-cidr-blocks\nsubnet-ipv4-cidr-block",
    [`${at}local-ipv4s`]: "192.0.2.7\n192.0.2.8",
    [`${at}ipv6s`]: "2001:db8::7\n2001:db8::8",
    [`${at}ipv4-prefix`]: "192.0.2.16/28",
    [`${at}subnet-ipv6-cidr-blocks`]: "2001:db8::/64",
    [`${at}subnet-ipv4-cidr-block`]: "192.0.2.0/99",
  });
  const { secrets, findings } = await readFrom(ec2, service);
  t.same(JSON.parse(Buffer.from(secrets.get("network-config")?.reveal() ?? []).toString()), {
    version: 2,
    ethernets: {
      eni0: {
        ...{ match: { macaddress: mac }, dhcp4: true, dhcp6: true, optional: false },
        addresses: ["192.0.2.8/24", "2001:db8::8/64"],
      },
    },
  });
  t.match(findings, [{ level: "note", message: /prefixes/ }]);
  const { network, findings: told } = await networkOf(ec2, service);
  t.match(network, { ethernets: { eni0: { addresses: ["192.0.2.8/24", "2001:db8::8/64"] } } });
  t.notOk(told.some(({ level }) => level !== "note"));
});

t.test("tokens are asked of Amazon, and of nobody else", async (t) => {
  const on = (some: Partial<Identity>, imdsv1: boolean) =>
    ec2.tokensOn?.(identityOf(some), { imdsv1 });
  t.equal(on({ ...uuid, ...nitro }, false), undefined);
  t.equal(on({ ...uuid, ...nitro }, true), "optional");
  for (const vendor of ["e24cloud", "Tilaa"]) t.equal(on({ sysVendor: vendor }, false), "none");
  t.equal(on({}, false), undefined, "where the owner says that it is one");
  t.equal(on({}, true), "optional");
  const service = await fakeService(t, { ...answers, [token]: { status: 404 } });
  const without = await readFrom(ec2, service, { tokens: "none" });
  t.equal(without.instance.instanceId, "i-0123456789abcdef0");
  t.same(without.findings, []);
  t.notOk(service.requests.includes(`PUT ${token}`));
});

t.test(
  "where the owner allows it a service without tokens is read, and that is told",
  async (t) => {
    const tokens = "optional";
    const service = await fakeService(t, { ...answers, [token]: { status: 403 } });
    const { instance, findings } = await readFrom(ec2, service, { tokens });
    t.equal(instance.instanceId, "i-0123456789abcdef0");
    t.match(findings, [{ level: "note", code: "datasource/without-token" }]);
    const newer = await fakeService(t, answers, { guard: onlyWith(() => "t0ken") });
    t.same((await readFrom(ec2, newer, { tokens })).findings, []);
  },
);

t.test("a leaf that does not come costs no other one", async (t) => {
  const broken: Readonly<Record<string, FakeAnswer>> = {
    [`${meta}ami-id`]: { status: 403 },
    [`${meta}instance-type`]: { status: 500 },
    [`${meta}public-keys/0/openssh-key`]: () => {},
    "/latest/dynamic/instance-identity/document": { status: 403 },
  };
  const service = await fakeService(t, { ...answers, ...broken });
  const { instance, findings, secrets } = await readFrom(ec2, service, { budgetMs: 3_000 });
  t.match(instance, { metaData: { region: "eu-west-1", tags: { Name: "edge" } }, publicKeys: [] });
  t.ok(secrets.has("user-data"));
  const levels = new Map(findings.map(({ document, level }) => [document, level]));
  t.equal(levels.get(`${meta}public-keys/0/openssh-key`), "warning");
  t.equal(levels.get(`${meta}ami-id`), "note");
  for (const path of Object.keys(broken)) t.ok(levels.has(path), path);
});

t.test("a service of which nothing else works is told in a few findings", async (t) => {
  const many = Array.from({ length: 40 }, (_, number) => `leaf-${number}`);
  const service = await fakeService(t, {
    ...answers,
    [meta]: many.join("\n"),
    ...Object.fromEntries(many.map((name) => [`${meta}${name}`, { status: 403 }])),
  });
  const { findings } = await readFrom(ec2, service);
  t.equal(findings.length, 11);
  t.match(findings.at(-1)?.message, /and 29 others/);
});

t.test("user-data in base64 is what it encodes", async (t) => {
  const encoded = Buffer.from(userData).toString("base64");
  for (const [said, expected] of [
    [encoded, userData],
    [`${encoded}\n`, userData],
    ["#!", "#!"],
  ] as const) {
    const service = await fakeService(t, { ...answers, "/latest/user-data": said });
    const { secrets } = await readFrom(ec2, service);
    t.equal(Buffer.from(secrets.get("user-data")?.reveal() ?? []).toString(), expected);
  }
});

t.test("the owner's word reaches whoever asks", async (t) => {
  const root = path.join(t.testdir(), "root");
  writeTree(path.join(root, "sys/class/dmi/id"), {
    product_uuid: `${uuid.productUuid}\n`,
    sys_vendor: "Amazon EC2\n",
  });
  const io = fakeIo(root);
  const datasource = cloudDatasource(ec2);
  const detection = datasource.detect(io);
  if (detection === undefined) throw new Error("it was not detected");
  const asked: (string | undefined)[] = [];
  const crawl = async ({ tokens }: CrawlJob) => {
    asked.push(tokens);
    return { service: null, answers: new Map(), attempts: [], tokenless: tokens !== undefined };
  };
  const tools = { crawl, budgetMs: 1_000, defaultUser: "nixos" };
  await datasource.read(io, detection, tools);
  const { findings } = await datasource.read(io, detection, { ...tools, imdsv1: true });
  t.same(asked, [undefined, "optional"]);
  t.ok(findings.some(({ code }) => code === "datasource/without-token"));
});
