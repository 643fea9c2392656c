import t from "tap";
import { Fault } from "#core/fault.ts";
import { crawlCloud } from "../metadata/crawl.ts";
import { type FakeAnswer, fakeService, first } from "../metadata/fake-service.ts";
import { azure } from "./azure.ts";
import { networkOf, readFrom, tryCloud } from "./try-cloud.ts";

const newest = "/metadata/instance?api-version=2021-08-01&extended=true";
const oldest = "/metadata/instance?api-version=2019-06-01";
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine";
const userData = "#cloud-config\nhostname: a\n";
const encoded = (text: string) => Buffer.from(text).toString("base64");

const compute = {
  ...{ azEnvironment: "AzurePublicCloud", location: "westeurope", name: "edge", zone: "1" },
  ...{ vmId: "D0DF4C54-4ecb-4a4b-9954-5bdf3ed5c3b8", vmSize: "Standard_D2s_v5", customData: "" },
  ...{ resourceGroupName: "rg", subscriptionId: "s-1", platformFaultDomain: "0", offer: "" },
  osProfile: {
    adminUsername: "nixos",
    computerName: "edge",
    disablePasswordAuthentication: "true",
  },
  publicKeys: [{ keyData: `${key}\r\n`, path: "/home/nixos/.ssh/authorized_keys" }],
  tagsList: [{ name: "role", value: "web" }],
  userData: encoded(userData),
};
const nic = (mac: string, ...addresses: readonly string[]) => ({
  ipv4: {
    ipAddress: addresses.map((privateIpAddress) => ({ privateIpAddress, publicIpAddress: "" })),
    subnet: [{ address: "192.0.2.0", prefix: "26" }],
  },
  ipv6: { ipAddress: [] },
  macAddress: mac,
});
const said = {
  compute,
  network: { interface: [nic("000D3A047598", "192.0.2.4")] },
  extended: { compute: { hasCustomData: false, ppsType: "None" } },
};

const answers: Readonly<Record<string, FakeAnswer>> = {
  [newest]: JSON.stringify(said),
  [oldest]: JSON.stringify({ compute: { vmId: compute.vmId } }),
};
const guard = ({ headers }: { readonly headers: Record<string, unknown> }) =>
  headers["metadata"] === "true" ? undefined : { status: 400 };

function changed(change: object, ofCompute: object = {}) {
  const all = { ...said, compute: { ...compute, ...ofCompute }, ...change };
  return { ...answers, [newest]: JSON.stringify(all) };
}

/** An `ovf-env.xml` with these elements. */
function ovfEnv(elements: string) {
  const text = `<Environment xmlns="http://schemas.dmtf.org/ovf/environment/1" xmlns:wa="http://schemas.microsoft.com/windowsazure">
    <wa:ProvisioningSection><wa:LinuxProvisioningConfigurationSet>${elements}
    </wa:LinuxProvisioningConfigurationSet></wa:ProvisioningSection></Environment>`;
  return { place: "/dev/sr0: ovf-env.xml", bytes: Buffer.from(text), problem: undefined };
}

tryCloud(t, {
  cloud: azure,
  on: [
    { chassisAssetTag: "7783-7084-3265-9085-8269-3286-77" },
    { markFiles: ["/var/lib/cloud/seed/azure/ovf-env.xml"] },
  ],
  off: [
    // Hyper-V of one's own.
    { sysVendor: "Microsoft Corporation", productName: "Virtual Machine" },
    { chassisAssetTag: "7783-7084-3265-9085-8269-3286-78" },
  ],
  answers,
  options: { guard },
  expected: {
    instanceId: "d0df4c54-4ecb-4a4b-9954-5bdf3ed5c3b8",
    hostname: "edge",
    publicKeys: [key],
    metaData: {
      ...{ region: "westeurope", "availability-zone": "1", "instance-type": "Standard_D2s_v5" },
      imds: { compute: { name: "edge", tagsList: [{ name: "role", value: "web" }] } },
    },
    networkConfig: null,
  },
  userData,
  malformed: {
    [newest]: {
      answer: JSON.stringify({ ...said, compute: { ...compute, userData: "#cloud-config" } }),
      fault: {
        code: "datasource/malformed",
        message: /extended=true: compute\.userData: base64 was expected/,
      },
    },
  },
});

t.test("a service that is not there yet is asked again", async (t) => {
  for (const status of [404, 410, 429, 500]) {
    const service = await fakeService(t, {
      [oldest]: first(1, { status }, answers[oldest] ?? ""),
      [newest]: first(1, { status }, answers[newest] ?? ""),
    });
    t.equal((await readFrom(azure, service)).instance.hostname, "edge", String(status));
  }
});

t.test("where the newest version is not known, an old one is asked for", async (t) => {
  const service = await fakeService(t, { ...answers, [newest]: { status: 400 } });
  const { instance } = await readFrom(azure, service);
  t.match(instance, { instanceId: compute.vmId.toLowerCase(), userData: null, hostname: null });
});

