import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { readIdentity } from "../identity.ts";
import { writeTree } from "../images/make-images.ts";
import type { FakeAnswer } from "../metadata/fake-service.ts";
import { fakeService, first } from "../metadata/fake-service.ts";
import { openStack } from "./openstack.ts";
import { networkOf, readFrom, tryCloud } from "./try-cloud.ts";

const newest = "/openstack/2018-08-27";
const uuid = "83679162-1378-4288-a2d4-70e13ec132aa";
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine";
const userData = "#cloud-config\nhostname: a\n";

const metaData = {
  ...{ uuid, hostname: "edge.novalocal", name: "edge", availability_zone: "nova" },
  ...{ public_keys: { mine: `${key}\n` }, meta: { role: "web" }, admin_pass: "Rofo9Lu4oZq9" },
  ...{ keys: [{ name: "mine", type: "ssh", data: `${key}\n` }], random_seed: "c2VlZA==" },
};

const answers: Readonly<Record<string, FakeAnswer>> = {
  "/openstack": "2012-08-10\n2018-08-27\n2099-01-01\nlatest",
  [`${newest}/meta_data.json`]: JSON.stringify(metaData),
  [`${newest}/user_data`]: userData,
  [`${newest}/vendor_data.json`]: JSON.stringify({ "cloud-init": "#cloud-config\n{}" }),
  [`${newest}/vendor_data2.json`]: "{}",
  [`${newest}/network_data.json`]: JSON.stringify({
    links: [{ id: "tap1", type: "ovs", ethernet_mac_address: "fa:16:3e:00:00:01", mtu: 1442 }],
    networks: [{ id: "n0", link: "tap1", type: "ipv4_dhcp", network_id: "x" }],
    services: [{ type: "dns", address: "192.0.2.53" }],
  }),
};

tryCloud(t, {
  cloud: openStack,
  on: [
    { productName: "OpenStack Nova" },
    { productName: "OpenStack Compute", sysVendor: "RDO" },
    { initProductName: "OpenStack Nova" },
    { chassisAssetTag: "OpenTelekomCloud" },
    { chassisAssetTag: "SAP CCloud VM" },
    { chassisAssetTag: "HUAWEICLOUD" },
    { chassisAssetTag: "Samsung Cloud Platform" },
    { chassisAssetTag: "OpenStack Nova" },
    { chassisAssetTag: "OpenStack Compute" },
  ],
  off: [
    { sysVendor: "OpenStack Foundation", productName: "OpenStack" },
    { initProductName: "OpenStack Compute" },
  ],
  answers,
  expected: {
    instanceId: uuid,
    hostname: "edge.novalocal",
    publicKeys: [key],
    metaData: {
      ...{ uuid, "availability-zone": "nova", meta: { role: "web" } },
      admin_pass: { secretRef: "meta-data.admin_pass" },
    },
    vendorData: { secretRef: "vendor-data" },
    datasource: { evidence: [/./, /openstack\/2018-08-27: meta_data\.json \(\d+ bytes\), user_/] },
  },
  userData,
  malformed: {
    [`${newest}/meta_data.json`]: {
      answer: "{}",
      fault: {
        code: "datasource/malformed",
        message: /^http:.*: openstack\/2018-08-27: meta_data\.json: the uuid of the instance was/,
      },
    },
    [`${newest}/network_data.json`]: {
      answer: "[]",
      fault: { code: "datasource/malformed", message: /network_data\.json: a JSON object was/ },
    },
  },
});

t.test(
  "another instance's meta-data is told, by the uuid that Nova gives the firmware",
  async (t) => {
    const service = await fakeService(t, answers);
    const nova = "OpenStack Nova";
    const other = "00000000-1378-4288-a2d4-70e13ec132aa";
    const cases: readonly (readonly [string, string, boolean])[] = [
      [nova, uuid, false],
      [nova, "62916783-7813-8842-a2d4-70e13ec132aa", false], // in the other byte order
      [nova, "", false], // it cannot be read
      [nova, "not settable", false],
      ["PowerEdge R640", other, false], // a machine of Ironic
      [nova, other, true],
      ["OpenStack Compute", other, true],
    ];
    for (const [productName, productUuid, isTold] of cases) {
      const known = { identity: { productName, productUuid } };
      const { findings, instance } = await readFrom(openStack, service, { known });
      t.equal(instance.instanceId, uuid);
      const told = [
        {
          ...{ code: "datasource/other-instance", level: "warning" },
          message: `the uuid is ${uuid}, that of the firmware is ${other}`,
        },
      ];
      t.match(findings, isTold ? told : [], productUuid);
      t.equal(findings.length, isTold ? 1 : 0, productUuid);
    }
  },
);

