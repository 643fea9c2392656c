import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { formatFinding } from "#core/finding.ts";
import { hostClock } from "#core/host-io.ts";
import { silentLog } from "#core/log.ts";
import { httpCourier } from "#provisioner/system/fetch/http-courier.ts";
import { readFile } from "../fetch-sources.ts";
import type { DatasourceContent, ReadTools } from "./datasource.ts";
import { discover, type PinnedDatasource } from "./discover.ts";
import { addDisk, addSeedDirectory, setKernelCommandLine } from "./fake-machine.ts";
import { makeFat, makeIso, needs, run, type Tree, writeTree } from "./images/make-images.ts";
import { fakeService, first } from "./metadata/fake-service.ts";
import { noCloud } from "./nocloud.ts";

const tools = needs("xorriso", "genisoimage", "mkfs.vfat", "mcopy");
const seed: Tree = {
  "meta-data": "instance-id: i-1\nlocal-hostname: node-7\n",
  "user-data": "#cloud-config\n",
};

async function read(root: string, network?: ReadTools): Promise<DatasourceContent> {
  const io = fakeIo(root);
  const detection = noCloud.detect(io);
  if (detection === undefined) throw new Error("not detected");
  return noCloud.read(io, detection, network);
}

/** A network that is up. */
const network: ReadTools = {
  budgetMs: 1_000,
  defaultUser: "nixos",
  fetch: (url, maxBytes, refused) =>
    readFile(url, maxBytes, { clock: hostClock, courier: httpCourier, timeoutMs: 3_000, refused }),
};