t.test("custom data goes before user data", async (t) => {
  const local = ovfEnv(`
    <wa:HostName>other</wa:HostName><wa:UserName>nixos</wa:UserName>
    <wa:CustomData>${encoded("#cloud-config\n# custom\n")}</wa:CustomData>`);
  const service = await fakeService(t, answers);
  const content = await readFrom(azure, service, { known: { local } });
  const given = content.secrets.get("user-data")?.reveal() ?? [];
  t.equal(Buffer.from(given).toString(), "#cloud-config\n# custom\n");
  t.equal(content.instance.hostname, "edge", "the name is the service's");
  t.match(content.findings, [
    { level: "note", message: "the user data is not used: the custom data comes first" },
  ]);
  t.match(content.instance.datasource.evidence.at(-1), /^\/dev\/sr0: ovf-env\.xml: \d+ bytes$/);

  const empty = await readFrom(azure, service, {
    known: { local: ovfEnv("<wa:CustomData></wa:CustomData>") },
  });
  t.equal(Buffer.from(empty.secrets.get("user-data")?.reveal() ?? []).toString(), userData);
  t.same(empty.findings, []);
  const broken = { local: ovfEnv("<wa:CustomData>#!</wa:CustomData>") };
  await t.rejects(readFrom(azure, service, { known: broken }), {
    code: "datasource/malformed",
    message: "/dev/sr0: ovf-env.xml: CustomData: base64 was expected, another text came",
  });
});

t.test(
  "custom data that is nowhere is missed; on a disc that cannot be read, it is a fault",
  async (t) => {
    const extended = { compute: { hasCustomData: true } };
    const service = await fakeService(t, changed({ extended }));
    const { findings } = await readFrom(azure, service);
    t.match(findings, [
      { level: "warning", message: /^the machine has custom data, but there is no/ },
    ]);
    const problem = new Fault("datasource/malformed", "/dev/sr0: broken");
    const place = "/dev/sr0: ovf-env.xml";
    const local = { place, bytes: undefined, problem };
    await t.rejects(readFrom(azure, service, { known: { local } }), {
      message: "/dev/sr0: broken",
    });
    const { instance } = await readFrom(azure, await fakeService(t, answers), { known: { local } });
    t.match(instance.datasource.evidence, /not readable: \/dev\/sr0: broken/);
  },
);

t.test("keys of the service, else of the disc; what is none of OpenSSH's is named", async (t) => {
  const ofDisc = `<wa:UserName>nixos</wa:UserName><wa:SSH><wa:PublicKeys>
    <wa:PublicKey><wa:Fingerprint>AB</wa:Fingerprint><wa:Value /></wa:PublicKey>
    <wa:PublicKey><wa:Fingerprint>CD</wa:Fingerprint><wa:Value>${key} disc</wa:Value></wa:PublicKey>
  </wa:PublicKeys></wa:SSH>`;
  const local = ovfEnv(ofDisc);
  const read = async (publicKeys: readonly object[]) => {
    const service = await fakeService(t, changed({}, { publicKeys }));
    const { instance, findings } = await readFrom(azure, service, { known: { local } });
    return { keys: instance.publicKeys, findings: findings.map(({ code }) => code) };
  };
  t.same(await read([{ keyData: key }]), { keys: [key], findings: [] });
  t.same(await read([]), { keys: [`${key} disc`], findings: [] });
  const lines = "ssh-rsa AAAAB3Nz\r\naC1yc2E= azure";
  t.same((await read([{ keyData: lines }])).keys, ["ssh-rsa AAAAB3NzaC1yc2E= azure"]);
  t.same(await read([{ keyData: "-----BEGIN CERTIFICATE-----\nMIIB" }]), {
    keys: [],
    findings: ["datasource/unused-value"],
  });
});

t.test("the account that Azure names, and its password, are named and not used", async (t) => {
  const osProfile = { adminUsername: "azureuser" };
  const service = await fakeService(t, changed({}, { osProfile }));
  const local = ovfEnv("<wa:HostName>disc</wa:HostName><wa:UserPassword>canary</wa:UserPassword>");
  const content = await readFrom(azure, service, { known: { local } });
  t.match(content.findings, [
    { level: "warning", message: "the password of the account that Azure names is not used" },
    { level: "note", message: /its keys are those of nixos$/ },
  ]);
  t.equal(content.instance.hostname, "disc");
  t.notMatch(JSON.stringify(content.instance) + JSON.stringify(content.findings), "canary");
  t.notOk([...content.secrets.values()].some((s) => Buffer.from(s.reveal()).includes("canary")));
});

