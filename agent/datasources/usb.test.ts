import path from "node:path";
import t, { type Test } from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { silentLog } from "#core/log.ts";
import { discover } from "./discover.ts";
import { addDisk, addSeedDirectory } from "./fake-machine.ts";
import { givenSecrets } from "./given-secrets.ts";
import { makeFat, makeIso, needs, type Tree, writeTree } from "./images/make-images.ts";

const tools = needs("xorriso", "mkfs.vfat", "mcopy");
const envelope = "age-encryption.org/v1\n-> X25519 x\n";
const armour = "-----BEGIN AGE ENCRYPTED FILE-----\n";
const usbPlace = "pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/host6/target6:0:0/6:0:0:0/block/sda";

function machine(t: Test, tree: Tree, kind: "fat" | "iso" = "fat") {
  const scratch = t.testdir();
  const root = path.join(scratch, "root");
  writeTree(root, { "etc/machine-id": "0123456789abcdef0123456789abcdef\n" });
  const image = path.join(scratch, "stick.img");
  const label = "FIRSTLIGHT";
  if (kind === "fat") makeFat(image, tree, { label, bytes: 8 * 1024 * 1024 });
  else makeIso(image, writeTree(path.join(scratch, "tree"), tree), { label });
  addDisk(root, "sda", { image, device: usbPlace, attributes: { removable: "1\n" } });
  return root;
}

async function read(root: string) {
  const found = await discover(fakeIo(root), { datasources: undefined, log: silentLog });
  if (found.kind === "disabled") throw new Error("it is not switched off");
  const { content } = found;
  const text = (name: string | undefined) =>
    Buffer.from(content.secrets.get(name ?? "")?.reveal() ?? []).toString();
  return {
    ...content,
    text: text(content.instance.userData?.secretRef),
    network: text(content.instance.networkConfig?.secretRef),
    given: Object.fromEntries(
      [...givenSecrets(content)].map(([name, secret]) => [
        name,
        Buffer.from(secret.reveal()).toString(),
      ]),
    ),
    told: content.findings.map(({ code, document }) => `${code} ${document}`),
  };
}

for (const kind of ["fat", "iso"] as const) {
  t.test(`a stick says spec, network and secrets: ${kind}`, tools, async (t) => {
    const root = machine(
      t,
      {
        "spec.yaml": "hostname: edge-1\n",
        "meta-data": "instance-id: i-1\n",
        "network-config": "version: 2\n",
        "secrets/wifi-home.age": envelope,
        "secrets/token.age": armour,
        "secrets/.hidden": "x",
        "secrets/open": "plain",
      },
      kind,
    );
    const found = await read(root);
    t.match(found, {
      instance: {
        instanceId: "i-1",
        datasource: { name: "usb", place: "disk /dev/sda", removable: true },
      },
      userData: { document: "spec.yaml", format: "firstlight" },
      text: "hostname: edge-1\n",
      network: "version: 2\n",
    });
    t.same(found.given, { open: "plain", token: armour, "wifi-home": envelope });
    t.same(found.told, ["secret/unsealed secrets/open"]);
    t.match(found.instance.datasource.evidence.at(-1), /spec\.yaml \(17 bytes\).*secrets: 3/);
  });
}

t.test("a sealed document counts before a plain one, and both are told", tools, async (t) => {
  const root = machine(t, {
    "spec.yaml.age": envelope,
    "user-data": "#cloud-config\n",
    "secrets/token": "plain",
    "secrets/token.age": armour,
  });
  const found = await read(root);
  t.match(found, {
    text: envelope,
    userData: { document: "spec.yaml.age" },
    given: { token: armour },
  });
  t.same(found.told, ["datasource/several user-data", "datasource/several secrets/token"]);
  t.match(found.instance.instanceId, /^iid-/);
});

t.test(
  "the stick that a node is pinned to is read, whatever else is plugged in",
  tools,
  async (t) => {
    const root = t.testdir();
    for (const name of ["sda", "sdb"]) {
      const tree = { "spec.yaml": `hostname: ${name}\n` };
      const options = { label: "FIRSTLIGHT", bytes: 8 * 1024 * 1024 };
      const image = makeFat(path.join(root, name), tree, options);
      addDisk(root, name, { image, attributes: { wwid: `A${name === "sda" ? " + B" : ""}\n` } });
    }
    const look = async (identity: string) => {
      const pinned = { datasource: "usb", identity, yieldsTo: () => false };
      const options = { datasources: undefined, log: silentLog, pinned };
      const found = await discover(fakeIo(root), options);
      if (found.kind !== "found") throw new Error("expected a datasource");
      const { instance, findings } = found.content;
      const told = findings.filter(({ code }) => code === "datasource/several");
      return [instance.datasource.place, ...told.map(({ document }) => document)];
    };
    t.same(await look("disk wwid A + B"), ["disk /dev/sda", "disk /dev/sdb"]);
    t.same(await look("disk wwid gone"), ["disk /dev/sdb", "disk /dev/sda"]);
  },
);

t.test("what lies on a stick under a wrong name, or is too large, is told", tools, async (t) => {
  const root = machine(t, {
    "user-data.age": "#cloud-config\n",
    "secrets/-x.age": envelope,
    "secrets/large.age": Buffer.alloc(2_200_000, "x"),
  });
  const found = await read(root);
  t.match(found, { given: {} });
  t.match(found.told, [
    "secret/unsealed user-data.age",
    "datasource/unusable secrets/-x.age",
    "secret/too-large secrets/large.age",
  ]);
});

t.test(
  "a stick without a document is broken; one that another comes before is told",
  tools,
  async (t) => {
    const root = machine(t, { "spec.yml": "hostname: a\n" });
    await t.rejects(read(root), {
      code: "datasource/missing",
      message: /spec\.yaml or user-data was expected, there is "spec\.yml"/,
    });
    addSeedDirectory(root, { "meta-data": "instance-id: i-2\n", "user-data": "#cloud-config\n" });
    t.match(await read(root), {
      instance: { instanceId: "i-2" },
      told: ["datasource/several usb"],
    });
  },
);
