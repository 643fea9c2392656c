import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { findOvfEnv, keepOvfEnv, readOvfEnv } from "./azure-ovf-env.ts";
import { addDisk, addSeedDirectory } from "./fake-machine.ts";
import { makeIso, makeUdf, needs, writeTree } from "./images/make-images.ts";

const tools = needs("genisoimage");
const uuid = "d0df4c54-4ecb-4a4b-9954-5bdf3ed5c3b8";
const keptDirectory = "var/lib/firstlight/azure";
const customData = "#cloud-config\n# canary & <more>\n";

function document(hostname: string): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<Environment xmlns="http://schemas.dmtf.org/ovf/environment/1" xmlns:wa="http://schemas.microsoft.com/windowsazure">
  <wa:ProvisioningSection><wa:Version>1.0</wa:Version><wa:LinuxProvisioningConfigurationSet>
    <wa:HostName>${hostname}</wa:HostName><wa:UserName>admin</wa:UserName>
    <wa:UserPassword><![CDATA[hunt<er2>]]></wa:UserPassword>
    <wa:CustomData>${Buffer.from(customData).toString("base64")}</wa:CustomData>
    <wa:SSH><wa:PublicKeys><wa:PublicKey><wa:Value>ssh-rsa AAAA</wa:Value></wa:PublicKey></wa:PublicKeys></wa:SSH>
  </wa:LinuxProvisioningConfigurationSet></wa:ProvisioningSection>
</Environment>`;
}

/** The disc of a provisioning. */
function makeDisc(scratch: string, hostname: string): string {
  const tree = { "ovf-env.xml": document(hostname), "README.txt": "" };
  return makeUdf(`${scratch}.iso`, writeTree(scratch, tree));
}

function machine(t: { testdir(): string }, productUuid = uuid.toUpperCase()) {
  const scratch = t.testdir();
  const root = path.join(scratch, "root");
  writeTree(path.join(root, "sys/class/dmi/id"), { product_uuid: `${productUuid}\n` });
  const { files } = fakeIo(root);
  return { root, files, scratch };
}

t.test("the disc of the provisioning is read, and a seed goes before it", tools, async (t) => {
  const { root, files, scratch } = machine(t);
  t.same(findOvfEnv(files).bytes, undefined);
  addDisk(root, "sr0", { image: makeDisc(path.join(scratch, "disc"), "disc") });
  const found = findOvfEnv(files);
  t.equal(found.place, "/dev/sr0: ovf-env.xml");
  t.match(readOvfEnv(found), {
    ...{ hostname: "disc", userName: "admin", hasPassword: true, publicKeys: ["ssh-rsa AAAA"] },
    customData: Buffer.from(customData),
  });
  addSeedDirectory(root, { "ovf-env.xml": document("seed") }, "azure");
  t.equal(readOvfEnv(findOvfEnv(files))?.hostname, "seed");
});

t.test("a disc that is someone else's is none, and a broken one says so", tools, async (t) => {
  const { root, files, scratch } = machine(t);
  const image = makeDisc(path.join(scratch, "disc"), "disc");
  const bytes = readFileSync(image);
  bytes.fill(0, 256 * 2048, 257 * 2048);
  const broken = path.join(scratch, "broken.iso");
  writeFileSync(broken, bytes);
  addDisk(root, "sr0", { image: broken });
  t.match(findOvfEnv(files), {
    bytes: undefined,
    problem: { code: "datasource/malformed", message: /^\/dev\/sr0: anchor: there is no such/ },
  });
  const other = writeTree(path.join(scratch, "other"), { "ovf-env.xml": "<Environment/>" });
  addDisk(root, "sr0", { image: makeIso(path.join(scratch, "other.iso"), other) });
  t.match(findOvfEnv(files), { bytes: undefined, problem: undefined });
});

t.test(
  "what the disc said is kept, without the password, for this machine alone",
  tools,
  async (t) => {
    const { root, files, scratch } = machine(t);
    const kept = `/${keptDirectory}/ovf-env-${uuid}.xml`;
    keepOvfEnv(files);
    t.equal(files.stat(kept), undefined, "nothing to keep");
    writeTree(path.join(root, keptDirectory), { "ovf-env-other.xml": "stale" });
    addDisk(root, "sr0", { image: makeDisc(path.join(scratch, "disc"), "disc") });
    const said = readOvfEnv(findOvfEnv(files));
    keepOvfEnv(files);
    t.same(files.list(`/${keptDirectory}`), [`ovf-env-${uuid}.xml`], "another machine's is gone");
    t.equal((files.stat(kept)?.mode ?? 0) & 0o777, 0o600);
    t.notMatch(files.readText(kept), "er2");

    const empty = Buffer.alloc(64 * 1024);
    writeFileSync(path.join(root, "dev/sr0"), empty);
    const found = findOvfEnv(files);
    t.equal(found.place, kept, "the disc is gone");
    t.same(readOvfEnv(found), said, "and the same is said, also that there is a password");
    const before = files.readText(kept);
    keepOvfEnv(files);
    t.equal(files.readText(kept), before);

    writeTree(path.join(root, "sys/class/dmi/id"), { product_uuid: `${uuid.replace("d", "e")}\n` });
    t.equal(findOvfEnv(files).bytes, undefined, "a copy of the disk in another machine");
  },
);
