import t from "tap";
import { fakeService } from "../metadata/fake-service.ts";
import { nwcs } from "./nwcs.ts";
import { readFrom, tryCloud } from "./try-cloud.ts";

const path = "/api/v1/metadata";
const userData = "#cloud-config\nhostname: a\n";
const physical = {
  type: "physical",
  name: "eth0",
  mac_address: "96:00:00:08:19:DA",
  subnets: [{ type: "dhcp" }],
};
const said = {
  "instance-id": "test-1",
  machine_type: "b1.centi",
  hostname: "edge",
  network: { version: 1, config: [physical] },
  "public-keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine"],
  userdata: userData,
  vendordata: "#cloud-config\n",
};

tryCloud(t, {
  cloud: nwcs,
  on: [{ sysVendor: "NWCS" }],
  off: [{ sysVendor: "nwcs" }],
  answers: { [path]: JSON.stringify(said) },
  expected: {
    instanceId: "test-1",
    hostname: "edge",
    publicKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine"],
    metaData: { "instance-type": "b1.centi", userdata: undefined },
    vendorData: { secretRef: "vendor-data" },
    networkConfig: { secretRef: "network-config" },
  },
  userData,
  malformed: {
    [path]: {
      answer: JSON.stringify({ ...said, userdata: { a: 1 } }),
      fault: { code: "datasource/malformed", message: /v1\/metadata: userdata: a text/ },
    },
  },
});

t.test("interfaces keep the names that they have here", async (t) => {
  const other = { ...physical, name: "eth1", mac_address: "96:00:00:08:19:db" };
  const network = {
    version: 1,
    config: [physical, other, { type: "nameserver", address: "9.9.9.9" }],
  };
  const service = await fakeService(t, { [path]: JSON.stringify({ ...said, network }) });
  const interfaces = new Map([["96:00:00:08:19:da", "ens3"]]);
  const { secrets } = await readFrom(nwcs, service, { interfaces });
  t.strictSame(JSON.parse(Buffer.from(secrets.get("network-config")?.reveal() ?? []).toString()), {
    version: 1,
    config: [{ ...physical, name: "ens3" }, other, network.config[2]],
  });
});

t.test("without documents and network there is a machine all the same", async (t) => {
  const { userdata: _, vendordata: __, network: ___, ...rest } = said;
  const service = await fakeService(t, { [path]: JSON.stringify({ ...rest, userdata: null }) });
  const nothing = { userData: null, vendorData: null, networkConfig: null };
  t.match((await readFrom(nwcs, service)).instance, nothing);
});

t.test("vendor-data is a text, or one for cloud-init among others", async (t) => {
  for (const [vendordata, expected] of [
    [{ "cloud-init": "#cloud-config\n" }, "#cloud-config\n"],
    [{}, undefined],
  ] as const) {
    const service = await fakeService(t, { [path]: JSON.stringify({ ...said, vendordata }) });
    const { secrets, findings } = await readFrom(nwcs, service);
    t.equal(secrets.get("vendor-data")?.reveal().toString(), expected);
    t.same(findings, []);
  }
});
