import t from "tap";
import type { FakeAnswer } from "../metadata/fake-service.ts";
import { fakeService } from "../metadata/fake-service.ts";
import { gce } from "./gce.ts";
import { interfacesPath } from "./gce-network.ts";
import { type Known, networkOf, readFrom, tryCloud } from "./try-cloud.ts";

const root = "/computeMetadata/v1/";
const instanceData = `${root}instance/attributes/?recursive=true`;
const projectData = `${root}project/attributes/?recursive=true`;
const userData = "#cloud-config\nhostname: a\n";
const key = (name: string) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA${name} ${name}`;

/** An interface as the service says it, in all that it says. */
const first = {
  accessConfigs: [{ externalIp: "203.0.113.5", type: "ONE_TO_ONE_NAT" }],
  dnsServers: ["169.254.169.254"],
  forwardedIps: [],
  gateway: "192.0.2.1",
  ip: "192.0.2.7",
  ipAliases: [],
  mac: "42:01:c0:00:02:07",
  mtu: 1460,
  network: "projects/123456789012/networks/default",
  subnetmask: "255.255.255.0",
  targetInstanceIps: [],
};
const second = {
  ...first,
  accessConfigs: [{ externalIp: "", type: "ONE_TO_ONE_NAT" }],
  gateway: "198.51.100.1",
  ip: "198.51.100.8",
  mac: "42:01:C6:33:64:08",
  mtu: 8896,
  network: "projects/123456789012/networks/storage",
};

const answers: Readonly<Record<string, FakeAnswer>> = {
  [`${root}instance/id`]: "7684568764356123456",
  [`${root}instance/zone`]: "projects/123456789012/zones/us-central1-a",
  [`${root}instance/hostname`]: "edge.us-central1-a.c.project.internal",
  [`${root}instance/machine-type`]: "projects/123456789012/machineTypes/e2-medium",
  [instanceData]: JSON.stringify({
    "user-data": userData,
    "ssh-keys": `nixos:${key("mine")}\n`,
    "enable-oslogin": "FALSE",
    "startup-script": "echo secret",
  }),
  [projectData]: JSON.stringify({ "ssh-keys": `cloudinit:${key("project")}` }),
  [interfacesPath]: JSON.stringify([first]),
};

tryCloud(t, {
  cloud: gce,
  on: [{ productName: "Google Compute Engine" }, { productSerial: "GoogleCloud-0123456789AB" }],
  off: [
    { sysVendor: "Google", productName: "Google" },
    { productName: "Google Compute Engine 2" },
    { productSerial: "A-GoogleCloud-1" },
  ],
  answers,
  options: {
    guard: ({ headers }) =>
      headers["metadata-flavor"] === "Google" ? undefined : { status: 403, body: "Forbidden" },
  },
  expected: {
    instanceId: "7684568764356123456",
    hostname: "edge",
    publicKeys: [key("mine"), key("project")],
    metaData: {
      ...{ region: "us-central1", "availability-zone": "us-central1-a" },
      "instance-type": "e2-medium",
      hostname: "edge.us-central1-a.c.project.internal",
      "instance-data": {
        "enable-oslogin": { secretRef: "meta-data.instance-data.enable-oslogin" },
        "startup-script": { secretRef: "meta-data.instance-data.startup-script" },
      },
    },
    networkConfig: null,
  },
  userData,
  malformed: {
    [instanceData]: {
      answer: "{",
      fault: { code: "datasource/malformed", message: /attributes\/\?recursive=true: no JSON/ },
    },
    [projectData]: {
      answer: '{ "ssh-keys": ["a"] }',
      fault: { code: "datasource/malformed", message: /ssh-keys: a text was expected$/ },
    },
    [`${root}instance/id`]: {
      answer: new Uint8Array([0xff]),
      fault: {
        code: "datasource/unreachable",
        message: /instance\/id: answered with what is no text$/,
      },
    },
  },
});

/** What comes of these attributes. */
async function readAttributes(
  t: { teardown(end: () => void): void },
  instance: object,
  { project = {}, ...known }: Known & { readonly project?: object } = {},
) {
  const service = await fakeService(t, {
    ...answers,
    [instanceData]: JSON.stringify(instance),
    [projectData]: JSON.stringify(project),
  });
  const content = await readFrom(gce, service, { known });
  const { publicKeys } = content.instance;
  return {
    publicKeys,
    userData: Buffer.from(content.secrets.get("user-data")?.reveal() ?? []).toString(),
    findings: content.findings.map(({ level, code }) => `${level} ${code}`),
  };
}

t.test("user-data in base64 is decoded where the instance says that it is", async (t) => {
  const encoded = Buffer.from(userData).toString("base64");
  const cases: [object, string, readonly string[]][] = [
    [{ "user-data": encoded, "user-data-encoding": "base64" }, userData, []],
    [{ "user-data": encoded }, encoded, []],
    [
      { "user-data": userData, "user-data-encoding": "rot13" },
      userData,
      ["warning datasource/unused-value"],
    ],
    [{ "user-data-encoding": "base64" }, "", []],
  ];
  for (const [instance, expected, findings] of cases) {
    const read = await readAttributes(t, instance);
    t.match(read, { userData: expected, findings }, JSON.stringify(instance));
    t.equal(read.findings.length, findings.length);
  }
  await t.rejects(readAttributes(t, { "user-data": "#!", "user-data-encoding": "base64" }), {
    code: "datasource/malformed",
    message: /user-data: base64 was expected/,
  });
});

t.test(
  "keys: of the default user, in their time, and of the project unless it is blocked",
  async (t) => {
    const project = { "ssh-keys": `nixos:${key("p")}`, sshKeys: `nixos:${key("q")}` };
    const cases: [object, readonly string[]][] = [
      [{}, ["p", "q"]],
      [{ "block-project-ssh-keys": "TRUE", "ssh-keys": `nixos:${key("i")}` }, ["i"]],
      [{ sshKeys: `nixos:${key("old")}`, "ssh-keys": `nixos:${key("i")}` }, ["old", "i"]],
      [
        { "ssh-keys": `\nnixos:${key("a")}\r\ncloudinit:${key("b")}\nno key` },
        ["a", "b", "p", "q"],
      ],
    ];
    for (const [instance, expected] of cases) {
      const { publicKeys, findings } = await readAttributes(t, instance, { project });
      t.same(publicKeys, expected.map(key), JSON.stringify(instance));
      t.same(findings, []);
    }
    const others = await readAttributes(t, { "ssh-keys": `alice:${key("a")}\nbob:${key("b")}` });
    t.same(others.publicKeys, []);
    t.same(others.findings, ["note datasource/not-read"]);
    const alice = { "ssh-keys": `alice:${key("a")}` };
    const { publicKeys } = await readAttributes(t, alice, { defaultUser: "alice" });
    t.same(publicKeys, [key("a")]);
  },
);

t.test("a key that has run out opens nothing", async (t) => {
  const comment = (expireOn: string) =>
    `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA google-ssh {"userName":"a@example.org","expireOn":"${expireOn}"}`;
  const now = () => Date.parse("2026-01-02T12:00:00Z");
  const cases: Record<string, boolean> = {
    "2026-01-02T11:59:59+0000": false,
    "2026-01-02T12:00:01+0000": true,
    "2026-01-02T13:30:00+0200": false,
    "2026-01-02T12:00:01Z": true,
    tomorrow: true,
  };
  for (const [expireOn, isUsed] of Object.entries(cases)) {
    const instance = { "ssh-keys": `nixos:${comment(expireOn)}` };
    const { publicKeys } = await readAttributes(t, instance, { now });
    t.same(publicKeys, isUsed ? [comment(expireOn)] : [], expireOn);
  }
});

/** The network-config that comes of these interfaces, and what is said of it. */
async function readInterfaces(
  t: { teardown(end: () => void): void },
  interfaces: unknown,
  more: Readonly<Record<string, FakeAnswer>> = {},
) {
  const service = await fakeService(t, {
    ...answers,
    [interfacesPath]: JSON.stringify(interfaces),
    ...more,
  });
  const { secrets, findings, incomplete } = await readFrom(gce, service);
  const said = secrets.get("network-config")?.reveal();
  const config = said === undefined ? undefined : JSON.parse(Buffer.from(said).toString());
  return { config, findings, incomplete, network: await networkOf(gce, service) };
}

t.test("several interfaces: each by its address, the first is the way out", async (t) => {
  const dual = { ...second, ipv6s: ["2001:db8:0:1:0:0:0:8"], dhcpv6Refresh: "0" };
  const { config, findings, network } = await readInterfaces(t, [first, dual]);
  t.same(findings, []);
  t.same(config, {
    version: 2,
    ethernets: {
      nic0: {
        ...{ match: { macaddress: "42:01:c0:00:02:07" }, mtu: 1460 },
        ...{ dhcp4: true, dhcp6: false, optional: false },
        "dhcp4-overrides": { "route-metric": 100 },
      },
      nic1: {
        ...{ match: { macaddress: "42:01:c6:33:64:08" }, mtu: 8896 },
        ...{ dhcp4: true, dhcp6: true, optional: true },
        "dhcp4-overrides": { "route-metric": 200, "use-dns": false },
        "dhcp6-overrides": { "route-metric": 200, "use-dns": false },
        routes: [
          { to: "default", via: "198.51.100.1", "on-link": true, table: 101 },
          { to: "default", via: "_ipv6ra", table: 101 },
        ],
        "routing-policy": [
          { from: "198.51.100.8", table: 101 },
          { from: "2001:db8:0:1:0:0:0:8", table: 101 },
        ],
      },
    },
  });
  t.same(network.findings, []);
  t.match(network.network?.ethernets?.["nic1"], {
    ...{ match: { mac: "42:01:c6:33:64:08" }, mtu: 8896, dhcp4Overrides: { useDns: false } },
    routes: [{ via: "198.51.100.1", onLink: true }, { via: "_ipv6ra" }],
    routingPolicy: [{ from: "198.51.100.8/32" }, { from: "2001:db8:0:1:0:0:0:8/128" }],
  });
});

t.test("what is forwarded to an interface, and its alias ranges, are its own", async (t) => {
  const balanced = {
    ...first,
    forwardedIps: ["203.0.113.9", "203.0.113.8", first.ip],
    forwardedIpv6s: ["2001:db8:0:2::/96"],
    targetInstanceIps: ["203.0.113.8"],
    ipAliases: ["192.0.2.64/28", "192.0.2.33"],
  };
  const local = (to: string) => ({ to, type: "local" });
  const { config, network } = await readInterfaces(t, [balanced]);
  const alone = ["192.0.2.33/32", "192.0.2.64/28", "2001:db8:0:2::/96"];
  const all = [...alone, "203.0.113.8/32", "203.0.113.9/32"];
  t.same(config.ethernets, {
    nic0: {
      ...{ match: { macaddress: first.mac }, mtu: 1460, dhcp4: true, dhcp6: false },
      ...{ optional: false, routes: all.map(local) },
    },
  });
  t.same(network.findings, []);
  t.same(network.network?.ethernets?.["nic0"]?.routes, all.map(local));
  const reordered = { ...balanced, forwardedIps: [...balanced.forwardedIps].reverse() };
  t.same((await readInterfaces(t, [reordered])).config, config, "in whichever order");
  const later = await readInterfaces(t, [first, { ...second, ipAliases: ["198.51.100.64/28"] }]);
  t.match(later.config.ethernets.nic1, {
    routes: [local("198.51.100.64/28"), { to: "default", table: 101 }],
    "routing-policy": [{ from: "198.51.100.8" }, { from: "198.51.100.64/28", table: 101 }],
  });
});

t.test("an interface without IPv4 leases none", async (t) => {
  const { ip: _ip, gateway: _gateway, ...only } = second;
  const { config, network } = await readInterfaces(t, [
    first,
    { ...only, ipv6s: ["2001:db8:0:1::8"] },
  ]);
  t.match(config.ethernets.nic1, { dhcp4: false, dhcp6: true, routes: [{ via: "_ipv6ra" }] });
  t.equal(config.ethernets.nic1["dhcp4-overrides"], undefined);
  t.same(network.findings, []);
});

t.test("one interface alone needs nothing said", async (t) => {
  const dual = { ...first, ipv6s: ["2001:db8::7"], dhcpv6Refresh: "0" };
  for (const interfaces of [[], [first], [dual], [{ mac: first.mac }]]) {
    const { config, findings } = await readInterfaces(t, interfaces);
    t.equal(config, undefined, JSON.stringify(interfaces));
    t.same(findings, []);
  }
  const { config, findings } = await readInterfaces(t, [], { [interfacesPath]: { status: 404 } });
  t.same([config, findings], [undefined, []], "a service that does not know them");
});

t.test("interfaces that do not come are told, and may come later", async (t) => {
  const { config, findings, incomplete } = await readInterfaces(t, [], {
    [interfacesPath]: { status: 403 },
  });
  t.same([config, incomplete], [undefined, true]);
  t.match(findings, [{ level: "warning", document: interfacesPath, code: "datasource/not-read" }]);
});

t.test("the owner may have none of it set up, as with Google's own agent", async (t) => {
  const word = (said: string) => JSON.stringify({ "disable-address-manager": said });
  const cases: [string, string, boolean][] = [
    [word("TRUE"), "{}", false],
    [word("true"), word("false"), false],
    ["{}", word("1"), false],
    [word("False"), word("True"), true],
    [word("yes"), "{}", true],
  ];
  for (const [instance, project, isSetUp] of cases) {
    const { config } = await readInterfaces(t, [first, second], {
      ...{ [instanceData]: instance, [projectData]: project },
    });
    t.equal(config !== undefined, isSetUp, `${instance} ${project}`);
  }
});

t.test(
  "interfaces that cannot be meant cost the network alone, told with their place",
  async (t) => {
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [{ 0: first }, /recursive=true: a list was expected$/],
      [[first, "eth1"], /: 1: a mapping was expected$/],
      [[{ ...first, mac: "42010aab0007" }], /: 0\.mac: a MAC address was expected/],
      [[{ ip: first.ip }], /: 0\.mac: a text was expected, there is none$/],
      [[first, { ...second, ip: "198.51.100.8/24" }], /: 1\.ip: an address was expected/],
      [[{ ...first, gateway: "none" }], /: 0\.gateway: an address/],
      [[{ ...first, mtu: 70_000 }], /: 0\.mtu: a size from 68 to 65535 bytes/],
      [[{ ...first, mtu: true }], /: 0\.mtu: a text was expected$/],
      [[{ ...first, ipAliases: ["192.0.2.0/33"] }], /: 0\.ipAliases\.0: an address or a network/],
      [[{ ...first, forwardedIps: "203.0.113.9" }], /: 0\.forwardedIps: a list was expected$/],
      [[{ ...first, ipv6s: ["x\n[Match]"] }], /: 0\.ipv6s\.0: an address was expected/],
    ];
    const wrong = cases.map(
      ([interfaces, message]) => [JSON.stringify(interfaces), message] as const,
    );
    for (const [said, message] of [...wrong, ['[{"mac"', /recursive=true: no JSON/] as const]) {
      const service = await fakeService(t, { ...answers, [interfacesPath]: said });
      const { instance, secrets, findings, incomplete } = await readFrom(gce, service);
      t.match(instance, {
        instanceId: "7684568764356123456",
        publicKeys: [key("mine"), key("project")],
      });
      t.same(
        [...secrets.keys()].filter((name) => name === "network-config"),
        [],
        said,
      );
      t.equal(Buffer.from(secrets.get("user-data")?.reveal() ?? []).toString(), userData);
      const code = "datasource/unused-value";
      t.match(findings, [{ document: interfacesPath, level: "warning", code, message }], said);
      t.equal(findings.length, 1);
      t.equal(incomplete, true, "a node that has its network keeps it");
    }
  },
);
