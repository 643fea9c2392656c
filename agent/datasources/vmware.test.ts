import path from "node:path";
import { gzipSync } from "node:zlib";
import t from "tap";
import { type FakeIo, type FakeProgram, fakeIo } from "#core/fake-io.ts";
import { silentLog } from "#core/log.ts";
import { discover } from "./discover.ts";
import { writeTree } from "./images/make-images.ts";
import { readFrom, tools } from "./try-drive.ts";
import { vmware } from "./vmware.ts";

const userData = "#cloud-config\ntimezone: UTC\n";
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJlbmNo alice";
const uuid = "564D8D3A-1111-2222-3333-444455556666";
const base64 = (text: string) => Buffer.from(text).toString("base64");
const packed = (text: string) => gzipSync(text).toString("base64");
const metadata = `instance-id: i-7\nlocal-hostname: edge-7\npublic-keys-data: "${key}"\nnetwork:\n  version: 2\n`;
const said = {
  metadata: base64(metadata),
  "metadata.encoding": "base64",
  userdata: packed(userData),
  "userdata.encoding": "gzip+base64",
  vendordata: "---",
};
const firmware = {
  "sys/class/dmi/id/product_name": "VMware7,1\n",
  "sys/class/dmi/id/product_uuid": `${uuid}\n`,
};

/** The hypervisor behind vmware-rpctool. */
function answering(values: Readonly<Record<string, string>>): FakeProgram {
  return ({ args }) => {
    const value = values[args.at(-1)?.replace("info-get guestinfo.", "") ?? ""];
    return value === undefined ? { code: 1, stderr: "No value found\n" } : { stdout: `${value}\n` };
  };
}

function guest(
  t: { testdir(): string },
  programs: Readonly<Record<string, FakeProgram>>,
  files: Readonly<Record<string, string>> = firmware,
): FakeIo {
  const tools = Object.keys(programs).map((name) => [`run/current-system/sw/bin/${name}`, ""]);
  const tree = { ...files, ...Object.fromEntries(tools) };
  return fakeIo(writeTree(path.join(t.testdir(), "root"), tree), programs);
}

t.test("VMware: told by the firmware and a program that asks, and by nothing else", async (t) => {
  const program = { "vmware-rpctool": answering(said) };
  t.match(vmware.detect(guest(t, program)), { tentative: true, identity: "guestinfo" });
  t.equal(vmware.detect(guest(t, {})), undefined, "nobody to ask");
  for (const files of [{}, { "sys/class/dmi/id/product_name": "VirtualBox\n" }])
    t.equal(vmware.detect(guest(t, program, files)), undefined);
  const inside = { ...firmware, "run/systemd/container": "lxc\n" };
  t.equal(vmware.detect(guest(t, program, inside)), undefined, "another machine's firmware");
  for (const environment of [
    "VMX_GUESTINFO_USERDATA=x",
    "VMX_GUESTINFO=1\0VMX_GUESTINFO_USERDATA=---",
  ])
    t.equal(vmware.detect(guest(t, {}, { "proc/1/environ": environment })), undefined);
});

t.test("VMware: what it says", async (t) => {
  const expected = {
    ...{ instanceId: "i-7", hostname: "edge-7", publicKeys: [key], vendorData: null },
    networkConfig: { secretRef: "network-config" },
  };
  const variables = Object.entries(said).map(
    ([name, value]) => `VMX_GUESTINFO_${name.toUpperCase().replace(".", "_")}=${value}\0`,
  );
  const environ = `VMX_GUESTINFO=1\0${variables.join("")}`;
  const asked: Record<string, readonly (string | undefined)[]> = {};
  const machines = {
    rpctool: () => guest(t, { "vmware-rpctool": answering(said) }),
    vmtoolsd: () => guest(t, { vmtoolsd: answering(said) }),
    container: () => guest(t, {}, { "proc/1/environ": environ }),
  };
  for (const [name, machine] of Object.entries(machines)) {
    const io = machine();
    const { instance, secrets, findings } = await readFrom(vmware, io);
    t.match(instance, expected);
    t.equal(Buffer.from(secrets.get("user-data")?.reveal() ?? []).toString(), userData);
    t.equal(Buffer.from(secrets.get("network-config")?.reveal() ?? []).toString(), '{"version":2}');
    t.same(findings, []);
    asked[name] = io.executed.map(({ args }) => args[0]);
  }
  const keys = ["metadata", "metadata.encoding", "userdata", "userdata.encoding", "vendordata"];
  t.same(asked, {
    rpctool: keys.map((each) => `info-get guestinfo.${each}`),
    vmtoolsd: keys.map(() => "--cmd"),
    container: [],
  });
});

t.test("VMware: what is not said, and what is not done", async (t) => {
  const io = guest(t, { "vmware-rpctool": answering({ metadata: '{"redact": ["userdata"]}' }) });
  const { instance, findings } = await readFrom(vmware, io);
  t.match(instance, { instanceId: uuid.toLowerCase(), hostname: null, userData: null });
  t.match(findings, [{ code: "datasource/not-read", path: "redact" }]);
  const text = { network: packed("version: 2\n"), "network.encoding": "gz+b64" };
  const encoded = guest(t, { vmtoolsd: answering({ metadata: JSON.stringify(text) }) });
  const { secrets } = await readFrom(vmware, encoded);
  t.equal(Buffer.from(secrets.get("network-config")?.reveal() ?? []).toString(), "version: 2\n");
});

t.test("VMware: a hypervisor that says nothing is none, a dead one is asked again", async (t) => {
  const options = { datasources: ["VMware"], log: silentLog, tools };
  const nothing = guest(t, { "vmware-rpctool": answering({}) });
  await t.rejects(discover(nothing, options), { code: "datasource/none" });
  let isDead = true;
  const dying: FakeProgram = (request) =>
    isDead ? { code: null, timedOut: true } : answering(said)(request);
  const io = guest(t, { "vmware-rpctool": dying });
  await t.rejects(discover(io, options), {
    code: "datasource/unreachable",
    message: "guestinfo.metadata: vmware-rpctool: said nothing within 10000 ms",
  });
  isDead = false;
  t.match(await discover(io, options), { content: { instance: { instanceId: "i-7" } } });
  const early = discover(io, { datasources: ["VMware"], log: silentLog });
  await t.rejects(early, { code: "datasource/none", message: /read by the boot itself/ });
});

t.test("VMware: malformed", async (t) => {
  const wrong: Readonly<Record<string, readonly [Record<string, string>, RegExp]>> = {
    "no YAML": [{ metadata: "a: [" }, /^guestinfo: meta-data is no YAML/],
    "no base64": [{ ...said, metadata: "é" }, /^guestinfo\.metadata: base64/],
    "no gzip": [{ ...said, userdata: base64("x") }, /^guestinfo\.userdata: gzip/],
    "too much": [
      { ...said, userdata: packed("x".repeat(17 * 2 ** 20)) },
      /^guestinfo\.userdata: gzip/,
    ],
    "a network that is a list": [{ metadata: "network: [1]" }, /metadata: network: a mapping/],
  };
  for (const [what, [values, message]] of Object.entries(wrong)) {
    const io = guest(t, { "vmware-rpctool": answering(values) });
    await t.rejects(readFrom(vmware, io), { code: "datasource/malformed", message }, what);
  }
});
