import type { IncomingMessage } from "node:http";
import t from "tap";
import { type FakeAnswer, fakeService } from "../metadata/fake-service.ts";
import { oracle } from "./oracle.ts";
import { readFrom, tryCloud } from "./try-cloud.ts";

const userData = "#!/bin/sh\ntouch /tmp/foo";
const said = {
  availabilityDomain: "qIZq:PHX-AD-1",
  faultDomain: "FAULT-DOMAIN-2",
  displayName: "instance-20200320-1400",
  hostname: "edge",
  id: "ocid1.instance.oc1.phx.example",
  metadata: {
    ssh_authorized_keys:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine\nssh-rsa AAAAB3NzaC1yc2EB other\n",
    user_data: Buffer.from(userData).toString("base64"),
  },
  region: "phx",
  canonicalRegionName: "us-phoenix-1",
  ociAdName: "phx-ad-3",
  shape: "VM.Standard2.1",
  state: "Running",
};
const first = {
  privateIp: "10.0.0.230",
  vlanTag: 1039,
  macAddr: "02:00:17:05:D1:DB",
  virtualRouterIp: "10.0.0.1",
  subnetCidrBlock: "10.0.0.0/24",
};
const answers = {
  "/opc/v2/instance/": JSON.stringify(said),
  "/opc/v2/vnics/": JSON.stringify([first]),
};

/** Answers at version 2 only who says that it means Oracle. */
function guard({ url = "", headers }: IncomingMessage): FakeAnswer | undefined {
  const isRefused = url.startsWith("/opc/v2/") && headers.authorization !== "Bearer Oracle";
  return isRefused ? { status: 403 } : undefined;
}

tryCloud(t, {
  cloud: oracle,
  on: [{ chassisAssetTag: "OracleCloud.com" }],
  off: [{ chassisAssetTag: "OracleCloud.com.example" }, { sysVendor: "OracleCloud.com" }],
  answers,
  options: { guard },
  expected: {
    instanceId: said.id,
    hostname: "edge",
    publicKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine", "ssh-rsa AAAAB3NzaC1yc2EB other"],
    metaData: {
      ...{ region: "us-phoenix-1", "availability-zone": "phx-ad-3" },
      ...{ "instance-type": "VM.Standard2.1", "launch-index": 0, name: said.displayName },
      ...{ user_data: undefined, state: undefined },
    },
    networkConfig: { secretRef: "network-config" },
  },
  userData,
  malformed: {
    "/opc/v2/instance/": {
      answer: JSON.stringify({ ...said, metadata: { user_data: "no base64" } }),
      fault: {
        code: "datasource/malformed",
        message: /\/opc\/v2\/instance\/: user_data: base64 was expected/,
      },
    },
    "/opc/v2/vnics/": {
      answer: JSON.stringify([{ ...first, macAddr: null }]),
      fault: { code: "datasource/malformed", message: /\/opc\/v2\/vnics\/: 0: macAddr/ },
    },
  },
});

t.test("where there is no version 2, version 1 counts", async (t) => {
  const service = await fakeService(t, {
    "/opc/v1/instance/": JSON.stringify({ ...said, id: "ocid1.instance.old", metadata: null }),
    "/opc/v1/vnics/": "[]",
  });
  const { instance } = await readFrom(oracle, service);
  t.match(instance, { instanceId: "ocid1.instance.old", userData: null, networkConfig: null });
  t.ok(service.requests.includes("GET /opc/v1/vnics/"));
});

/** The ethernets of the network-config that comes of interfaces. */
async function ethernetsOf(t: { teardown(end: () => void): void }, vnics: readonly object[]) {
  const service = await fakeService(t, { ...answers, "/opc/v2/vnics/": JSON.stringify(vnics) });
  const { secrets, findings } = await readFrom(oracle, service);
  const bytes = secrets.get("network-config")?.reveal() ?? [];
  return { ethernets: JSON.parse(Buffer.from(bytes).toString()).ethernets, findings };
}

const match = { macaddress: "02:00:17:05:d1:db" };
const dualStack = {
  ...first,
  ipv6Addresses: ["2001:db8:1::7"],
  ipv6SubnetCidrBlock: "2001:db8:1::/64",
  ipv6VirtualRouterIp: "fe80::1",
};
const ipv6Only = {
  macAddr: "02:00:17:18:F6:FF",
  ipv6Addresses: ["2001:db8:2::7"],
  ipv6SubnetCidrBlock: "2001:db8:2::/64",
  ipv6VirtualRouterIp: "fe80::1",
  subnetCidrBlock: "<null>",
};

t.test("the first interface by DHCP, the others with their addresses", async (t) => {
  const second = { ...dualStack, macAddr: "00:00:17:02:2B:B1", privateIp: "10.0.0.231" };
  t.strictSame(await ethernetsOf(t, [first, second, ipv6Only]), {
    ethernets: {
      vnic0: { match, mtu: 9000, dhcp4: true },
      vnic1: {
        match: { macaddress: "00:00:17:02:2b:b1" },
        mtu: 9000,
        addresses: ["10.0.0.231/24", "2001:db8:1::7/64"],
        optional: true,
      },
      vnic2: {
        match: { macaddress: "02:00:17:18:f6:ff" },
        mtu: 9000,
        addresses: ["2001:db8:2::7/64"],
        optional: true,
      },
    },
    findings: [],
  });
  t.strictSame((await ethernetsOf(t, [ipv6Only])).ethernets.vnic0, {
    match: { macaddress: "02:00:17:18:f6:ff" },
    mtu: 9000,
    dhcp6: true,
  });
  const noSubnet = { ...second, subnetCidrBlock: "<null>" };
  await t.rejects(ethernetsOf(t, [first, noSubnet]), {
    code: "datasource/malformed",
    message: /vnics\/: 1: the subnet of 10\.0\.0\.231/,
  });
});

t.test("VLANs of bare metal are told, and left", async (t) => {
  const { ethernets, findings } = await ethernetsOf(t, [
    { ...first, nicIndex: 0, vlanTag: 0 },
    { ...first, macAddr: "02:00:17:05:CF:51", nicIndex: 0, vlanTag: 1 },
  ]);
  t.same(Object.keys(ethernets), ["vnic0"]);
  t.match(findings, [{ level: "warning", code: "datasource/not-read", message: /^1: a VLAN/ }]);
});