t.test("of two that answer it is the one whose uuid is the firmware's", async (t) => {
  const nova = { identity: { productName: "OpenStack Nova", productUuid: uuid } };
  const other = "00000000-1378-4288-a2d4-70e13ec132aa";
  const strangers: readonly (readonly [string, RegExp])[] = [
    [JSON.stringify({ ...metaData, uuid: other }), new RegExp(`speaks of "${other}"`)],
    [JSON.stringify({ devices: [{ uuid }] }), /speaks of none by name/],
    ["[", /speaks of none by name/],
  ];
  for (const [meta, told] of strangers) {
    const beside = await fakeService(t, { ...answers, [`${newest}/meta_data.json`]: meta });
    const late = first(2, { status: 404 }, "2018-08-27\nlatest");
    const service = await fakeService(t, { ...answers, "/openstack": late });
    const { instance, findings } = await readFrom(openStack, service, {
      ...{ known: nova, beside: [beside], patienceMs: 5_000 },
    });
    t.match(instance, { instanceId: uuid, datasource: { place: service.url } });
    t.match(findings, [
      { level: "note", code: "datasource/other-instance", document: beside.url, message: told },
    ]);
  }
});

t.test("where nobody else answers in time, the neighbour is taken, with the warning", async (t) => {
  const identity = { productName: "OpenStack Nova", productUuid: uuid.replace(/^8/, "9") };
  const service = await fakeService(t, answers);
  const silent = await fakeService(t, {}, { guard: () => () => {} });
  const { instance, findings } = await readFrom(openStack, service, {
    ...{ known: { identity }, beside: [silent], patienceMs: 200 },
  });
  t.equal(instance.instanceId, uuid);
  t.match(findings, [{ level: "warning", code: "datasource/other-instance" }]);
});

t.test("the network comes of network_data.json", async (t) => {
  const { network, findings } = await networkOf(openStack, await fakeService(t, answers));
  t.same(findings, []);
  t.same(network, {
    ethernets: {
      tap1: {
        ...{ match: { mac: "fa:16:3e:00:00:01" }, mtu: 1442, dhcp4: true },
        nameservers: ["192.0.2.53"],
      },
    },
  });
});

t.test("the newest version that is known is asked for, else latest", async (t) => {
  for (const [versions, version] of [
    ["2012-08-10\n2013-04-04\n2099-01-01\nlatest", "2013-04-04"],
    ["2099-01-01\nlatest\n", "latest"],
  ] as const) {
    const meta = JSON.stringify({ uuid: version });
    const service = await fakeService(t, {
      "/openstack": versions,
      [`/openstack/${version}/meta_data.json`]: meta,
    });
    t.equal((await readFrom(openStack, service)).instance.instanceId, version);
  }
});

t.test("a machine without meta_data.json says what there is", async (t) => {
  const service = await fakeService(t, { "/openstack": "latest" });
  await t.rejects(readFrom(openStack, service), {
    code: "datasource/missing",
    message: /openstack\/latest\/meta_data\.json was expected, there is only "openstack\/latest"/,
  });
});

t.test("whoever does not want it says so by dsmode", async (t) => {
  const meta = JSON.stringify({ ...metaData, meta: { dsmode: "disabled" } });
  const service = await fakeService(t, { ...answers, [`${newest}/meta_data.json`]: meta });
  await t.rejects(readFrom(openStack, service), { code: "datasource/none" });
});

t.test("the seed of chance, which every answer has anew, is not kept", async (t) => {
  const { instance, secrets } = await readFrom(openStack, await fakeService(t, answers));
  t.notMatch(JSON.stringify(instance), "random_seed");
  t.notOk([...secrets.keys()].some((name) => name.includes("seed")));
});

t.test("a container of Nova is known by the environment of its first process", async (t) => {
  const root = t.testdir();
  writeTree(`${root}/proc/1`, { environ: "a=b\0product_name=OpenStack Nova\0c=d\0" });
  t.equal(
    openStack.identify(readIdentity(fakeIo(root).files)),
    "environment of process 1: product_name=OpenStack Nova",
  );
  t.equal(openStack.identify(readIdentity(fakeIo(t.testdir()).files)), undefined);
});

t.test("in a container the firmware is another machine's", async (t) => {
  const root = t.testdir();
  writeTree(`${root}/sys/class/dmi/id`, { product_name: "OpenStack Nova\n" });
  t.ok(openStack.identify(readIdentity(fakeIo(root).files)));
  writeTree(`${root}/run/systemd`, { container: "lxc\n" });
  t.equal(openStack.identify(readIdentity(fakeIo(root).files)), undefined);
});

t.test("what may not be read says nothing", async (t) => {
  const root = t.testdir();
  writeTree(`${root}/proc/1/environ`, { "a-directory": "" });
  writeTree(`${root}/sys/class/dmi/id`, { product_name: "OpenStack Nova\n" });
  writeTree(`${root}/sys/class/dmi/id/product_uuid`, { "a-directory": "" });
  const identity = readIdentity(fakeIo(root).files);
  t.match(identity, { productName: "OpenStack Nova", productUuid: "", initProductName: "" });
});

t.test("vendor-data that does not come costs no machine", async (t) => {
  const broken = { ...answers, [`${newest}/vendor_data.json`]: { status: 500 } };
  const service = await fakeService(t, broken);
  const { instance, findings } = await readFrom(openStack, service, { budgetMs: 2_000 });
  t.match(instance, { vendorData: null, userData: { secretRef: "user-data" } });
  t.match(findings, [{ level: "warning", document: `${newest}/vendor_data.json` }]);
});
