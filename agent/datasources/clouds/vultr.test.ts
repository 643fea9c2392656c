import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { readIdentity } from "../identity.ts";
import { writeTree } from "../images/make-images.ts";
import { fakeService } from "../metadata/fake-service.ts";
import { networkOf, readFrom, tryCloud } from "./try-cloud.ts";
import { vultr } from "./vultr.ts";

const document = "/v1.json";
const userData = "#cloud-config\nhostname: a\n";
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine";

const said = {
  hostname: "edge",
  "instance-v2-id": "29bea708-2e6e-480a-90ad-0e6b5d5ad62f",
  instanceid: "42872224",
  interfaces: [
    {
      ipv4: {
        additional: [{ address: "192.0.2.3", netmask: "255.255.255.0" }],
        ...{ address: "192.0.2.171", gateway: "192.0.2.1", netmask: "255.255.254.0" },
      },
      ipv6: {
        additional: [{ network: "2001:db8:28a7::", prefix: "64" }],
        ...{ address: "2001:db8:5::1", network: "2001:db8:5::", prefix: "64" },
      },
      ...{ mac: "56:00:03:1B:4E:CA", "network-type": "public" },
    },
    {
      ipv4: { additional: [], address: "10.1.112.3", gateway: "", netmask: "255.255.240.0" },
      ipv6: { additional: [], network: "", prefix: "" },
      ...{ mac: "5a:00:03:1b:4e:ca", "network-type": "private" },
    },
  ],
  "public-keys": [key],
  region: { regioncode: "EWR", countrycode: "US" },
  "startup-script": "echo canary",
  "user-data": userData,
  "vendor-data": "#cloud-config\nchpasswd:\n  list: [root:canary]\n",
};

const answers = { [document]: JSON.stringify(said) };
const interfaces = new Map([
  ["56:00:03:1b:4e:ca", "enp1s0"],
  ["5a:00:03:1b:4e:ca", "enp6s0"],
]);

function changed(change: object) {
  return { [document]: JSON.stringify({ ...said, ...change }) };
}

tryCloud(t, {
  cloud: vultr,
  on: [
    { sysVendor: "Vultr" },
    { kernelArguments: ["ro", "vultr", "quiet"] },
    { markFiles: ["/etc/vultr"] },
  ],
  off: [{ sysVendor: "Vultr Holdings" }, { kernelArguments: ["vultr=1", "novultr"] }],
  answers,
  options: {
    guard: ({ headers }) =>
      headers["metadata-token"] === "cloudinit" ? undefined : { status: 403 },
  },
  expected: {
    instanceId: "29bea708-2e6e-480a-90ad-0e6b5d5ad62f",
    hostname: "edge",
    publicKeys: [key],
    metaData: { region: "us", instanceid: "42872224" },
    vendorData: { secretRef: "vendor-data" },
  },
  userData,
  malformed: {
    [document]: {
      answer: "[]",
      fault: { code: "datasource/malformed", message: /v1\.json: a mapping was expected$/ },
    },
  },
});

t.test("what cannot be meant says where", async (t) => {
  const cases: [object, RegExp][] = [
    [{ "instance-v2-id": undefined }, /instance-v2-id: a text was expected, there is none$/],
    [{ "user-data": [{ a: 1 }] }, /user-data: a text was expected$/],
    [{ interfaces: [{}] }, /interfaces\.0\.mac: a text was expected, there is none$/],
  ];
  for (const [change, message] of cases) {
    const service = await fakeService(t, changed(change));
    await t.rejects(readFrom(vultr, service), { code: "datasource/malformed", message });
  }
});

t.test("nothing given: empty lists, no name", async (t) => {
  const nothing = {
    "user-data": [],
    "vendor-data": "",
    hostname: "",
    region: { regioncode: "EWR" },
  };
  const { instance } = await readFrom(vultr, await fakeService(t, changed(nothing)));
  t.match(instance, {
    ...{ userData: null, vendorData: null, hostname: "guest", metaData: { region: "ewr" } },
  });
  t.notMatch(JSON.stringify(instance), "canary");
});

const network = {
  ethernets: {
    enp1s0: {
      ...{ match: { mac: "56:00:03:1b:4e:ca" }, setName: "enp1s0", acceptRa: true, dhcp4: true },
      addresses: ["192.0.2.3/24", "2001:db8:28a7::/64"],
    },
    enp6s0: {
      ...{ match: { mac: "5a:00:03:1b:4e:ca" }, setName: "enp6s0" },
      addresses: ["10.1.112.3/20"],
    },
  },
};
const resolver = { nameservers: ["108.61.10.10", "2001:19f0:300:1704::6"] };

t.test("the network: the first interface by DHCP, the others as they are said", async (t) => {
  const read = await networkOf(vultr, await fakeService(t, answers), { interfaces });
  t.same(read, { network, resolver, findings: [] });
  const [first, second] = said.interfaces;
  const more = {
    interfaces: [
      first,
      { ...second, unconfigured: true },
      {
        ...{ ...second, mac: "5a:00:03:1b:4e:cb", mtu: 1450, "accept-ra": 0 },
        routes: [{ network: "10.9.0.0", netmask: "255.255.0.0", gateway: "10.1.112.1" }],
      },
    ],
  };
  const others = await networkOf(vultr, await fakeService(t, changed(more)), { interfaces });
  t.same(others.findings, []);
  t.same(others.network?.ethernets?.["eth1"], {
    ...{ match: { mac: "5a:00:03:1b:4e:cb" }, setName: "eth1", mtu: 1450, acceptRa: false },
    addresses: ["10.1.112.3/20"],
    routes: [{ to: "10.9.0.0/16", via: "10.1.112.1" }],
  });
});

t.test("the network as Vultr writes it for cloud-init", async (t) => {
  const cloudInterfaces = {
    version: 1,
    config: [
      { type: "nameserver", address: resolver.nameservers },
      {
        ...{ type: "physical", mac_address: "56:00:03:1b:4e:ca", "accept-ra": 1 },
        subnets: [
          { type: "dhcp", control: "auto" },
          { type: "ipv6_slaac", control: "auto" },
          { type: "static", control: "auto", address: "192.0.2.3", netmask: "255.255.255.0" },
          { type: "static6", control: "auto", address: "2001:db8:28a7::/64" },
        ],
      },
      {
        ...{ type: "physical", mac_address: "5a:00:03:1b:4e:ca" },
        subnets: [{ type: "static", address: "10.1.112.3", netmask: "255.255.240.0" }],
      },
    ],
  };
  const service = await fakeService(
    t,
    changed({ interfaces: [], cloud_interfaces: cloudInterfaces }),
  );
  t.same(await networkOf(vultr, service, { interfaces }), { network, resolver, findings: [] });
});

t.test("bare metal is known by a file of its image", async (t) => {
  const root = t.testdir();
  writeTree(`${root}/etc`, { vultr: "" });
  t.equal(vultr.identify(readIdentity(fakeIo(root).files)), "file: /etc/vultr");
});
