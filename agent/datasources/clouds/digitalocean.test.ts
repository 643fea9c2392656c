import t from "tap";
import type { FakeAnswer } from "../metadata/fake-service.ts";
import { fakeService } from "../metadata/fake-service.ts";
import { digitalOcean } from "./digitalocean.ts";
import { networkOf, readFrom, tryCloud } from "./try-cloud.ts";

const document = "/metadata/v1.json";
const userData = "#cloud-config\nhostname: a\n";

const said = {
  droplet_id: 22532410,
  hostname: "edge",
  vendor_data: "#cloud-config\nmanage_etc_hosts: true\n",
  user_data: userData,
  public_keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine"],
  auth_key: "88888888888888888888888888888888",
  region: "nyc3",
  interfaces: {
    private: [
      {
        ipv4: { ip_address: "10.132.6.205", netmask: "255.255.0.0", gateway: "10.132.0.1" },
        ...{ mac: "04:01:57:D1:9E:02", type: "private" },
      },
    ],
    public: [
      {
        ipv4: { ip_address: "192.0.2.20", netmask: "255.255.240.0", gateway: "192.0.2.1" },
        ipv6: { ip_address: "2001:db8::f001", cidr: 64, gateway: "2001:db8::1" },
        anchor_ipv4: { ip_address: "10.17.0.9", netmask: "255.255.0.0", gateway: "10.17.0.1" },
        ...{ mac: "04:01:57:d1:9e:01", type: "public" },
      },
    ],
  },
  floating_ip: { ipv4: { active: false } },
  dns: { nameservers: ["2001:4860:4860::8844", "8.8.8.8"] },
  features: { dhcp_enabled: false },
  tags: ["edge"],
};

const answers: Readonly<Record<string, FakeAnswer>> = {
  "/metadata/v1/id": "22532410",
  [document]: JSON.stringify(said),
};

function malformed(change: object, message: RegExp) {
  const answer = JSON.stringify({ ...said, ...change });
  return { answer, fault: { code: "datasource/malformed", message } };
}

tryCloud(t, {
  cloud: digitalOcean,
  on: [{ sysVendor: "DigitalOcean", productName: "Droplet" }],
  off: [{ sysVendor: "DigitalOcean, Inc." }, { productName: "DigitalOcean" }],
  answers,
  expected: {
    instanceId: "22532410",
    hostname: "edge",
    publicKeys: said.public_keys,
    metaData: { region: "nyc3", "availability-zone": "nyc3", tags: ["edge"] },
    vendorData: { secretRef: "vendor-data" },
    networkConfig: { secretRef: "network-config" },
  },
  userData,
  malformed: {
    [document]: malformed({ user_data: { a: 1 } }, /v1\.json: user_data: a text was expected$/),
  },
});

t.test("the network: every address, and the way out over the public ones", async (t) => {
  const { network, findings } = await networkOf(digitalOcean, await fakeService(t, answers));
  t.same(findings, []);
  t.same(network, {
    ethernets: {
      private0: {
        match: { mac: "04:01:57:d1:9e:02" },
        addresses: ["10.132.6.205/16"],
      },
      public0: {
        match: { mac: "04:01:57:d1:9e:01" },
        addresses: ["192.0.2.20/20", "2001:db8::f001/64", "10.17.0.9/16"],
        routes: [
          { to: "default", via: "192.0.2.1" },
          { to: "default", via: "2001:db8::1" },
        ],
        nameservers: ["2001:4860:4860::8844", "8.8.8.8"],
      },
    },
  });
});

t.test(
  "what is not there is not made up, and nothing of the key to the service is kept",
  async (t) => {
    const small = {
      hostname: "",
      user_data: "",
      vendor_data: "",
      public_keys: "",
      auth_key: "k3y",
    };
    const service = await fakeService(t, { ...answers, [document]: JSON.stringify(small) });
    const content = await readFrom(digitalOcean, service, {
      known: { identity: { productSerial: "77" } },
    });
    t.match(content.instance, {
      ...{ instanceId: "77", hostname: "77", publicKeys: [] },
      ...{ userData: null, vendorData: null, networkConfig: null },
    });
    t.notMatch(JSON.stringify(content.instance), "k3y");
  },
);

t.test("a network that cannot be meant says where", async (t) => {
  const interfaces = { public: [{ mac: "04:01:57:d1:9e:01", ipv4: { ip_address: "192.0.2.1" } }] };
  const service = await fakeService(t, {
    ...answers,
    [document]: JSON.stringify({ ...said, interfaces }),
  });
  await t.rejects(readFrom(digitalOcean, service), {
    code: "datasource/malformed",
    message: /interfaces\.public\.0\.ipv4\.netmask: a text was expected, there is none$/,
  });
});
