import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { prettyJson } from "#core/canonical-json.ts";
import { fakeIo } from "#core/fake-io.ts";
import { formatFinding } from "#core/finding.ts";
import { silentLog } from "#core/log.ts";
import { resolveSpec } from "../resolve-spec.ts";
import { envelopeOpener } from "../secrets/envelope-opener.ts";
import { configDrive } from "./config-drive.ts";
import type { DatasourceContent } from "./datasource.ts";
import { discover } from "./discover.ts";
import { addDisk, addSeedDirectory } from "./fake-machine.ts";
import { makeFat, makeIso, needs, type Tree, writeTree } from "./images/make-images.ts";

const tools = needs("xorriso", "genisoimage", "mkfs.vfat", "mcopy");
const version = "openstack/2018-08-27";
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJlbmNo alice";
const uuid = "83679162-1378-4288-a2d4-70e13ec132aa";
const metaData = { uuid, hostname: "node-7", availability_zone: "nova", launch_index: 0 };

/** A drive of one version. */
function drive(documents: Readonly<Record<string, unknown>> = {}, directory = version): Tree {
  const files = Object.entries({ "meta_data.json": metaData, ...documents });
  return Object.fromEntries(
    files.map(([name, content]) => [
      `${directory}/${name}`,
      typeof content === "string" ? content : JSON.stringify(content, undefined, 1),
    ]),
  );
}

async function read(root: string): Promise<DatasourceContent> {
  const io = fakeIo(root);
  const detection = configDrive.detect(io);
  if (detection === undefined) throw new Error("not detected");
  return configDrive.read(io, detection);
}

/** Reads a tree that lies in the seed directory. */
function readTree(t: { testdir(): string }, tree: Tree): Promise<DatasourceContent> {
  const root = t.testdir();
  addSeedDirectory(root, tree, "config_drive");
  return read(root);
}

