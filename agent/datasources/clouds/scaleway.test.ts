import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import type { Cloud, JsonObject } from "../cloud.ts";
import { readIdentity } from "../identity.ts";
import { writeTree } from "../images/make-images.ts";
import { fakeService } from "../metadata/fake-service.ts";
import { scaleway } from "./scaleway.ts";
import { readFrom, tryCloud } from "./try-cloud.ts";

const conf = "/conf?format=json";
const userData = "#cloud-config\nhostname: a\n";
const isRoot = process.geteuid?.() === 0;
/** For what has to do with the answers alone, so that anybody may test it. */
const fromAnyPort: Cloud = { ...scaleway, service: { ...scaleway.service, privilegedPort: false } };

const said = {
  id: "11111111-1111-1111-1111-111111111111",
  hostname: "scw-edge",
  name: "edge",
  commercial_type: "DEV1-S",
  zone: "fr-par-1",
  state_detail: "booting",
  mac_address: "DE:00:00:00:00:01",
  private_ip: null,
  public_ip: { address: "192.0.2.7" },
  ssh_public_keys: [{ key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine", description: "" }],
  tags: ["web", "AUTHORIZED_KEY=ssh-ed25519_AAAAC3NzaC1lZDI1NTE5AAAAIB_tagged"],
};

const answers = {
  [conf]: JSON.stringify(said),
  "/user_data/cloud-init": userData,
  "/vendor_data/cloud-init": "#cloud-config\n",
};

tryCloud(t, {
  cloud: fromAnyPort,
  on: [
    { sysVendor: "Scaleway" },
    { kernelArguments: ["ro", "scaleway"] },
    { markFiles: ["/var/run/scaleway"] },
  ],
  off: [{ sysVendor: "scaleway" }, { kernelArguments: ["scaleway=1"] }],
  answers,
  expected: {
    instanceId: said.id,
    hostname: "scw-edge",
    publicKeys: [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine",
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB tagged",
    ],
    metaData: {
      ...{ region: "fr-par", "availability-zone": "fr-par-1", "instance-type": "DEV1-S" },
      ...{ name: "edge", "public-ipv4": "192.0.2.7", state_detail: undefined },
    },
    vendorData: { secretRef: "vendor-data" },
    networkConfig: null,
  },
  userData,
  malformed: {
    [conf]: {
      answer: "{",
      fault: { code: "datasource/malformed", message: /conf\?format=json: / },
    },
    "/user_data/cloud-init": {
      answer: "x".repeat(1024 * 1024 + 1),
      fault: { code: "datasource/malformed", message: /user_data\/cloud-init: more than/ },
    },
  },
});

t.test(
  "the file by which an initrd marks the machine is seen, a directory there is not",
  async (t) => {
    const root = t.testdir();
    const identify = () => scaleway.identify(readIdentity(fakeIo(root).files));
    t.equal(identify(), undefined);
    writeTree(path.join(root, "var/run"), { "scaleway/x": "" });
    t.equal(identify(), undefined);
    const other = t.testdir({ var: { run: { scaleway: "" } } });
    const found = scaleway.identify(readIdentity(fakeIo(other).files));
    t.equal(found, "file: /var/run/scaleway");
  },
);

/** The network-config that comes of addresses. */
async function networkOf(
  t: { teardown(end: () => void): void },
  public_ips: readonly JsonObject[],
  more: JsonObject = {},
) {
  const service = await fakeService(t, {
    ...answers,
    [conf]: JSON.stringify({ ...said, public_ips, ...more }),
  });
  const { secrets, findings } = await readFrom(fromAnyPort, service);
  const network = secrets.get("network-config")?.reveal();
  return { network: network && JSON.parse(Buffer.from(network).toString()), findings };
}

const ipv4 = { address: "192.0.2.7", netmask: "32", family: "inet", gateway: "192.0.2.1" };
const second = { ...ipv4, address: "198.51.100.7" };
const ipv6 = { address: "2001:db8::7", netmask: "64", family: "inet6", gateway: "fe80::1" };
const match = { macaddress: "de:00:00:00:00:01" };
const serviceRoute = { to: "169.254.42.42/32", via: "62.210.0.1", "on-link": true };

t.test("public addresses: one by DHCP, the others as they are said", async (t) => {
  const cases: Record<string, { ips: readonly JsonObject[]; ethernet: object }> = {
    "nothing marked: the first of IPv4 is leased": {
      ips: [ipv6, ipv4, second],
      ethernet: {
        dhcp4: true,
        addresses: ["2001:db8::7/64", "198.51.100.7/32"],
        routes: [serviceRoute, { to: "default", via: "fe80::1" }],
      },
    },
    "the marked one is leased": {
      ips: [
        { ...ipv4, provisioning_mode: "manual" },
        { ...second, provisioning_mode: "dhcp" },
      ],
      ethernet: { dhcp4: true, addresses: ["192.0.2.7/32"], routes: [serviceRoute] },
    },
    "IPv6 alone": {
      ips: [{ ...ipv6, provisioning_mode: "slaac" }],
      ethernet: {
        dhcp4: false,
        addresses: ["2001:db8::7/64"],
        routes: [{ to: "default", via: "fe80::1" }],
      },
    },
  };
  for (const [name, { ips, ethernet }] of Object.entries(cases)) {
    const { network, findings } = await networkOf(t, ips);
    t.strictSame(network, { version: 2, ethernets: { public: { match, ...ethernet } } }, name);
    t.same(findings, []);
  }
});

t.test("without the interface's address its network is not said, and that is told", async (t) => {
  const { network, findings } = await networkOf(t, [ipv4], { mac_address: null });
  t.equal(network, undefined);
  t.match(findings, [{ level: "note", code: "datasource/not-read", document: conf }]);
});

t.test(
  "user-data is asked for from a port below 1024",
  { skip: !isRoot && "needs root" },
  async (t) => {
    const ports: number[] = [];
    const service = await fakeService(t, answers, {
      guard({ url = "", socket: { remotePort = 0 } }) {
        ports.push(remotePort);
        return url.startsWith("/user_data") && remotePort >= 1024 ? { status: 403 } : undefined;
      },
    });
    const { secrets } = await readFrom(scaleway, service);
    t.equal(Buffer.from(secrets.get("user-data")?.reveal() ?? []).toString(), userData);
    t.ok(ports.length > 0 && ports.every((port) => port < 1024), String(ports));
    await t.rejects(readFrom(fromAnyPort, service), { code: "datasource/refused" });
  },
);
