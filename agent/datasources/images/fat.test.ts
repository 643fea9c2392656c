import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { hostFiles } from "#core/host-files.ts";
import {
  makeFat,
  makeIso,
  memoryAccess,
  mtools,
  needs,
  noise,
  run,
  type Tree,
  writeTree,
} from "./make-images.ts";
import { openVolume, type Volume } from "./volume.ts";

const tools = needs("mkfs.vfat", "mcopy");
const MiB = 1024 * 1024;
const seed: Tree = {
  "user-data": "#cloud-config\nhostname: node-7\n",
  "meta-data": "instance-id: i-1\n",
  "vendor-data": "",
  "network-config": noise(5000),
  "SHORT.TXT": "short",
  "lower.txt": "lower",
  "A rather long name, with a comma and more than two parts of a long name.text": "long",
  "openstack/latest/meta_data.json": "{}",
};

/** Every kind of table, with clusters of one sector and of several. */
const kinds = {
  FAT12: { bits: 12, bytes: 2 * MiB, extra: [] },
  "FAT12, small clusters": { bits: 12, bytes: 1 * MiB, extra: ["-s", "1"] },
  FAT16: { bits: 16, bytes: 16 * MiB, extra: [] },
  FAT32: { bits: 32, bytes: 40 * MiB, extra: ["-s", "1"] },
  "FAT16 with sectors of 4096": { bits: 16, bytes: 32 * MiB, extra: ["-S", "4096", "-s", "1"] },
} as const;

function open(image: Uint8Array | string): Volume {
  const access =
    typeof image === "string" ? hostFiles("/", () => {}).open(image) : memoryAccess(image);
  const volume = openVolume(access, "/dev/vdb");
  if (volume === undefined) throw new Error("no volume");
  return volume;
}

t.test("images of every kind are read byte for byte", tools, async (t) => {
  for (const [name, options] of Object.entries(kinds)) {
    await t.test(name, async (t) => {
      const volume = open(makeFat(path.join(t.testdir(), "seed.img"), seed, options));
      t.match(volume, { type: "vfat", label: "CIDATA", labels: ["CIDATA"] });
      for (const [file, content] of Object.entries(seed)) {
        t.strictSame(
          Buffer.from(volume.read(file, 1 * MiB) ?? "absent"),
          Buffer.from(content),
          file,
        );
      }
      t.strictSame(
        volume.list().map(({ name }) => name),
        [...Object.keys(seed).filter((file) => !file.includes("/")), "openstack"],
      );
      t.strictSame(volume.list("openstack/latest"), [
        { name: "meta_data.json", kind: "file", size: 2 },
      ]);
    });
  }
});

t.test("names are found in any case", tools, async (t) => {
  const volume = open(makeFat(path.join(t.testdir(), "seed.img"), seed));
  for (const name of ["USER-DATA", "User-Data", "OpenStack/LATEST/meta_data.json", "short.txt"]) {
    t.ok(volume.read(name, 1000), name);
  }
  t.equal(volume.read("user-dat", 1000), undefined);
  t.equal(volume.read("user-data/x", 1000), undefined);
});

t.test("a big file in pieces all over the disk is put together", tools, async (t) => {
  for (const [name, options] of Object.entries(kinds)) {
    const image = path.join(t.testdir(), "seed.img");
    const clutter = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [`clutter-${index}`, noise(9000)]),
    );
    makeFat(image, clutter, options);
    const removed = Object.keys(clutter).filter((_, index) => index % 2 === 0);
    mtools(
      "mdel",
      image,
      removed.map((name) => `::/${name}`),
    );
    const content = noise(300_001, 7);
    mtools("mcopy", image, ["-", "::/user-data"], content);
    t.strictSame(Buffer.from(open(image).read("user-data", 1 * MiB) ?? ""), content, name);
  }
});

