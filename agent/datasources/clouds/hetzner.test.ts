import t from "tap";
import { type FakeAnswer, fakeService, first } from "../metadata/fake-service.ts";
import {
  hetznerAnswers as answers,
  hetznerMetadata as metadata,
  hetznerNetworks as privateNetworks,
  hetznerUserData as userData,
  hetznerUserDataPath as userDataPath,
} from "./fake-hetzner.ts";
import { hetzner } from "./hetzner.ts";
import { networkOf, readFrom, tryCloud } from "./try-cloud.ts";

const known = { identity: { productSerial: "123456" } };

tryCloud(t, {
  cloud: hetzner,
  on: [{ sysVendor: "Hetzner", productName: "vServer", productSerial: "123456" }],
  off: [
    // Dedicated servers: what they are called stands elsewhere.
    { sysVendor: "ASUSTeK COMPUTER INC.", productName: "Hetzner AX41" },
    { sysVendor: "Gigabyte Technology Co., Ltd.", chassisAssetTag: "Hetzner" },
    { sysVendor: "Hetzner Online GmbH" },
  ],
  answers,
  known,
  expected: {
    instanceId: "123456",
    hostname: "edge",
    publicKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine"],
    metaData: { "availability-zone": "fsn1-dc14", region: "eu-central" },
    vendorData: { secretRef: "vendor-data" },
    networkConfig: { secretRef: "network-config" },
  },
  userData,
  malformed: {
    [metadata]: {
      answer: "hostname: [",
      fault: { code: "datasource/malformed", message: /v1\/metadata: no YAML in line 1, column/ },
    },
    [privateNetworks]: {
      answer: "a: b",
      fault: { code: "datasource/malformed", message: /private-networks: a list was expected$/ },
    },
  },
});

t.test("what is of another server is not believed, and may be another tomorrow", async (t) => {
  const service = await fakeService(t, answers);
  const another = { identity: { productSerial: "654321" } };
  await t.rejects(readFrom(hetzner, service, { known: another }), {
    code: "datasource/unreachable",
    message:
      /metadata: instance-id: the number of this server was expected \(654321\), another came/,
  });
});

t.test("of two that answer it is the one that says this server's number", async (t) => {
  const stranger = "instance-id: 654321\nhostname: other\n";
  const beside = await fakeService(t, {
    ...{ [metadata]: stranger, [`${metadata}/instance-id`]: "654321\n" },
    [userDataPath]: "#cloud-config\nhostname: other\n",
  });
  for (const late of [0, 2]) {
    const service = await fakeService(t, {
      ...answers,
      [`${metadata}/instance-id`]: first(late, { status: 404 }, "123456\n"),
    });
    const { instance, findings } = await readFrom(hetzner, service, {
      ...{ known, beside: [beside], patienceMs: 5_000 },
    });
    t.match(instance, { instanceId: "123456", datasource: { place: service.url } });
    if (late === 0) continue; // it may have been the first as well
    t.match(findings, [
      {
        ...{ level: "note", code: "datasource/other-instance", document: beside.url },
        message: /^passed over: who answers here speaks of "654321", another answers for this/,
      },
    ]);
  }
});

t.test("no user-data, and user-data in base64", async (t) => {
  const gzip = Buffer.from("1f8b0800000000000003030000000000", "hex");
  const cases: [FakeAnswer, string | undefined][] = [
    [{ status: 204 }, undefined],
    [{ status: 404 }, undefined],
    ["", undefined],
    [`${Buffer.from(userData).toString("base64")}\n`, userData],
    [gzip.toString("base64"), gzip.toString()],
    [gzip, gzip.toString()],
    ["#!/bin/sh", "#!/bin/sh"],
  ];
  for (const [answer, expected] of cases) {
    const service = await fakeService(t, { ...answers, [userDataPath]: answer });
    const { secrets } = await readFrom(hetzner, service, { known });
    const given = secrets.get("user-data")?.reveal();
    t.equal(given && Buffer.from(given).toString(), expected);
  }
});

t.test("the network: interfaces keep their names, private networks by DHCP", async (t) => {
  const service = await fakeService(t, {
    ...answers,
    [privateNetworks]: `
- ip: 10.1.0.2
  alias_ips: []
  interface_num: 1
  mac_address: 86:00:00:AA:5d:f8
  network_id: 11352901
- ip: 10.2.0.2
  mac_address: 86:00:00:aa:5d:f9
- ip: 10.3.0.2
  mac_address: 96:00:00:08:19:da
`,
  });
  const interfaces = new Map([
    ["96:00:00:08:19:da", "enp1s0"],
    ["86:00:00:aa:5d:f8", "enp7s0"],
  ]);
  const { network, findings } = await networkOf(hetzner, service, { ...known, interfaces });
  t.same(findings, []);
  t.same(network, {
    ethernets: {
      enp1s0: {
        ...{ match: { mac: "96:00:00:08:19:da" }, setName: "enp1s0", dhcp4: true },
        addresses: ["2001:db8:beef::1/64"],
        routes: [{ to: "default", via: "fe80::1" }],
        nameservers: ["185.12.64.1", "2a01:4ff:ff00::add:1"],
      },
      enp7s0: { match: { mac: "86:00:00:aa:5d:f8" }, setName: "enp7s0", dhcp4: true },
      private1: { match: { mac: "86:00:00:aa:5d:f9" }, setName: "private1", dhcp4: true },
    },
  });
  const unseen = await networkOf(hetzner, await fakeService(t, answers), known);
  t.same(Object.keys(unseen.network?.ethernets ?? {}), ["eth0"], "as the cloud calls it");
});