function document(content: DatasourceContent, name: string): string | undefined {
  const bytes = content.secrets.get(name)?.reveal();
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

/** A directory for a machine, and one beside it for images. */
function machine(t: { testdir(): string }): {
  root: string;
  iso(name: string, tree: Tree, label?: string): string;
  fat(name: string, tree: Tree, label?: string): string;
} {
  const scratch = t.testdir();
  return {
    root: path.join(scratch, "root"),
    iso: (name, tree, label = "cidata") => {
      const source = writeTree(path.join(scratch, `${name}.tree`), tree);
      return makeIso(path.join(scratch, name), source, { label });
    },
    fat: (name, tree, label = "CIDATA") => makeFat(path.join(scratch, name), tree, { label }),
  };
}

t.test("a machine without a seed is not on NoCloud", async (t) => {
  t.equal(noCloud.detect(fakeIo(t.testdir())), undefined);
  const root = t.testdir({ var: { lib: { cloud: { seed: { nocloud: {} } } } } });
  addDisk(root, "vda");
  setKernelCommandLine(root, "root=/dev/vda1 ds=ec2");
  const observed: string[] = [];
  t.equal(
    noCloud.detect(fakeIo(root), (observation) => observed.push(observation)),
    undefined,
  );
  t.strictSame(observed, ["/dev/vda: neither ISO 9660 nor FAT"]);
});

t.test("a disk has the label that cloud-init's settings say", tools, async (t) => {
  const { root, iso } = machine(t);
  addDisk(root, "vdb", { image: iso("b", seed, "SITE_SEED") });
  addDisk(root, "vdc", { image: iso("c", seed) });
  const found = (label: string) => {
    writeTree(path.join(root, "etc/cloud/cloud.cfg.d"), {
      "90.cfg": `datasource:\n  NoCloud:\n    fs_label: ${label}\n`,
      "91.cfg": "# fs_label: other\n",
    });
    return noCloud.detect(fakeIo(root))?.place;
  };
  t.equal(noCloud.detect(fakeIo(root))?.place, "disk /dev/vdc");
  for (const label of ["SITE_SEED", "site_seed"]) t.equal(found(label), "disk /dev/vdb", label);
  t.equal(found("another"), undefined);
  for (const none of ["null", "''"]) t.equal(found(none), undefined, "no disk at all");
  for (const wrong of ["[x]", "true", "{"])
    t.equal(found(wrong), "disk /dev/vdc", `${wrong}: as ever`);
});

t.test("a seed directory is read", async (t) => {
  for (const name of ["nocloud", "nocloud-net"]) {
    const root = path.join(t.testdir(), name);
    addSeedDirectory(root, { ...seed, "vendor-data": "v", "network-config": "version: 2\n" }, name);
    const content = await read(root);
    t.match(content.instance, {
      instanceId: "i-1",
      hostname: "node-7",
      datasource: {
        name: "NoCloud",
        place: `seed directory /var/lib/cloud/seed/${name}`,
        identity: `directory /var/lib/cloud/seed/${name}`,
        removable: false,
      },
    });
    t.equal(document(content, "user-data"), "#cloud-config\n");
    t.equal(document(content, "vendor-data"), "v");
    t.equal(document(content, "network-config"), "version: 2\n");
    t.strictSame(content.findings, []);
  }
});

t.test(
  "a disk with each label that cloud-init accepts is read, others are not",
  tools,
  async (t) => {
    const { root, iso, fat } = machine(t);
    for (const [label, accepted] of Object.entries({
      cidata: true,
      CIDATA: true,
      CiData: false,
      "config-2": false,
    })) {
      for (const image of [iso("seed.iso", seed, label), fat("seed.img", seed, label)]) {
        addDisk(root, "sr0", { image, attributes: { removable: "1\n" } });
        const detection = noCloud.detect(fakeIo(root));
        t.equal(detection !== undefined, accepted, `${label} ${image}`);
        if (detection === undefined) continue;
        const { instance, findings } = await noCloud.read(fakeIo(root), detection);
        t.match(instance, {
          instanceId: "i-1",
          datasource: { place: "disk /dev/sr0", identity: "disk name sr0", removable: true },
        });
        t.match(instance.datasource.evidence, [
          /^\/dev\/sr0: (FAT|ISO 9660), label "(cidata|CIDATA)"$/,
          "/dev/sr0: meta-data (40 bytes), user-data (14 bytes)",
        ]);
        t.strictSame(findings, []);
      }
    }
  },
);

t.test(
  "images of cloud-localds are read",
  needs("cloud-localds", "genisoimage", "mkfs.vfat", "mcopy"),
  async (t) => {
    const scratch = t.testdir({ ud: "#!/bin/sh\n", net: "version: 2\n", vd: "#cloud-config\n" });
    const file = (name: string) => path.join(scratch, name);
    for (const format of ["iso", "vfat"]) {
      const image = file(`${format}.img`);
      run("cloud-localds", ["-f", format, "-H", "node-9", "-N", file("net"), image, file("ud")]);
      const root = file(format);
      addDisk(root, "vdb", { image });
      const content = await read(root);
      t.equal(content.instance.instanceId, "iid-local01");
      t.equal(content.instance.hostname, "node-9");
      t.equal(document(content, "user-data"), "#!/bin/sh\n");
      t.equal(document(content, "network-config"), "version: 2\n");
    }
  },
);

t.test("user-data that is gzip or no text stays as it is, and an empty one is none", async (t) => {
  const root = t.testdir();
  const bytes = Buffer.from([0x1f, 0x8b, 0x08, 0x00, 0xff, 0x00]);
  addSeedDirectory(root, { ...seed, "user-data": bytes });
  t.strictSame((await read(root)).secrets.get("user-data")?.reveal(), bytes);
  addSeedDirectory(root, { "meta-data": "", "user-data": "" });
  const { instance, secrets, findings } = await read(root);
  t.strictSame([instance.instanceId, instance.userData, secrets.size], ["nocloud", null, 0]);
  t.match(findings, [{ code: "datasource/default-instance-id", level: "note" }]);
});

t.test("what several places say is put together as cloud-init does", tools, async (t) => {
  const { root, iso } = machine(t);
  addSeedDirectory(root, {
    "meta-data": "instance-id: directory\nfrom: directory\nnested: {a: directory}\n",
    "user-data": "directory",
    "vendor-data": "directory",
    "network-config": "directory",
  });
  const tree = {
    "meta-data": "instance-id: disk\nlocal-hostname: disk\nnested: {a: disk, b: disk}\n",
    "user-data": "disk",
    "network-config": "",
  };
  addDisk(root, "sr0", { image: iso("seed.iso", tree) });
  setKernelCommandLine(root, "ds=nocloud;i=kernel");
  writeTree(path.join(root, "sys/class/dmi/id"), { product_serial: "ds=nocloud;colour=dmi\n" });
  const content = await read(root);
  t.equal(content.instance.instanceId, "kernel");
  t.equal(content.instance.hostname, "disk");
  t.match(content.instance.metaData, {
    from: "directory",
    colour: "dmi",
    nested: { a: "directory", b: "disk" },
  });
  t.equal(document(content, "user-data"), "disk");
  t.equal(document(content, "vendor-data"), "directory");
  t.equal(document(content, "network-config"), "directory", "an empty one does not replace it");
  t.equal(
    content.instance.datasource.place,
    "system serial number, kernel command line, seed directory /var/lib/cloud/seed/nocloud, disk /dev/sr0",
  );
  t.strictSame(content.findings.map(formatFinding), [
    "seed directory /var/lib/cloud/seed/nocloud warning: its user-data is not used: disk /dev/sr0 has another; meta-data of both is merged [datasource/several]\n" +
      "  remove the place that is not meant",
  ]);
});

t.test(
  "of two disks the one with the highest name is read, and the other is named",
  tools,
  async (t) => {
    const { root, iso } = machine(t);
    addDisk(root, "sr0", { image: iso("a.iso", { ...seed, "meta-data": "instance-id: sr0" }) });
    addDisk(root, "vdb", { image: iso("b.iso", { ...seed, "meta-data": "instance-id: vdb" }) });
    const { instance, findings } = await read(root);
    t.equal(instance.instanceId, "vdb");
    t.match(findings, [
      {
        document: "disk /dev/sr0",
        code: "datasource/several",
        message: "not read: disk /dev/vdb comes first",
      },
    ]);
  },
);

t.test("a disk that a node is pinned to is read, whatever else is plugged in", tools, async (t) => {
  const { root, iso } = machine(t);
  const serial = (value: string) => ({ attributes: { serial: `${value}\n` } });
  const disk = (id: string) => iso(`${id}.iso`, { ...seed, "meta-data": `instance-id: ${id}` });
  addDisk(root, "vdb", { image: disk("own"), ...serial("OWN") });
  const find = async (pinned?: PinnedDatasource) => {
    const found = await discover(fakeIo(root), {
      ...{ datasources: ["NoCloud"], log: silentLog, ...(pinned && { pinned }) },
    });
    if (found.kind !== "found") throw new Error("expected a datasource");
    return found.content;
  };
  const { instance } = await find();
  const { name: datasource, identity } = instance.datasource;
  t.equal(identity, "disk serial OWN");
  const pinned = { datasource, identity, yieldsTo: () => false };
  addDisk(root, "vdc", { image: disk("other"), ...serial("OTHER") });
  addSeedDirectory(root, seed);
  const content = await find(pinned);
  t.match(content.instance.datasource, { place: "disk /dev/vdb", identity });
  t.match(content.findings, [
    { document: "disk /dev/vdc", code: "datasource/several" },
    {
      document: "seed directory /var/lib/cloud/seed/nocloud",
      level: "note",
      code: "datasource/several",
      message: "not read: this node is pinned to disk /dev/vdb",
    },
  ]);
  const both = { ...pinned, identity: `directory /var/lib/cloud/seed/nocloud + ${identity}` };
  t.match((await find(both)).instance.datasource, {
    place: "seed directory /var/lib/cloud/seed/nocloud, disk /dev/vdb",
    identity: both.identity,
  });
  rmSync(path.join(root, "var"), { recursive: true });
  const beside = await find(pinned);
  t.match(beside, {
    instance: { instanceId: "own", datasource: { place: "disk /dev/vdb", identity } },
    findings: [
      {
        document: "disk /dev/vdc",
        code: "datasource/several",
        message: "not read: disk /dev/vdb comes first",
      },
    ],
  });
  t.equal((await find({ ...pinned, yieldsTo: () => true })).instance.instanceId, "other");
  t.equal((await find({ ...pinned, identity: "disk gone" })).instance.instanceId, "other");
  writeFileSync(path.join(root, "dev/vdb"), Buffer.alloc(512 * 1024));
  t.equal((await find(pinned)).instance.datasource.identity, "disk serial OTHER", "to be held");
});

t.test(
  "a stick that is plugged in stays out of what is pinned without a disk",
  tools,
  async (t) => {
    const directory = "/var/lib/cloud/seed/nocloud";
    const stick = { attributes: { serial: "OTHER\n", removable: "1\n" } };
    const cases: readonly { identity: string; instanceId: string; make(root: string): void }[] = [
      {
        identity: `directory ${directory}`,
        instanceId: "own",
        make: (root) => addSeedDirectory(root, { ...seed, "meta-data": "instance-id: own" }),
      },
      {
        identity: "kernel command line",
        instanceId: "own",
        make: (root) => setKernelCommandLine(root, "ds=nocloud;i=own"),
      },
      {
        identity: `kernel command line + directory ${directory}-net`,
        instanceId: "own",
        make: (root) => {
          setKernelCommandLine(root, "ds=nocloud;i=own");
          addSeedDirectory(root, seed, "nocloud-net");
        },
      },
    ];
    for (const { identity, instanceId, make } of cases) {
      await t.test(identity, async (t) => {
        const { root, iso } = machine(t);
        make(root);
        const image = iso("other.iso", { ...seed, "user-data": "#cloud-config\n# of a stick\n" });
        const find = async (yields: boolean) => {
          const pinned = { datasource: "NoCloud", identity, yieldsTo: () => yields };
          const found = await discover(fakeIo(root), {
            ...{ datasources: undefined, log: silentLog, pinned },
          });
          if (found.kind !== "found") throw new Error("expected a datasource");
          return found.content;
        };
        const before = await find(false);
        addDisk(root, "sdb", { image, ...stick });
        const { instance, secrets, findings } = await find(false);
        t.match(instance, { instanceId, datasource: { identity, removable: false } });
        t.same(secrets.get("user-data")?.reveal(), before.secrets.get("user-data")?.reveal());
        t.match(findings, [
          {
            document: "disk /dev/sdb",
            level: "note",
            code: "datasource/several",
            message: /^not read: this node is pinned to /,
          },
        ]);
        const letIn = (await find(true)).instance.datasource;
        t.match(letIn, { identity: `${identity} + disk serial OTHER`, removable: true });
      });
    }
  },
);

t.test("a disk whose number looks like two places is known again", tools, async (t) => {
  const { root, iso } = machine(t);
  const disk = (id: string) => iso(`${id}.iso`, { ...seed, "meta-data": `instance-id: ${id}` });
  addDisk(root, "vdb", { image: disk("own"), attributes: { wwid: "A + B\n" } });
  addDisk(root, "vdc", { image: disk("other"), attributes: { wwid: "A\n" } });
  const identity = "disk wwid A + B";
  const found = await discover(fakeIo(root), {
    ...{ datasources: ["NoCloud"], log: silentLog },
    pinned: { datasource: "NoCloud", identity, yieldsTo: () => false },
  });
  t.match(found, { content: { instance: { instanceId: "own", datasource: { identity } } } });
});

t.test("a broken disk beside a whole one is passed over with a finding", tools, async (t) => {
  const { root, iso } = machine(t);
  addDisk(root, "sr0", { image: iso("a.iso", seed) });
  addDisk(root, "vdb", { image: iso("b.iso", { "user-data": "x" }) });
  const { instance, findings } = await read(root);
  t.equal(instance.datasource.place, "disk /dev/sr0");
  t.match(findings, [
    {
      document: "disk /dev/vdb",
      code: "datasource/unusable",
      message: 'passed over: /dev/vdb: meta-data was expected, there is only "user-data"',
    },
  ]);
});

t.test(
  "a seed that lacks a document faults with what is there, even where the kernel names NoCloud",
  tools,
  async (t) => {
    const { root, iso, fat } = machine(t);
    setKernelCommandLine(root, "ds=nocloud;i=iid-1");
    const cases: [string, RegExp][] = [
      [
        iso("a.iso", { "meta-data": "" }),
        /^\/dev\/sr0: user-data was expected, there is only "meta-data"$/,
      ],
      [iso("b.iso", {}), /^\/dev\/sr0: meta-data and user-data were expected, there is no file$/],
      [
        fat("c.img", { "user-data.txt": "" }),
        /^\/dev\/sr0: meta-data and user-data were expected, there is only "user-data.txt"$/,
      ],
    ];
    for (const [image, message] of cases) {
      addDisk(root, "sr0", { image });
      await t.rejects(read(root), { code: "datasource/missing", message });
    }
    const directory = t.testdir();
    addSeedDirectory(directory, { "user-data": "" });
    await t.rejects(read(directory), {
      code: "datasource/missing",
      message: '/var/lib/cloud/seed/nocloud: meta-data was expected, there is only "user-data"',
    });
  },
);

t.test("an image of plain names says how to make it better", tools, async (t) => {
  const scratch = t.testdir();
  const source = writeTree(path.join(scratch, "tree"), seed);
  const image = makeIso(path.join(scratch, "plain.iso"), source, { program: "genisoimage plain" });
  addDisk(path.join(scratch, "root"), "sr0", { image });
  await t.rejects(read(path.join(scratch, "root")), {
    code: "datasource/missing",
    message:
      '/dev/sr0: meta-data and user-data were expected, there is only "meta_dat", "user_dat"',
    hint: "make the image with -J -r: plain ISO 9660 cuts and changes the names",
  });
});

t.test("a damaged disk faults with device and place", tools, async (t) => {
  const { root, iso } = machine(t);
  const image = iso("seed.iso", seed);
  const bytes = readFileSync(image);
  bytes.writeUInt32LE(0x00ffffff, 32768 + 158);
  writeFileSync(image, bytes);
  addDisk(root, "vdb", { image });
  await t.rejects(read(root), {
    code: "datasource/malformed",
    message: /^\/dev\/vdb: root directory: lies at bytes/,
  });

  addDisk(root, "vdb", { image: iso("cut.iso", seed) });
  writeFileSync(
    path.join(root, "dev/vdb"),
    readFileSync(path.join(root, "dev/vdb")).subarray(0, 36_000),
  );
  await t.rejects(read(root), {
    code: "datasource/malformed",
    message: /^\/dev\/vdb: root directory: lies at bytes/,
  });
});

t.test("meta-data that is broken faults with its line, whatever the place", async (t) => {
  const root = t.testdir();
  addSeedDirectory(root, { "meta-data": "instance-id: i\n  bad: [\n", "user-data": "" });
  await t.rejects(read(root), {
    code: "datasource/malformed",
    message: /^\/var\/lib\/cloud\/seed\/nocloud: meta-data is no YAML: meta-data:2:6: /,
  });
});

t.test("ds=nocloud alone is a machine with meta-data only", async (t) => {
  const root = t.testdir();
  setKernelCommandLine(root, "quiet ds=nocloud;i=iid-7;h=node-7");
  const { instance } = await read(root);
  t.match(instance, { instanceId: "iid-7", hostname: "node-7", userData: null });
});

t.test("what is no regular file is refused, and never counts as an empty document", async (t) => {
  const cases: Readonly<Record<string, readonly [(file: string) => void, RegExp]>> = {
    directory: [(file) => mkdirSync(file), /user-data: a regular file .* a directory$/],
    pipe: [(file) => execFileSync("mkfifo", [file]), /user-data: a regular file .* a pipe/],
    link: [
      (file) => symlinkSync("/gone", file),
      /user-data: .* a link to "\/gone", where nothing is$/,
    ],
  };
  for (const [name, [make, message]] of Object.entries(cases)) {
    const root = path.join(t.testdir(), name);
    addSeedDirectory(root, { "meta-data": "" });
    make(path.join(root, "var/lib/cloud/seed/nocloud/user-data"));
    await t.rejects(read(root), { code: "datasource/malformed", message }, name);
  }
  const root = t.testdir();
  addSeedDirectory(root, { "meta-data": "", documents: "#cloud-config\n" });
  symlinkSync("documents", path.join(root, "var/lib/cloud/seed/nocloud/user-data"));
  t.equal(document(await read(root), "user-data"), "#cloud-config\n", "a link to a file is one");
});

t.test("a seed in capitals is told that they count", tools, async (t) => {
  const { root, iso } = machine(t);
  const capitals = { "USER-DATA": "", "META-DATA": "" };
  addDisk(root, "sr0", { image: iso("a.iso", capitals) });
  await t.rejects(read(root), { code: "datasource/missing", hint: /in small letters/ });
  const directory = path.join(t.testdir(), "directory");
  addSeedDirectory(directory, capitals);
  const said: string[] = [];
  t.equal(
    noCloud.detect(fakeIo(directory), (observation) => said.push(observation)),
    undefined,
  );
  t.match(said, [/META-DATA: not read, its name must be in small letters$/, /USER-DATA/]);
});

t.test("seedfrom is followed to a directory of this machine", async (t) => {
  const root = t.testdir({
    seed: { "meta-data": "instance-id: there\nx: there\n", "user-data": "there" },
  });
  for (const from of ["/seed", "/seed/", "file:///seed/", "/seed/%s"]) {
    setKernelCommandLine(root, `ds=nocloud;i=here;s=${from}`);
    const content = await read(root);
    t.equal(content.instance.instanceId, "here");
    t.match(content.instance.metaData, { x: "there" });
    t.equal(document(content, "user-data"), "there");
  }
  setKernelCommandLine(root, "ds=nocloud;s=ftp://user:pw@192.0.2.1/seed/");
  await t.rejects(read(root, network), {
    code: "datasource/missing",
    message:
      "seedfrom ftp://192.0.2.1/…: only a directory of this machine, http and https are read",
  });
  setKernelCommandLine(root, "ds=nocloud;s=/nowhere/");
  await t.rejects(read(root), { code: "datasource/missing" });
});

t.test("seedfrom is followed over the network, where that is up", async (t) => {
  const root = t.testdir({ sys: { class: { dmi: { id: { product_serial: "S 7\n" } } } } });
  const { url, requests } = await fakeService(t, {
    "/S%207/meta-data": "x: there\n",
    "/S%207/user-data": "there",
    "/S%207/vendor-data": { status: 404 },
    "/S%207/network-config": first(1, { status: 503 }, "version: 2\n"),
    "/large/meta-data": "x".repeat(2 ** 20 + 1),
    ...{ "/portal/meta-data": "<!-- a portal --><html>", "/portal/user-data": "<html>" },
  });
  const from = (place: string) => setKernelCommandLine(root, `ds=nocloud;i=here;s=${place}`);
  from(`${url.replace("//", "//user:pw@")}/__dmi.system-serial-number__/`);
  const content = await read(root, network);
  t.match(content.instance, {
    instanceId: "here",
    metaData: { x: "there" },
    vendorData: null,
  });
  t.match(content.instance.datasource.evidence.at(-1), `seedfrom ${url}/…: meta-data (9 bytes)`);
  t.equal(document(content, "user-data"), "there");
  t.equal(document(content, "network-config"), "version: 2\n");
  t.notMatch(JSON.stringify(content.instance), "pw@");
  t.equal(requests.length, 5, "the busy one is asked again");

  await t.rejects(read(root), { code: "datasource/none", message: /which is not up yet/ });
  from(`${url}/none/`);
  await t.rejects(read(root, network), {
    code: "datasource/missing",
    message: `seedfrom ${url}/…: meta-data and user-data were expected, there is no file`,
  });
  from(`${url}/large/`);
  await t.rejects(read(root, network), { code: "datasource/malformed", message: /larger than/ });
  from(`${url}/portal/`);
  await t.rejects(read(root, network), {
    code: "datasource/unreachable",
    message: `seedfrom ${url}/…: meta-data: a page of HTML came, which is no metadata`,
  });
  from(`${url}/__dmi.system-uuid__/`);
  await t.rejects(read(root, network), {
    code: "datasource/missing",
    message: "seedfrom: __dmi.system-uuid__: the firmware does not say it",
  });
});

t.test("a document that a seed can do without is refused once, and told", async (t) => {
  const root = t.testdir();
  const seed = { "/meta-data": "x: there\n", "/user-data": "there" };
  const { url } = await fakeService(t, {
    ...seed,
    "/vendor-data": { status: 403 },
    "/network-config": { status: 400 },
  });
  setKernelCommandLine(root, `ds=nocloud;i=here;s=${url}/`);
  const content = await read(root, network);
  t.equal(document(content, "user-data"), "there");
  t.match(content.findings, [
    { level: "warning", message: /left out: (vendor-data.* 403|network-config.* 400)$/ },
    { level: "warning", message: /left out: (vendor-data.* 403|network-config.* 400)$/ },
  ]);
  const closed = await fakeService(t, { ...seed, "/user-data": { status: 403 } });
  setKernelCommandLine(root, `ds=nocloud;i=here;s=${closed.url}/`);
  await t.rejects(read(root, network), { code: "datasource/unreachable", message: /status 403/ });
  const silent = await fakeService(t, { ...seed, "/vendor-data": () => {} });
  setKernelCommandLine(root, `ds=nocloud;i=here;s=${silent.url}/`);
  const hurried: ReadTools = {
    ...network,
    fetch: (url, maxBytes, refused) =>
      readFile(url, maxBytes, { clock: hostClock, courier: httpCourier, timeoutMs: 300, refused }),
  };
  await t.rejects(read(root, hurried), { message: /no whole answer within 300 ms/ });
});

t.test("dsmode: disabled is an owner who does not want it", async (t) => {
  const root = t.testdir();
  addSeedDirectory(root, { "meta-data": "dsmode: disabled\n", "user-data": "" });
  await t.rejects(read(root), { code: "datasource/none" });
});

t.test("the network in ifupdown's form is named, not read", async (t) => {
  const root = t.testdir();
  const metaData = "instance-id: i\nnetwork-interfaces: |\n  iface eth0 inet dhcp\n";
  addSeedDirectory(root, { "meta-data": metaData, "user-data": "" });
  t.match((await read(root)).findings, [
    { code: "datasource/legacy-network", level: "warning", line: 2 },
  ]);
  addSeedDirectory(root, { "network-config": "version: 2" });
  t.match((await read(root)).findings, [
    { code: "datasource/legacy-network", level: "note", line: 2 },
  ]);
});

t.test("a link in a seed directory stays inside the machine", async (t) => {
  const root = t.testdir({
    var: {
      lib: {
        cloud: {
          seed: {
            nocloud: {
              "meta-data": "",
              "user-data": t.fixture("symlink", "/../../../../../../etc/shadow"),
            },
          },
        },
      },
    },
  });
  const message = /a link to ".*\/etc\/shadow", where nothing is$/;
  await t.rejects(read(root), { code: "datasource/malformed", message });
});

t.test("detection reads some sectors of a disk, however large", tools, async (t) => {
  const { root, iso, fat } = machine(t);
  addDisk(root, "vda", { bytes: 1024 ** 4 });
  addDisk(root, "vdb", {
    bytes: 1024 ** 3,
    image: fat("efi.img", { "EFI/BOOT/BOOTX64.EFI": "x" }, "EFI"),
  });
  addDisk(root, "vdc", { image: iso("seed.iso", { ...seed, "user-data": "x".repeat(1_000_000) }) });
  const io = fakeIo(root);
  const bytesRead = new Map<string, number>();
  const counted = {
    ...io,
    files: {
      ...io.files,
      open(file: string, options?: { readonly size?: number }) {
        const access = io.files.open(file, options);
        return {
          ...access,
          read(offset: number, length: number) {
            bytesRead.set(file, (bytesRead.get(file) ?? 0) + length);
            return access.read(offset, length);
          },
        };
      },
    },
  };
  t.ok(noCloud.detect(counted));
  t.strictSame([...bytesRead.keys()].sort(), ["/dev/vda", "/dev/vdb", "/dev/vdc"]);
  for (const [device, bytes] of bytesRead) t.ok(bytes <= 16 * 1024, `${device}: ${bytes} bytes`);
  t.ok((bytesRead.get("/dev/vda") ?? 0) <= 2560, "a disk with nothing of it costs two reads");
});