t.test("a directory of many clusters is read whole", tools, async (t) => {
  const tree = Object.fromEntries(
    Array.from({ length: 120 }, (_, index) => [`many/name number ${index}`, `${index}`]),
  );
  const volume = open(
    makeFat(path.join(t.testdir(), "seed.img"), tree, {
      bits: 12,
      bytes: 1 * MiB,
      extra: ["-s", "1"],
    }),
  );
  for (const [file, content] of Object.entries(tree)) {
    t.equal(Buffer.from(volume.read(file, 100) ?? "").toString(), content);
  }
});

t.test(
  "an image of cloud-localds is read",
  needs("cloud-localds", "mkfs.vfat", "mcopy"),
  async (t) => {
    const directory = t.testdir({ user: "#!/bin/sh\n", meta: "instance-id: i-2\n" });
    const image = path.join(directory, "seed.img");
    run("cloud-localds", [
      "-f",
      "vfat",
      image,
      path.join(directory, "user"),
      path.join(directory, "meta"),
    ]);
    const volume = open(image);
    t.strictSame(volume.labels, ["cidata"]);
    t.equal(Buffer.from(volume.read("user-data", 100) ?? "").toString(), "#!/bin/sh\n");
    t.equal(Buffer.from(volume.read("meta-data", 100) ?? "").toString(), "instance-id: i-2\n");
  },
);

t.test(
  "labels are those that blkid gives, from the root directory and the boot sector",
  needs("mkfs.vfat", "blkid"),
  async (t) => {
    const image = path.join(t.testdir(), "seed.img");
    const blkid = (tag: string) =>
      run("sh", ["-c", `blkid -p -o value -s ${tag} ${image} || true`]).replace(/\n$/, "");
    const bootLabelAt = { 12: 43, 16: 43, 32: 71 };
    // mtools takes FAT32 of few clusters for FAT12, Linux does not.
    for (const options of [
      ...Object.values(kinds),
      { bits: 32, bytes: 4 * MiB, extra: [] } as const,
    ]) {
      for (const label of ["CIDATA", "cidata", "My Disk", ""]) {
        makeFat(image, {}, { ...options, label });
        const volume = open(image);
        t.equal(volume.label ?? "", blkid("LABEL"));
        t.equal(volume.labels.at(-1) ?? "", blkid("LABEL_FATBOOT"));
      }
      // Only in the boot sector, as some older programs leave it.
      makeFat(image, {}, { ...options, label: "" });
      const bytes = readFileSync(image);
      bytes.write("cidata     ", bootLabelAt[options.bits], "latin1");
      writeFileSync(image, bytes);
      t.equal(blkid("LABEL_FATBOOT"), "cidata");
      t.strictSame(open(image).labels, ["cidata"]);
      // Different ones.
      makeFat(image, {}, { ...options, label: "ROOT" });
      const other = readFileSync(image);
      other.write("BOOT       ", bootLabelAt[options.bits], "latin1");
      t.strictSame(open(other).labels, ["ROOT", "BOOT"]);
    }
  },
);

t.test("FAT made over an old ISO image is FAT", needs("mkfs.vfat", "xorriso"), async (t) => {
  const directory = t.testdir();
  const old = readFileSync(
    makeIso(path.join(directory, "old.iso"), writeTree(path.join(directory, "tree"), seed)),
  );
  const bytes = readFileSync(makeFat(path.join(directory, "seed.img"), {}, { bits: 12 }));
  bytes.set(old.subarray(32768, 32768 + 4096), 32768); // the descriptors lie where data may lie
  t.equal(open(bytes).type, "vfat");
});