function document(content: DatasourceContent, name: string): string | undefined {
  const bytes = content.secrets.get(name)?.reveal();
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

function machine(t: { testdir(): string }) {
  const scratch = t.testdir();
  return {
    root: path.join(scratch, "root"),
    iso: (name: string, tree: Tree, label = "config-2") => {
      const source = writeTree(path.join(scratch, `${name}.tree`), tree);
      return makeIso(path.join(scratch, name), source, { label });
    },
    fat: (name: string, tree: Tree, label = "CONFIG-2") =>
      makeFat(path.join(scratch, name), tree, { label }),
  };
}

t.test("a machine without a config drive is not on ConfigDrive", async (t) => {
  t.equal(configDrive.detect(fakeIo(t.testdir())), undefined);
  const root = t.testdir();
  addDisk(root, "vda");
  addSeedDirectory(root, { "openstack/latest/user_data": "x" }, "config_drive");
  writeTree(path.join(root, "config-drive"), { openstack: "a file", "openstack.d/x": "" });
  const observed: string[] = [];
  t.equal(
    configDrive.detect(fakeIo(root), (observation) => observed.push(observation)),
    undefined,
  );
  t.strictSame(observed, [
    "/var/lib/cloud/seed/config_drive/openstack: no version with meta_data.json",
    "/config-drive/openstack: no version with meta_data.json",
    "/dev/vda: neither ISO 9660 nor FAT",
  ]);
});

t.test(
  "a disk with each label that cloud-init accepts is read, others are not",
  tools,
  async (t) => {
    const { root, iso, fat } = machine(t);
    const tree = drive({ user_data: "#cloud-config\n" });
    const labels = { "config-2": true, "CONFIG-2": true, "Config-2": false, cidata: false };
    for (const [label, accepted] of Object.entries(labels)) {
      for (const image of [iso("drive.iso", tree, label), fat("drive.img", tree, label)]) {
        addDisk(root, "sr0", { image, attributes: { removable: "1\n" } });
        const detection = configDrive.detect(fakeIo(root));
        t.equal(detection !== undefined, accepted, `${label} ${image}`);
        if (detection === undefined) continue;
        const content = await configDrive.read(fakeIo(root), detection);
        const { datasource, ...instance } = content.instance;
        t.match(instance, { instanceId: uuid, hostname: "node-7", publicKeys: [] });
        const { identity } = detection;
        t.match(datasource, {
          name: "ConfigDrive",
          place: "disk /dev/sr0",
          identity,
          removable: true,
        });
        t.match(datasource.evidence, [
          /^\/dev\/sr0: (FAT|ISO 9660), label "(config-2|CONFIG-2)"$/,
          /^\/dev\/sr0: openstack\/2018-08-27: meta_data.json \(\d+ bytes\), user_data \(14 bytes\)$/,
        ]);
        t.equal(document(content, "user-data"), "#cloud-config\n");
        t.strictSame(content.findings, []);
      }
    }
  },
);

t.test(
  "the identity is the disk's own number, whatever its name and its turn",
  tools,
  async (t) => {
    const { root, iso } = machine(t);
    const image = iso("drive.iso", drive());
    const identities = ["vdb", "vdc"].map((name) => {
      const scratch = path.join(root, name);
      addDisk(scratch, name, { image, attributes: { serial: "QM0001\n" } });
      return configDrive.detect(fakeIo(scratch))?.identity;
    });
    t.strictSame(identities, ["disk serial QM0001", "disk serial QM0001"]);
  },
);

t.test("directories are read before disks, and what is not read is named", tools, async (t) => {
  const { root, iso } = machine(t);
  const named = (name: string) => drive({ "meta_data.json": { uuid: name } });
  for (const name of ["sr0", "vdb"]) addDisk(root, name, { image: iso(name, named(name)) });
  t.equal((await read(root)).instance.instanceId, "vdb");
  writeTree(
    path.join(root, "config-drive"),
    drive({ "meta_data.json": { uuid: "d" } }, "openstack/latest"),
  );
  t.equal((await read(root)).instance.instanceId, "d");
  addSeedDirectory(root, named("seed"), "config_drive");
  const { instance, findings } = await read(root);
  t.match(instance, {
    instanceId: "seed",
    datasource: {
      place: "directory /var/lib/cloud/seed/config_drive",
      identity: "directory /var/lib/cloud/seed/config_drive",
      removable: false,
    },
  });
  t.strictSame(
    findings.map(({ document, code }) => `${document} ${code}`),
    ["directory /config-drive", "disk /dev/vdb", "disk /dev/sr0"].map(
      (place) => `${place} datasource/several`,
    ),
  );
});

t.test(
  "the place that a node is pinned to is read, whatever else has appeared",
  tools,
  async (t) => {
    const { root, iso } = machine(t);
    const named = (uuid: string) => drive({ "meta_data.json": { uuid } });
    const add = (name: string) => {
      const attributes = { serial: `${name}\n` };
      addDisk(root, name, { image: iso(`${name}.iso`, named(name)), attributes });
    };
    const find = async (identity: string) => {
      const pinned = { datasource: "ConfigDrive", identity, yieldsTo: () => false };
      const options = { datasources: undefined, log: silentLog, pinned };
      const found = await discover(fakeIo(root), options);
      if (found.kind !== "found") throw new Error("expected a datasource");
      const { instance, findings } = found.content;
      t.equal(instance.datasource.identity, identity);
      return [
        instance.instanceId,
        ...findings.map(({ document, level }) => `${level} ${document}`),
      ];
    };
    add("vdb");
    add("vdc");
    const other = "warning disk /dev/vdc";
    t.same(await find("disk serial vdb"), ["vdb", other]);
    addSeedDirectory(root, named("seed"), "config_drive");
    const seedDirectory = "directory /var/lib/cloud/seed/config_drive";
    t.same(await find("disk serial vdb"), ["vdb", other, `note ${seedDirectory}`]);
    t.same(await find(seedDirectory), ["seed", other, "warning disk /dev/vdb"]);
    writeTree(path.join(root, "config-drive"), named("root"));
    t.same(await find("directory /config-drive"), [
      ...["root", `warning ${seedDirectory}`, other, "warning disk /dev/vdb"],
    ]);
  },
);

t.test("a broken drive beside a whole one is passed over, alone it faults", tools, async (t) => {
  const { root, iso } = machine(t);
  addDisk(root, "vdb", { image: iso("b.iso", drive({ "meta_data.json": "{" })) });
  const fault = {
    code: "datasource/malformed",
    message: /^\/dev\/vdb: openstack\/2018-08-27: meta_data.json: no JSON in line 1, column 2$/,
  };
  await t.rejects(read(root), fault);
  addDisk(root, "sr0", { image: iso("a.iso", drive()) });
  const { instance, findings } = await read(root);
  t.equal(instance.datasource.place, "disk /dev/sr0");
  t.match(findings, [{ document: "disk /dev/vdb", code: "datasource/unusable" }]);
});

t.test("a damaged image faults with device and place", tools, async (t) => {
  const { root, iso } = machine(t);
  const image = iso("drive.iso", drive());
  const bytes = readFileSync(image);
  bytes.writeUInt32LE(0x00ffffff, 32768 + 158);
  writeFileSync(image, bytes);
  addDisk(root, "vdb", { image });
  await t.rejects(read(root), {
    code: "datasource/malformed",
    message: /^\/dev\/vdb: root directory: lies at bytes/,
  });
});

t.test("NoCloud comes first, and a config drive beside it is named", async (t) => {
  const root = t.testdir();
  addSeedDirectory(root, { "meta-data": "instance-id: i-1\n", "user-data": "" });
  addSeedDirectory(root, drive(), "config_drive");
  const found = await discover(fakeIo(root), { datasources: undefined, log: silentLog });
  t.match(found, {
    content: {
      instance: { instanceId: "i-1" },
      findings: [
        {
          document: "ConfigDrive",
          code: "datasource/several",
          message:
            "found at directory /var/lib/cloud/seed/config_drive, not used: NoCloud comes first",
        },
      ],
    },
  });
  const only = { datasources: ["ConfigDrive"], log: silentLog };
  t.match(await discover(fakeIo(root), only), { content: { instance: { instanceId: uuid } } });
});

t.test("the newest version that is known is read, else latest", async (t) => {
  const of = (...names: string[]): Tree =>
    Object.assign(
      {},
      ...names.map((name) => drive({ "meta_data.json": { uuid: name } }, `openstack/${name}`)),
    );
  const cases: [Tree, string][] = [
    [of("latest", "2012-08-10", "2018-08-27", "2015-10-15"), "2018-08-27"],
    [of("latest", "2012-08-10", "2099-01-01"), "2012-08-10"],
    [of("latest", "2099-01-01"), "latest"],
  ];
  for (const [tree, expected] of cases) {
    t.equal((await readTree(t, tree)).instance.instanceId, expected);
  }
});

t.test("what is missing or broken faults with file, place and what to do", async (t) => {
  const at = "/var/lib/cloud/seed/config_drive: openstack/2018-08-27";
  const cases: Record<string, { tree: Tree; code: string; message: string | RegExp }> = {
    "no meta-data in the version": {
      tree: { ...drive({}, "openstack/latest"), [`${version}/user_data`]: "" },
      code: "datasource/missing",
      message: `${at}/meta_data.json was expected, there is only "openstack/2018-08-27", "openstack/latest"`,
    },
    "no JSON": {
      tree: drive({ "meta_data.json": '{\n "uuid": canary }' }),
      code: "datasource/malformed",
      message: `${at}: meta_data.json: no JSON in line 2, column 10`,
    },
    "cut JSON": {
      tree: drive({ "network_data.json": '{"links": ["canary"' }),
      code: "datasource/malformed",
      message: /^[^ ]+: openstack\/2018-08-27: network_data.json: no JSON in line 1, column 20$/,
    },
    "a list": {
      tree: drive({ "meta_data.json": [] }),
      code: "datasource/malformed",
      message: `${at}: meta_data.json: a JSON object was expected, a list came`,
    },
    "a network that is a text": {
      tree: drive({ "network_data.json": '"canary"' }),
      code: "datasource/malformed",
      message: `${at}: network_data.json: a JSON object was expected, a string came`,
    },
    "no uuid": {
      tree: drive({ "meta_data.json": { hostname: "h" } }),
      code: "datasource/malformed",
      message: `${at}: meta_data.json: the uuid of the instance was expected, there is none`,
    },
    "a uuid that is none": {
      tree: drive({ "meta_data.json": { uuid: 7 } }),
      code: "datasource/malformed",
      message: `${at}: meta_data.json: the uuid of the instance was expected, its value is none`,
    },
    "a uuid that a terminal acts on": {
      tree: drive({ "meta_data.json": { uuid: "\u001b[2J" } }),
      code: "datasource/malformed",
      message: /instance-id: at most 256 characters were expected, all printable$/,
    },
    "bytes that are no UTF-8": {
      tree: { [`${version}/meta_data.json`]: Uint8Array.of(0x7b, 0xff) },
      code: "datasource/malformed",
      message: `${at}: meta_data.json: expected UTF-8, got the byte 0xFF in line 1, column 2`,
    },
    "half of a surrogate pair": {
      tree: drive({ "meta_data.json": '{"uuid": "i", "x": "\\ud800"}' }),
      code: "datasource/malformed",
      message: `${at}: meta_data.json: half of a surrogate pair in a text`,
    },
    "a hundred thousand lists inside one another": {
      tree: drive({ "vendor_data.json": "[".repeat(100_000) + "]".repeat(100_000) }),
      code: "datasource/malformed",
      message: `${at}: vendor_data.json: more than 64 values inside one another`,
    },
    "too large": {
      tree: drive({ "network_data.json": " ".repeat(1024 * 1024 + 1) }),
      code: "io/too-large",
      message: /network_data.json/,
    },
  };
  for (const [name, { tree, code, message }] of Object.entries(cases)) {
    await t.rejects(readTree(t, tree), { code, message }, name);
    const fault = await readTree(t, tree).catch((error: unknown) => error);
    t.notMatch(String(fault), /canary/, `${name}: nothing of the text is in the message`);
  }
});

t.test("an image of plain names says how to make it better", tools, async (t) => {
  const scratch = t.testdir();
  const source = writeTree(path.join(scratch, "tree"), drive());
  const program = "genisoimage plain" as const;
  const image = makeIso(path.join(scratch, "plain.iso"), source, { program, label: "config-2" });
  addDisk(path.join(scratch, "root"), "sr0", { image });
  await t.rejects(read(path.join(scratch, "root")), {
    code: "datasource/missing",
    hint: "make the image with -J -r: plain ISO 9660 cuts and changes the names",
  });
});

t.test("dsmode: disabled or pass is an owner who does not want it", async (t) => {
  for (const dsmode of ["disabled", "pass"]) {
    const tree = drive({ "meta_data.json": { ...metaData, meta: { dsmode } } });
    await t.rejects(readTree(t, tree), { code: "datasource/none" }, dsmode);
  }
  const tree = drive({ "meta_data.json": { ...metaData, meta: { dsmode: "net" } } });
  t.equal((await readTree(t, tree)).instance.instanceId, uuid);
});

t.test("public keys are those of public_keys, else the ones for ssh in keys", async (t) => {
  const other = key.replace("alice", "bob");
  const ssh = (data: string) => ({ name: "k", type: "ssh", data });
  const x509 = { name: "w", type: "x509", data: "MIIB" };
  const cases: [object, readonly string[], readonly string[]][] = [
    [{ public_keys: { k: `${key}\n` }, keys: [ssh(key)] }, [key], []],
    [{ keys: [ssh(key), x509] }, [key], ["note keys.1"]],
    [{ public_keys: {}, keys: [ssh(key)] }, [key], []],
    [{ public_keys: { k: key }, keys: [ssh(other)] }, [key], ["note keys.0"]],
    [{ public_keys: { k: 7 } }, [], ["warning public_keys.k"]],
    [{ public_keys: null, keys: "x" }, [], []],
  ];
  for (const [says, expected, findings] of cases) {
    const content = await readTree(t, drive({ "meta_data.json": { ...metaData, ...says } }));
    t.strictSame(content.instance.publicKeys, expected);
    t.strictSame(
      content.findings.map((finding) => `${finding.level} ${finding.path}`),
      findings,
    );
  }
});

t.test("random_seed, admin_pass and every document stay out of the instance", async (t) => {
  const secret = {
    random_seed: "canary1",
    admin_pass: "canary2",
    meta: { db_password: "canary3" },
  };
  const content = await readTree(
    t,
    drive({
      "meta_data.json": { ...metaData, ...secret },
      user_data: "canary4",
      "vendor_data.json": '"canary5"',
      "vendor_data2.json": '"canary7"',
      "network_data.json": {
        links: [{ id: "canary6", ethernet_mac_address: "52:54:00:12:34:56" }],
      },
    }),
  );
  t.notMatch(prettyJson(content.instance), /canary/);
  t.equal(document(content, "meta-data.random_seed"), "canary1");
  t.equal(document(content, "meta-data.admin_pass"), "canary2");
  t.match(content.instance.metaData, {
    availability_zone: "nova",
    launch_index: 0,
    random_seed: { secretRef: "meta-data.random_seed" },
  });
  t.equal(document(content, "user-data"), "canary4");
  t.equal(document(content, "vendor-data"), "canary5");
  t.equal(document(content, "vendor-data2"), "canary7");
  t.strictSame(content.instance.vendorData2, { secretRef: "vendor-data2" });
  t.match(document(content, "network-config"), /canary6/);
});

t.test("what is not read is named, with its place", async (t) => {
  const files = [
    { path: "/etc/\u001b[2Jmotd", content_path: "/content/0000" },
    { content_path: "/content/0001" },
  ];
  const network_config = { content_path: "/content/0002", path: "/etc/network/interfaces" };
  const meta = { "meta_data.json": { ...metaData, files, network_config } };
  const rest = {
    "ec2/latest/meta-data.json": "{}",
    "openstack/content/0000": "x",
    [`${version}/more.json`]: "",
  };
  const { findings } = await readTree(t, { ...drive(meta), ...rest });
  const place = "/var/lib/cloud/seed/config_drive";
  t.strictSame(
    findings.map((finding) => formatFinding({ ...finding, hint: null })),
    [
      'meta_data.json:6:2 warning files: injected files are not written: "/etc/\\u001b[2Jmotd", one unnamed [datasource/not-read]',
      "meta_data.json:15:2 warning network_config: not used: this form is not read [datasource/legacy-network]",
      `${place}: ec2 note: not read: the layout of EC2 says what openstack says [datasource/not-read]`,
      `${place}: ${version} note: not read: "more.json" [datasource/not-read]`,
    ],
  );
  const replaced = await readTree(t, drive({ ...meta, "network_data.json": { links: [] } }));
  t.match(
    replaced.findings.find(({ code }) => code === "datasource/legacy-network"),
    { level: "note" },
  );
});

t.test("from a drive to the spec", tools, async (t) => {
  const { root, iso } = machine(t);
  const network = {
    links: [{ id: "tap1", type: "ovs", ethernet_mac_address: "FA:16:3E:00:00:01", mtu: 1450 }],
    networks: [{ id: "n0", link: "tap1", type: "ipv4_dhcp", network_id: "x" }],
    services: [{ type: "dns", address: "192.0.2.53" }],
  };
  const tree = drive({
    "meta_data.json": { ...metaData, public_keys: { alice: key } },
    user_data: "#cloud-config\ntimezone: Europe/Berlin\nusers: [default]\n",
    "network_data.json": network,
    "vendor_data.json": {},
    "vendor_data2.json": {},
  });
  addDisk(root, "sr0", { image: iso("drive.iso", tree) });
  const { spec, findings } = await resolveSpec(
    await read(root),
    {},
    {
      fetchSources: async () => new Map(),
      openEnvelope: envelopeOpener(fakeIo(root)),
    },
  );
  t.strictSame(findings, []);
  t.match(spec, {
    hostname: "node-7",
    timezone: "Europe/Berlin",
    users: { nixos: { authorizedKeys: [key] } },
    network: {
      ethernets: {
        tap1: {
          match: { mac: "fa:16:3e:00:00:01" },
          dhcp4: true,
          mtu: 1450,
          nameservers: ["192.0.2.53"],
        },
      },
    },
  });
});

t.test("a machine without a config drive loads nothing of its reader", async (t) => {
  const script = `
    import { registerHooks } from "node:module";
    const load = (url, context, next) => { console.log(url); return next(url, context); };
    registerHooks({ load });
    await import(${JSON.stringify(new URL("table.ts", import.meta.url).href)});`;
  const loaded = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
  });
  t.match(loaded, /config-drive\.ts/);
  t.notMatch(loaded, /config-drive-(?:content|documents)|openstack-|json-document/);
});

t.test("a link in a directory stays inside the machine", async (t) => {
  const root = t.testdir();
  addSeedDirectory(root, drive(), "config_drive");
  const seed = "/var/lib/cloud/seed/config_drive";
  fakeIo(root).files.link("/../../../../../../etc/hostname", `${seed}/${version}/user_data`);
  await t.rejects(read(root), {
    code: "datasource/malformed",
    message: /user_data: .* a link to .*hostname", where nothing is$/,
  });
  fakeIo(root).files.write("/etc/hostname", "of this machine");
  t.equal(document(await read(root), "user-data"), "of this machine");
});
