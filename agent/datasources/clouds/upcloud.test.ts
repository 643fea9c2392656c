import t from "tap";
import { fakeService } from "../metadata/fake-service.ts";
import { networkOf, readFrom, tryCloud } from "./try-cloud.ts";
import { upCloud } from "./upcloud.ts";

const document = "/metadata/v1.json";
const userData = "#cloud-config\nhostname: a\n";
const uuid = "00322b68-0096-4042-9406-faad61922128";

const said = {
  cloud_name: "upcloud",
  instance_id: uuid,
  hostname: "edge.example.com",
  platform: "servers",
  public_keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine"],
  region: "fi-hel2",
  network: {
    interfaces: [
      {
        index: 1,
        ip_addresses: [
          {
            ...{ address: "192.0.2.53", dhcp: true, dns: ["192.0.2.9"], family: "IPv4" },
            ...{ floating: false, gateway: "192.0.2.1", network: "192.0.2.0/22" },
          },
          {
            ...{ address: "192.0.2.50", dhcp: false, dns: null, family: "IPv4" },
            ...{ floating: true, gateway: "", network: "192.0.2.50/32" },
          },
        ],
        ...{ mac: "3A:d6:ba:4a:36:e7", type: "public" },
      },
      {
        index: 2,
        ip_addresses: [
          {
            ...{ address: "2001:db8::63e7", dhcp: true, dns: null, family: "IPv6" },
            ...{ gateway: "2001:db8::1", network: "2001:db8::/64" },
          },
          {
            ...{ address: "2001:db8:1::5", dhcp: false, dns: ["2001:db8::53", "192.0.2.9"] },
            ...{ family: "IPv6", gateway: "2001:db8:1::1", network: "2001:db8:1::/48" },
          },
        ],
        ...{ mac: "3a:d6:ba:4a:63:e7", type: "public" },
      },
    ],
    dns: ["192.0.2.9", "192.0.2.10"],
  },
  tags: [],
  user_data: userData,
  vendor_data: "",
};

const answers = { [document]: JSON.stringify(said) };

tryCloud(t, {
  cloud: upCloud,
  on: [{ sysVendor: "UpCloud", productUuid: uuid }],
  off: [{ sysVendor: "upcloud" }, { productName: "UpCloud" }],
  answers,
  expected: {
    instanceId: uuid,
    hostname: "edge.example.com",
    publicKeys: said.public_keys,
    metaData: { region: "fi-hel2", "availability-zone": "fi-hel2", tags: [] },
    vendorData: null,
  },
  userData,
  malformed: {
    [document]: {
      answer: JSON.stringify({ ...said, network: { interfaces: {} } }),
      fault: { code: "datasource/malformed", message: /network\.interfaces: a list was expected$/ },
    },
  },
});

t.test("the network: what DHCP hands out, and what is fixed", async (t) => {
  const interfaces = new Map([["3a:d6:ba:4a:36:e7", "enp1s0"]]);
  const read = await networkOf(upCloud, await fakeService(t, answers), { interfaces });
  t.same(read, {
    findings: [],
    resolver: { nameservers: ["192.0.2.9", "192.0.2.10"] },
    network: {
      ethernets: {
        enp1s0: {
          ...{ match: { mac: "3a:d6:ba:4a:36:e7" }, setName: "enp1s0", dhcp4: true },
          addresses: ["192.0.2.50/32"],
        },
        eth1: {
          ...{ match: { mac: "3a:d6:ba:4a:63:e7" }, setName: "eth1", dhcp6: true },
          addresses: ["2001:db8:1::5/48"],
          nameservers: ["2001:db8::53"],
          routes: [{ to: "default", via: "2001:db8:1::1" }],
        },
      },
    },
  });
});

t.test("a server without a number in its metadata is known by its firmware", async (t) => {
  const { instance_id: _id, network: _network, ...rest } = said;
  const service = await fakeService(t, { [document]: JSON.stringify(rest) });
  const known = { identity: { productUuid: uuid } };
  t.match(await readFrom(upCloud, service, { known }), {
    instance: { instanceId: uuid, networkConfig: null },
  });
});