t.test("several interfaces, and several addresses", async (t) => {
  const second = {
    ...nic("000D3A047599", "192.0.2.68"),
    ipv6: {
      ipAddress: [{ privateIpAddress: "2001:db8::4" }, { privateIpAddress: "2001:db8::5" }],
      subnet: [{ prefix: "64" }],
    },
  };
  const unused = { ...nic("000D3A04759A"), ipv6: {} };
  const service = await fakeService(
    t,
    changed({
      network: { interface: [nic("000D3A047598", "192.0.2.4", "192.0.2.5"), second, unused] },
    }),
  );
  const { network, findings } = await networkOf(azure, service);
  t.same(network, {
    ethernets: {
      eth0: {
        match: { mac: "00:0d:3a:04:75:98", driver: "hv_netvsc" },
        ...{ dhcp4: true, dhcp6: false, dhcpMetric: 100, optional: false },
        addresses: ["192.0.2.5/26"],
      },
      eth1: {
        match: { mac: "00:0d:3a:04:75:99", driver: "hv_netvsc" },
        ...{ dhcp4: true, dhcp6: true, dhcpMetric: 200, optional: true },
        ...{ dhcp4Overrides: { useDns: false }, dhcp6Overrides: { useDns: false } },
        addresses: ["2001:db8::5/64"],
      },
    },
  });
  t.same(findings, []);
  const one = changed({ network: { interface: [nic("000D3A047598", "192.0.2.4", "192.0.2.5")] } });
  t.same((await networkOf(azure, await fakeService(t, one))).findings, []);
});

const goalState = "/machine/?comp=goalstate";
const health = "/machine?comp=health";
const state = `<?xml version="1.0" encoding="utf-8"?>
<GoalState xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><Version>2012-11-30</Version>
  <Incarnation>7</Incarnation>
  <Machine><ExpectedState>Started</ExpectedState></Machine>
  <Container><ContainerId>c-1&amp;2</ContainerId><RoleInstanceList><RoleInstance>
    <InstanceId>i-1._edge</InstanceId><State>Started</State>
    <Configuration><Certificates>http://168.63.129.16/certificates</Certificates></Configuration>
  </RoleInstance></RoleInstanceList></Container>
</GoalState>`;

/** A wireserver that takes reports. */
async function wireserver(
  t: { teardown(end: () => void): void },
  others: Readonly<Record<string, FakeAnswer>> = {},
) {
  const reports: { readonly headers: Record<string, unknown>; readonly body: string }[] = [];
  const service = await fakeService(t, {
    [goalState]: state,
    [health](request, response) {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        reports.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
        response.end();
      });
    },
    ...others,
  });
  const tell = (problem?: string) =>
    crawlCloud(azure, {
      ...{ task: "ready", addresses: [service.url], budgetMs: 10_000 },
      ...(problem === undefined ? {} : { problem }),
    });
  return { ...service, reports, tell };
}

t.test("the wireserver is told that the machine is up", async (t) => {
  const { reports, requests, tell } = await wireserver(t);
  await tell();
  t.same(requests, [`GET ${goalState}`, `GET ${goalState}`, `POST ${health}`]);
  t.match(reports, [
    {
      headers: {
        "x-ms-version": "2012-11-30",
        "x-ms-agent-name": "firstlight",
        "content-type": /^text\/xml/,
      },
      body: /<GoalStateIncarnation>7<\/GoalStateIncarnation>\s*<Container><ContainerId>c-1&amp;2<\/ContainerId><RoleInstanceList><Role>\s*<InstanceId>i-1\._edge<\/InstanceId><Health><State>Ready<\/State>/,
    },
  ]);
});

t.test("or why it will not be, in a text that Azure takes", async (t) => {
  const { reports, tell } = await wireserver(t);
  await tell(`a <b> & \u0007\u001b[31m${"🙂".repeat(600)}`);
  const [, details = ""] =
    /<State>NotReady<\/State><Details>(.*)<\/Details><\/Health>/s.exec(reports[0]?.body ?? "") ??
    [];
  t.equal(
    details,
    `<SubStatus>ProvisioningFailed</SubStatus><Description>a &lt;b&gt; &amp; ${"🙂".repeat(504)}</Description>`,
  );
});

t.test(
  "a report is said again while the wireserver is busy, and a wrong goal is none",
  async (t) => {
    const busy = await wireserver(t, {
      [goalState]: first(2, { status: 503, headers: { "retry-after": "0" } }, state),
      [health]: first(1, { status: 500 }, ""),
    });
    await busy.tell();
    t.equal(busy.requests.filter((request) => request === `POST ${health}`).length, 2);
    for (const answer of ["no XML", state.replace(/<InstanceId>.*<\/InstanceId>/, "")]) {
      const { tell, requests } = await wireserver(t, { [goalState]: answer });
      await t.rejects(tell(), { code: "datasource/malformed", message: /expected XML with/ });
      t.notOk(requests.some((request) => request.startsWith("POST")));
    }
    const deaf = await wireserver(t, { [health]: { status: 404 } });
    await t.rejects(deaf.tell(), { code: "datasource/unreachable", message: /answered with 404/ });
  },
);
