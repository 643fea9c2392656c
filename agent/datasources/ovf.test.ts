import path from "node:path";
import t from "tap";
import { type FakeProgram, fakeIo } from "#core/fake-io.ts";
import { fc } from "#core/fast-check.ts";
import { isFault } from "#core/fault.ts";
import { silentLog } from "#core/log.ts";
import { discover } from "./discover.ts";
import { addDisk, addSeedDirectory } from "./fake-machine.ts";
import { makeIso, needs, writeTree } from "./images/make-images.ts";
import { ovf } from "./ovf.ts";
import { readOvfEnvironment } from "./ovf-environment.ts";
import { readFrom, tools, tryDrive } from "./try-drive.ts";
import { escapeXml } from "./xml.ts";

const userData = "#cloud-config\ntimezone: UTC\n# <it's> & more\n";
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJlbmNo alice";
const encode = (text: string) => Buffer.from(text).toString("base64");
const network = "network:\n  version: 2\n  ethernets:\n    eth0:\n      dhcp4: true\n";
const properties = {
  ...{ "instance-id": "i-7", hostname: "edge-7", "public-keys": key },
  ...{ "user-data": encode(userData), "network-config": encode(network) },
};

/** A document as vSphere writes it. */
function environment(values: Readonly<Record<string, string>>): string {
  const quoted = (text: string) =>
    escapeXml(text).replaceAll('"', "&quot;").replaceAll("\n", "&#10;");
  const written = Object.entries(values).map(
    ([name, value]) => `<Property oe:key="${name}" oe:value="${quoted(value)}"/>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<Environment xmlns="http://schemas.dmtf.org/ovf/environment/1"
    xmlns:oe="http://schemas.dmtf.org/ovf/environment/1" oe:id="">
  <PlatformSection><Kind>VMware ESXi</Kind></PlatformSection>
  <PropertySection>${written.join("\n")}</PropertySection>
</Environment>`;
}

const tree = { "ovf-env.xml": environment(properties) };
const disc = { label: "OVF ENV", type: "iso9660" } as const;
const azure = "<Environment><ProvisioningSection/></Environment>";

tryDrive(t, {
  datasource: ovf,
  tree,
  on: [
    disc,
    { ...disc, label: "OVF-TRANSPORT" },
    { ...disc, label: "DATA", tree: { ...tree, "OTHER.TXT": "" } },
  ],
  off: [
    { ...disc, label: "cidata" },
    { ...disc, label: "DATA", tree: { "ovf-env.xml": azure } },
    { ...disc, label: "DATA", tree: { "other.xml": environment({}) } },
    { ...disc, label: "DATA", name: "vdb" },
  ],
  expected: {
    ...{ instanceId: "i-7", hostname: "edge-7", publicKeys: [key] },
    networkConfig: { secretRef: "network-config" },
  },
  userData,
  malformed: {
    "no document": {
      tree: { "README.TXT": "" },
      code: "datasource/missing",
      message: /^\/dev\/sr0: ovf-env\.xml was expected, there is none$/,
    },
    "no XML": {
      tree: { "ovf-env.xml": "<Environment>" },
      code: "datasource/malformed",
      message: /^\/dev\/sr0: ovf-env\.xml: XML was expected/,
    },
    "no properties": {
      tree: { "ovf-env.xml": azure },
      code: "datasource/malformed",
      message: /an Environment with a PropertySection was expected/,
    },
    "a network that is no base64": {
      tree: { "ovf-env.xml": environment({ "network-config": "é" }) },
      code: "datasource/malformed",
      message: /network-config: base64 was expected/,
    },
  },
});

/** A guest of VMware with this program. */
function guest(
  t: { testdir(): string },
  rpctool: FakeProgram,
  others: Record<string, FakeProgram> = {},
) {
  const root = writeTree(path.join(t.testdir(), "root"), {
    ...{
      "sys/class/dmi/id/sys_vendor": "VMware, Inc.\n",
      "sys/class/dmi/id/product_name": "VMware7,1\n",
    },
    ...{ "usr/bin/vmware-rpctool": "", "usr/bin/vmtoolsd": "" },
  });
  const programs = { "vmware-rpctool": rpctool, ...others };
  return { root, io: fakeIo(root, programs) };
}

t.test("guestinfo of VMware is asked by its program, and by the other one", async (t) => {
  const { io } = guest(t, () => ({ stdout: `${environment(properties)}\n` }));
  const { instance } = await readFrom(ovf, io);
  t.match(instance, {
    ...{ instanceId: "i-7", hostname: "edge-7" },
    datasource: { place: "guestinfo.ovfEnv", identity: "guestinfo" },
  });
  t.match(io.executed, [{ args: ["info-get guestinfo.ovfEnv"], timeoutMs: 10_000 }]);
  const second = guest(t, () => ({ code: null, timedOut: true }), {
    vmtoolsd: () => ({ stdout: environment({ "instance-id": "i-8" }) }),
  });
  t.equal((await readFrom(ovf, second.io)).instance.instanceId, "i-8");
  t.match(second.io.executed[1]?.args, ["--cmd", "info-get guestinfo.ovfEnv"]);
});

t.test(
  "a hypervisor that says nothing leaves the machine to others, a dead one does not",
  async (t) => {
    const nothing = () => ({ code: 1, stderr: "No value found\n" });
    const { io, root } = guest(t, nothing);
    const options = { datasources: ["OVF"], log: silentLog, tools };
    await t.rejects(discover(io, options), {
      code: "datasource/none",
      message:
        /OVF \(guest of VMware with vmware-rpctool; guestinfo\.ovfEnv: the hypervisor says nothing\)/,
    });
    addSeedDirectory(root, tree, "ovf");
    t.match((await readFrom(ovf, io)).instance.datasource, {
      place: "directory /var/lib/cloud/seed/ovf",
    });
    const dead = () => ({ code: 2, stderr: "broken" });
    await t.rejects(discover(guest(t, dead, { vmtoolsd: dead }).io, options), {
      code: "datasource/unreachable",
      message: "guestinfo.ovfEnv: vmware-rpctool: ended with 2; vmtoolsd: ended with 2",
    });
    const garbage = guest(t, () => ({ stdout: "canary" }));
    await t.rejects(discover(garbage.io, options), { code: "datasource/malformed" });
  },
);

t.test("the place that a node is pinned to is asked, whatever else has appeared", async (t) => {
  let said: string | undefined = environment({ "instance-id": "i-guestinfo" });
  const answer = () =>
    said === undefined ? { code: 1, stderr: "No value found\n" } : { stdout: said };
  const { io, root } = guest(t, answer);
  const look = async (identity: string) => {
    const pinned = { datasource: "OVF", identity, yieldsTo: () => false };
    const options = { datasources: ["OVF"], log: silentLog, tools, pinned };
    const found = await discover(io, options);
    if (found.kind !== "found") throw new Error("expected a datasource");
    const { instance, findings } = found.content;
    const told = findings.filter(({ code }) => code === "datasource/several");
    return [instance.instanceId, instance.datasource.identity, ...told.map((each) => each.message)];
  };
  t.same(await look("guestinfo"), ["i-guestinfo", "guestinfo"]);
  addSeedDirectory(root, { "ovf-env.xml": environment({ "instance-id": "i-seed" }) }, "ovf");
  const seed = "directory /var/lib/cloud/seed/ovf";
  t.same(await look("guestinfo"), [
    ...["i-guestinfo", "guestinfo", "not read: guestinfo.ovfEnv comes first"],
  ]);
  t.same(await look(seed), ["i-seed", seed]);
  said = undefined;
  t.same(await look("guestinfo"), ["i-seed", seed], "where it is gone the next is to be held");
});

t.test(
  "a disc that a node is pinned to is read, not guestinfo or a directory",
  needs("genisoimage"),
  async (t) => {
    const { io, root } = guest(t, () => ({
      stdout: environment({ "instance-id": "i-guestinfo" }),
    }));
    const image = makeIso(path.join(root, "image"), writeTree(path.join(root, "tree"), tree), {
      ...{ label: "OVF ENV", program: "genisoimage -J -r" },
    });
    addDisk(root, "sr0", { image, attributes: { serial: "OWN\n" } });
    const pinned = { datasource: "OVF", identity: "disk serial OWN", yieldsTo: () => false };
    const look = () => discover(io, { datasources: ["OVF"], log: silentLog, tools, pinned });
    const own = { instanceId: "i-7", datasource: { identity: pinned.identity } };
    t.match(await look(), { content: { instance: own } });
    addSeedDirectory(root, tree, "ovf");
    const document = "directory /var/lib/cloud/seed/ovf";
    const told = { document, level: "note", code: "datasource/several" };
    t.match(await look(), { content: { instance: own, findings: [told] } });
    t.same(io.executed, [], "the hypervisor is not asked");
  },
);

t.test("a seed that the environment names stands for its documents", async (t) => {
  const root = t.testdir();
  const values = {
    "instance-id": "i-7",
    seedfrom: "/seed/",
    password: "canary",
    "vami.ip0": "192.0.2.7",
  };
  addSeedDirectory(root, { "ovf-env.xml": environment(values) }, "ovf");
  writeTree(path.join(root, "seed"), {
    ...{ "meta-data": "instance-id: no\nlocal-hostname: seeded\n", "user-data": userData },
  });
  const { instance, secrets, findings } = await readFrom(ovf, fakeIo(root));
  t.match(instance, { instanceId: "i-7", hostname: "seeded" });
  t.equal(Buffer.from(secrets.get("user-data")?.reveal() ?? []).toString(), userData);
  t.same(
    findings.map(({ code }) => code),
    ["datasource/unused-value", "datasource/not-read"],
  );
  t.notMatch(JSON.stringify([instance, findings]), /canary/);
});

t.test(
  "whatever a property holds is read as it is, and whatever comes is read or refused",
  async (t) => {
    const word = fc.string({ maxLength: 20 }).filter((text) => !/[\t\r\n]/.test(text));
    fc.assert(
      fc.property(word, (hostname) => {
        const bytes = Buffer.from(environment({ hostname }));
        const { metaData } = readOvfEnvironment(bytes, "here");
        t.equal(metaData["local-hostname"] ?? "", hostname);
      }),
      { numRuns: 50 },
    );
    const whole = environment(properties);
    fc.assert(
      fc.property(fc.nat(whole.length), fc.string({ maxLength: 3 }), (at, more) => {
        const bytes = Buffer.from(whole.slice(0, at) + more + whole.slice(at + more.length));
        try {
          readOvfEnvironment(bytes, "here");
        } catch (error) {
          if (!isFault(error, "datasource/malformed")) throw error;
        }
      }),
    );
  },
);

t.test("a disc of Azure's machines is Azure's", async (t) => {
  const root = writeTree(t.testdir(), {
    "sys/class/dmi/id/chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77\n",
  });
  addSeedDirectory(root, tree, "ovf");
  t.equal(ovf.detect(fakeIo(root)), undefined);
});
