import { readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { isFault } from "#core/fault.ts";
import {
  isoPrograms,
  makeIso,
  memoryAccess,
  needs,
  noise,
  run,
  type Tree,
  writeTree,
} from "./make-images.ts";
import { openVolume, type Volume } from "./volume.ts";

const tools = needs("xorriso", "genisoimage");
const seed: Tree = {
  "user-data": "#cloud-config\nhostname: node-7\n",
  "meta-data": "instance-id: i-1\n",
  "vendor-data": "",
  "network-config": noise(5000),
  "openstack/latest/meta_data.json": "{}",
};

function open(image: string): Volume {
  const volume = openVolume(memoryAccess(readFileSync(image)), "/dev/sr0");
  if (volume === undefined) throw new Error(`${image}: no volume`);
  return volume;
}

/** Files of a volume as the tree they were made of, read to the last directory. */
function readTree(volume: Volume, directory = ""): Record<string, Buffer> {
  const files: Record<string, Buffer> = {};
  for (const entry of volume.list(directory)) {
    const name = directory === "" ? entry.name : `${directory}/${entry.name}`;
    if (entry.kind === "directory") Object.assign(files, readTree(volume, name));
    else files[name] = Buffer.from(volume.read(name, 1 << 20) ?? "absent");
  }
  return files;
}

function asBuffers(tree: Tree): Record<string, Buffer> {
  return Object.fromEntries(
    Object.entries(tree).map(([name, content]) => [name, Buffer.from(content)]),
  );
}

t.test("images of every program are read byte for byte", tools, async (t) => {
  const directory = writeTree(path.join(t.testdir(), "tree"), seed);
  for (const program of Object.keys(isoPrograms) as (keyof typeof isoPrograms)[]) {
    await t.test(program, async (t) => {
      const volume = open(
        makeIso(path.join(directory, "..", "seed.iso"), directory, { program, label: "cidata" }),
      );
      t.match(volume, { type: "iso9660", label: "cidata", labels: ["cidata"] });
      if (program.endsWith("plain")) {
        // Eight letters, three, and no minus: what ISO 9660 level 1 makes of the names.
        t.strictSame(
          volume
            .list()
            .map(({ name }) => name)
            .sort(),
          ["meta_dat", "network_", "openstac", "user_dat", "vendor_d"],
        );
        t.strictSame(Buffer.from(volume.read("network_", 5000) ?? ""), seed["network-config"]);
        t.equal(volume.read("user-data", 100), undefined);
      } else {
        t.strictSame(readTree(volume), asBuffers(seed));
      }
    });
  }
});

t.test(
  "plain names lose their version and become lower case, as Linux shows them",
  tools,
  async (t) => {
    const directory = writeTree(path.join(t.testdir(), "tree"), {
      USERDATA: "u",
      "README.TXT": "r",
    });
    const volume = open(
      makeIso(path.join(directory, "..", "plain.iso"), directory, {
        program: "genisoimage plain",
      }),
    );
    t.strictSame(
      volume
        .list()
        .map(({ name }) => name)
        .sort(),
      ["readme.txt", "userdata"],
    );
  },
);

t.test("an image of cloud-localds is read", needs("cloud-localds", "genisoimage"), async (t) => {
  const directory = writeTree(path.join(t.testdir(), "tree"), {
    user: "#!/bin/sh\n",
    meta: "instance-id: i-2\n",
  });
  const image = path.join(directory, "seed.img");
  run("cloud-localds", [image, path.join(directory, "user"), path.join(directory, "meta")]);
  const volume = open(image);
  t.equal(volume.label, "cidata");
  t.strictSame(
    readTree(volume),
    asBuffers({ "user-data": "#!/bin/sh\n", "meta-data": "instance-id: i-2\n" }),
  );
});

t.test("the label is the one that blkid gives", needs("xorriso", "blkid"), async (t) => {
  const directory = writeTree(path.join(t.testdir(), "tree"), seed);
  for (const label of [
    "cidata",
    "CIDATA",
    "config-2",
    "With Space",
    "A_32_LETTER_LABEL_ABCDEFGHIJKLMN",
  ]) {
    const image = makeIso(path.join(directory, "..", "label.iso"), directory, { label });
    t.equal(
      open(image).label,
      run("blkid", ["-p", "-o", "value", "-s", "LABEL", image]).replace(/\n$/, ""),
    );
  }
});

t.test("deep directories, long names and letters of the world are found", tools, async (t) => {
  const long = `${"n".repeat(120)}-${"m".repeat(120)}`;
  const deep = `${Array.from({ length: 14 }, (_, index) => `level-${index}`).join("/")}/leaf`;
  const tree = { [long]: "long", [deep]: "deep", "grüße-日本.txt": "hello", "UPPER lower": "case" };
  const directory = writeTree(path.join(t.testdir(), "tree"), tree);
  for (const program of ["xorriso -r", "genisoimage -r"] as const) {
    const extra = program === "genisoimage -r" ? ["-input-charset", "utf-8"] : [];
    const volume = open(
      makeIso(path.join(directory, "..", "deep.iso"), directory, { program, extra }),
    );
    const found = readTree(volume);
    delete found["rr_moved"];
    t.strictSame(found, asBuffers(tree), program);
  }
  const joliet = writeTree(path.join(directory, "..", "joliet"), {
    "grüße-日本.txt": "hello",
    "A long name with Joliet.text": "x",
  });
  const extra = ["-input-charset", "utf-8"];
  const volume = open(
    makeIso(path.join(directory, "..", "j.iso"), joliet, { program: "genisoimage -J", extra }),
  );
  t.strictSame(
    readTree(volume),
    asBuffers({ "grüße-日本.txt": "hello", "A long name with Joliet.text": "x" }),
  );
});

t.test("a directory of a thousand files is read whole", tools, async (t) => {
  const tree = Object.fromEntries(
    Array.from({ length: 1000 }, (_, index) => [`file-${index}`, `${index}`]),
  );
  const directory = writeTree(path.join(t.testdir(), "tree"), tree);
  const volume = open(makeIso(path.join(directory, "..", "many.iso"), directory));
  t.strictSame(readTree(volume), asBuffers(tree));
});

t.test("a link is not followed, and said to be one", tools, async (t) => {
  const directory = writeTree(path.join(t.testdir(), "tree"), { real: "x" });
  symlinkSync("real", path.join(directory, "user-data"));
  const volume = open(makeIso(path.join(directory, "..", "link.iso"), directory));
  t.throws(() => volume.read("user-data", 100), {
    code: "datasource/malformed",
    message: "/dev/sr0: user-data: a regular file was expected, a link came",
  });
});

t.test("a file in several extents is one file", tools, async (t) => {
  const content = noise(3 * 2048 + 17);
  const directory = writeTree(path.join(t.testdir(), "tree"), { big: content });
  const image = readFileSync(
    makeIso(path.join(directory, "..", "big.iso"), directory, { program: "genisoimage plain" }),
  );
  const { at, record } = findRecord(image, "BIG.;1");
  // The same file as two records: one block with "more follows", then the rest.
  const first = Buffer.from(record);
  first.writeUInt32LE(2048, 10);
  first[25] = 0x80;
  const second = Buffer.from(record);
  second.writeUInt32LE(record.readUInt32LE(2) + 1, 2);
  second.writeUInt32LE(content.length - 2048, 10);
  image.set(Buffer.concat([first, second]), at);
  const volume = openVolume(memoryAccess(image), "image");
  t.strictSame(volume?.list(), [{ name: "big", kind: "file", size: content.length }]);
  t.strictSame(Buffer.from(volume?.read("big", 1 << 20) ?? ""), content);

  image.fill(0, at + first.length, at + first.length * 2);
  t.throws(
    () => openVolume(memoryAccess(image), "image")?.list(),
    /the last part of "big" is missing/,
  );
});

t.test("a broken image faults with the place and the reason", tools, async (t) => {
  const directory = writeTree(path.join(t.testdir(), "tree"), {
    "user-data": "x".repeat(5000),
    sub: "y",
  });
  const good = readFileSync(
    makeIso(path.join(directory, "..", "good.iso"), directory, { program: "xorriso -r" }),
  );
  const root = 32768 + 156;
  const record = findRecord(good, "USER_DAT").at;
  const cases: Record<string, { change(image: Buffer): Buffer | undefined; message: RegExp }> = {
    "the root lies past the end": {
      change: (image) => void image.writeUInt32LE(0xffffff00, root + 2),
      message:
        /^\/dev\/sr0: root directory: lies at bytes 8796092497920 to .*, but the image ends at \d+$/,
    },
    "the root has an absurd size": {
      change: (image) => void image.writeUInt32LE(0xfffff800, root + 10),
      message: /^\/dev\/sr0: root directory: 4294965248 bytes, a directory has at most 1048576$/,
    },
    "the block size is absurd": {
      change: (image) => void image.writeUInt16LE(7, 32768 + 128),
      message: /volume descriptor: block size 7, expected 512, 1024 or 2048/,
    },
    "a file lies past the end": {
      change: (image) => void image.writeUInt32LE(0x00ffffff, record + 2),
      message: /file "user-data": lies at bytes 34359736320 to 34359741320/,
    },
    "a file says it is larger than the image": {
      change: (image) => void image.writeUInt32LE(0x7fffffff, record + 10),
      message: /user-data: says it has 2147483647 bytes, the whole image has \d+/,
    },
    "a record does not fit": {
      change: (image) => void image.writeUInt8(250, record + 32),
      message:
        /root directory, record at byte \d+: a directory record of \d+ bytes that does not fit/,
    },
    "the image is cut off before its files": {
      change: (image) =>
        image.subarray(0, findRecord(image, "USER_DAT").record.readUInt32LE(2) * 2048 + 100),
      message: /"?user-data"?: (says it has|lies at)/,
    },
  };
  for (const [name, { change, message }] of Object.entries(cases)) {
    const copy = Buffer.from(good);
    const image = change(copy) ?? copy;
    const volume = openVolume(memoryAccess(image), "/dev/sr0");
    t.equal(volume?.label, "cidata", `${name}: the label is still known`);
    t.throws(
      () => volume?.read("user-data", 1 << 20),
      { code: "datasource/malformed", message },
      name,
    );
  }
});

t.test("Rock Ridge that continues in a circle faults", tools, async (t) => {
  const directory = writeTree(path.join(t.testdir(), "tree"), { [`${"n".repeat(200)}`]: "x" });
  const image = readFileSync(
    makeIso(path.join(directory, "..", "ce.iso"), directory, { program: "xorriso -r" }),
  );
  let changed = 0;
  for (let at = image.indexOf("CE\x1c\x01"); at >= 0; at = image.indexOf("CE\x1c\x01", at + 1)) {
    const area = image.readUInt32LE(at + 4) * 2048 + image.readUInt32LE(at + 12);
    image.copy(image, area, at, at + 28); // the area now begins with the way to itself
    image.writeUInt32LE(2048, area + 20);
    changed += 1;
  }
  t.ok(changed > 0);
  t.throws(() => openVolume(memoryAccess(image), "image")?.list(), /continues without end/);
});

t.test("a file larger than its caller wants is refused before it is read", tools, async (t) => {
  const directory = writeTree(path.join(t.testdir(), "tree"), { "user-data": "x".repeat(5000) });
  const volume = open(makeIso(path.join(directory, "..", "large.iso"), directory));
  t.throws(() => volume.read("user-data", 4999), { code: "io/too-large" });
  t.equal(volume.read("user-data", 5000)?.length, 5000);
});

t.test("what is no file system is none, at the price of a few sectors", async (t) => {
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(511), Buffer.alloc(40_000), noise(100_000)]) {
    const access = memoryAccess(bytes);
    t.equal(openVolume(access), undefined);
    t.ok(access.counts.bytes <= 512 + 2048, `${access.counts.bytes} bytes read`);
  }
});

t.test("the label costs only boot sector and descriptors", tools, async (t) => {
  const directory = writeTree(path.join(t.testdir(), "tree"), seed);
  const access = memoryAccess(
    readFileSync(makeIso(path.join(directory, "..", "cheap.iso"), directory)),
  );
  t.equal(openVolume(access)?.label, "cidata");
  t.ok(access.counts.bytes <= 512 + 4 * 2048, `${access.counts.bytes} bytes read`);
});

t.test("an unreadable place is a fault of its own", async (t) => {
  const { Fault } = await import("#core/fault.ts");
  const access = {
    size: 1 << 20,
    read(): never {
      throw new Fault("io/read-failed", "/dev/sr0: at byte 0: EIO");
    },
    close() {},
  };
  try {
    openVolume(access);
    t.fail("no fault");
  } catch (error) {
    t.ok(isFault(error, "io/read-failed"));
  }
});

function findRecord(image: Buffer, name: string): { at: number; record: Buffer } {
  const rootOffset = image.readUInt32LE(32768 + 158) * 2048;
  const at = image.indexOf(name, rootOffset) - 33;
  return { at, record: Buffer.from(image.subarray(at, at + image.readUInt8(at))) };
}
