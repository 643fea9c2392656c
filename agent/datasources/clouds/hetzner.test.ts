import t from "tap";
import type { FakeAnswer } from "../metadata/fake-service.ts";
import { fakeService } from "../metadata/fake-service.ts";
import { hetzner } from "./hetzner.ts";
import { networkOf, readFrom, tryCloud } from "./try-cloud.ts";

const root = "/hetzner/v1/";
const metadata = `${root}metadata`;
const privateNetworks = `${metadata}/private-networks`;
const userData = "#cloud-config\nhostname: a\n";

const said = `
hostname: edge
instance-id: 123456
local-ipv4: ''
availability-zone: fsn1-dc14
region: eu-central
public-ipv4: 192.0.2.7
public-keys:
- ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine
network-config:
  config:
  - mac_address: 96:00:00:08:19:DA
    name: eth0
    subnets:
    - dns_nameservers:
      - 185.12.64.1
      ipv4: true
      type: dhcp
    - address: 2001:db8:beef::1/64
      dns_nameservers:
      - 2a01:4ff:ff00::add:1
      gateway: fe80::1
      ipv6: true
    type: physical
  version: 1
network-sysconfig: "DEVICE='eth0'\\nTYPE=Ethernet\\n"
vendor_data: "#cloud-config\\n{}\\n"
`;

const answers: Readonly<Record<string, FakeAnswer>> = {
  [metadata]: said,
  [`${metadata}/instance-id`]: "123456",
  [privateNetworks]: "",
  [`${root}userdata`]: userData,
};

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

t.test("what is of another server is not believed", async (t) => {
  const service = await fakeService(t, answers);
  const another = { identity: { productSerial: "654321" } };
  await t.rejects(readFrom(hetzner, service, { known: another }), {
    code: "datasource/malformed",
    message:
      /metadata: instance-id: the number of this server was expected \(654321\), another came/,
  });
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
    const service = await fakeService(t, { ...answers, [`${root}userdata`]: answer });
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