t.test("a broken image faults with the place and the reason", tools, async (t) => {
  const image = path.join(t.testdir(), "seed.img");
  makeFat(image, { "user-data": noise(5000) }, { bits: 16, bytes: 16 * MiB, extra: ["-s", "1"] });
  const good = readFileSync(image);
  const table = good.readUInt16LE(14) * 512;
  const root = table + good.readUInt8(16) * good.readUInt16LE(22) * 512;
  const entry = good.indexOf("USER-D~1", root, "latin1");
  const first = good.readUInt16LE(entry + 26);
  const setNext = (bytes: Buffer, value: number) =>
    void bytes.writeUInt16LE(value, table + (first + 2) * 2);
  const cases: Record<string, { change(bytes: Buffer): Buffer | undefined; message: RegExp }> = {
    "a chain that is a loop": {
      change: (bytes) => setNext(bytes, first),
      message: /^\/dev\/vdb: file "user-data": its chain comes back to cluster \d+$/,
    },
    "a chain that ends early": {
      change: (bytes) => setNext(bytes, 0xffff),
      message: /file "user-data": its chain ends after 1536 of 5000 bytes/,
    },
    "a chain that leads out": {
      change: (bytes) => setNext(bytes, 0xfff0),
      message: /file "user-data": its chain leads to cluster 65520 of \d+/,
    },
    "a chain that leads to a free cluster": {
      change: (bytes) => setNext(bytes, 0),
      message: /its chain leads to cluster 0 of/,
    },
    "a file that says it is larger than the image": {
      change: (bytes) => void bytes.writeUInt32LE(0xffffffff, entry + 28),
      message: /user-data: says it has 4294967295 bytes, the whole image has 16777216/,
    },
    "an image that is cut off before its files": {
      change: (bytes) => bytes.subarray(0, root + 4096),
      message: /"?user-data"?: (says it has|lies at)/,
    },
    "an image that is cut off before its root directory": {
      change: (bytes) => bytes.subarray(0, root),
      message: /root directory: lies at bytes/,
    },
  };
  for (const [name, { change, message }] of Object.entries(cases)) {
    const copy = Buffer.from(good);
    const volume = open(change(copy) ?? copy);
    t.ok(volume.labels.includes("CIDATA"), `${name}: the label is still known`);
    t.throws(
      () => volume.read("user-data", 1 * MiB),
      { code: "datasource/malformed", message },
      name,
    );
  }
});

t.test("a root directory that is a loop faults", tools, async (t) => {
  const image = path.join(t.testdir(), "seed.img");
  makeFat(image, {}, { bits: 32, bytes: 40 * MiB, extra: ["-s", "1"] });
  const bytes = readFileSync(image);
  const table = bytes.readUInt16LE(14) * 512;
  const root = table + bytes.readUInt8(16) * bytes.readUInt32LE(36) * 512;
  for (let at = root + 32; at < root + 512; at += 32) bytes.write("DELETED\x20TXT", at, "latin1");
  bytes.writeUInt32LE(2, table + 8); // cluster 2 follows cluster 2
  t.throws(() => open(bytes).list(), {
    message: "/dev/vdb: root directory: its chain comes back to cluster 2",
  });
});

t.test("a long name with a wrong checksum is not believed", tools, async (t) => {
  const image = path.join(t.testdir(), "seed.img");
  makeFat(image, { "user-data": "x" }, { bits: 12 });
  const bytes = readFileSync(image);
  const entry = bytes.indexOf("USER-D~1", 0, "latin1");
  bytes.writeUInt8(bytes.readUInt8(entry - 32 + 13) ^ 1, entry - 32 + 13);
  const volume = open(bytes);
  t.strictSame(
    volume.list().map(({ name }) => name),
    ["USER-D~1"],
  );
  t.equal(volume.read("user-data", 100), undefined);
});

t.test("a file larger than its caller wants is refused before it is read", tools, async (t) => {
  const volume = open(makeFat(path.join(t.testdir(), "seed.img"), { "user-data": noise(5000) }));
  t.throws(() => volume.read("user-data", 4999), { code: "io/too-large" });
  t.equal(volume.read("user-data", 5000)?.length, 5000);
});

t.test(
  "the label costs a boot sector and the beginning of the root directory",
  tools,
  async (t) => {
    for (const [name, options] of Object.entries(kinds)) {
      const access = memoryAccess(
        readFileSync(makeFat(path.join(t.testdir(), "seed.img"), seed, options)),
      );
      t.equal(openVolume(access)?.label, "CIDATA");
      t.ok(access.counts.bytes <= 512 + 4096, `${name}: ${access.counts.bytes} bytes read`);
    }
  },
);
