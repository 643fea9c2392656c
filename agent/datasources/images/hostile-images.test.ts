import { readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fc } from "#core/fast-check.ts";
import { isFault } from "#core/fault.ts";
import {
  isoPrograms,
  makeFat,
  makeIso,
  memoryAccess,
  needs,
  noise,
  type Tree,
  writeTree,
} from "./make-images.ts";
import { openVolume, type Volume } from "./volume.ts";

const tools = needs("xorriso", "genisoimage", "mkfs.vfat", "mcopy");
const runsPerImage = 1500;
const maxFileBytes = 64 * 1024;
const maxFiles = 40;
const maxBytesRead = 2 * 32 * 1024 * 1024;

const tree: Tree = {
  "user-data": "#cloud-config\n",
  "meta-data": "instance-id: i-1\n",
  [`${"long".repeat(50)}.txt`]: "long",
  "one/two/three/four/five/six/seven/eight/nine/leaf": "deep",
};

/** Real images, small but for those that cannot be. */
function makeImages(directory: string): Record<string, Buffer> {
  const source = writeTree(path.join(directory, "tree"), tree);
  const images: Record<string, Buffer> = {};
  for (const program of Object.keys(isoPrograms) as (keyof typeof isoPrograms)[]) {
    images[program] = readFileSync(
      makeIso(path.join(directory, "seed.iso"), source, { program, extra: deepEnough(program) }),
    );
  }
  const fat = path.join(directory, "seed.img");
  images["FAT12"] = readFileSync(makeFat(fat, tree, { bits: 12, bytes: 256 * 1024 }));
  images["FAT16"] = readFileSync(
    makeFat(fat, tree, { bits: 16, bytes: 4 * 1024 * 1024, extra: ["-s", "1"] }),
  );
  images["FAT32"] = readFileSync(
    makeFat(fat, tree, { bits: 32, bytes: 36 * 1024 * 1024, extra: ["-s", "1"] }),
  );
  return images;
}

/** Without Rock Ridge genisoimage leaves directories out that lie too deep. */
function deepEnough(program: keyof typeof isoPrograms): readonly string[] {
  return program === "genisoimage -J" || program === "genisoimage plain" ? ["-D"] : [];
}

/** Reads everything that an image shows, within limits; counts the files that could be read. */
function readAll(volume: Volume): number {
  let files = 0;
  const pending = [""];
  for (let visited = 0; pending.length > 0 && visited < maxFiles; visited++) {
    const directory = pending.shift() ?? "";
    for (const entry of volume.list(directory).slice(0, maxFiles)) {
      const name = `${directory}/${entry.name}`;
      if (entry.kind === "directory") pending.push(name);
      else if (entry.kind === "file" && volume.read(name, maxFileBytes) !== undefined) files += 1;
    }
  }
  return files;
}

/** Where a change is likely to matter: bytes that are not zero and those beside them. */
function tellingOffsets(image: Buffer): readonly number[] {
  const offsets: number[] = [];
  for (let at = 0; at < image.length; at++) {
    if (image[at] !== 0 || (at > 0 && image[at - 1] !== 0)) offsets.push(at);
  }
  return offsets;
}

const telling = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff];
const evenly = fc.noBias(fc.integer({ min: 0, max: 2 ** 30 - 1 })).map((value) => value / 2 ** 30);
const mutation = fc.record({
  flips: fc.array(
    fc.record({
      where: evenly,
      value: fc.oneof(fc.constantFrom(...telling), fc.integer({ min: 0, max: 255 })),
      width: fc.constantFrom(1, 1, 1, 2, 4),
    }),
    { minLength: 1, maxLength: 8 },
  ),
  keep: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: evenly }),
});

t.test(
  "a damaged image gives its files or a fault, reads little and never outside of itself",
  tools,
  async (t) => {
    const images = makeImages(t.testdir());
    const outcomes = { none: 0, read: 0, fault: 0 };
    for (const [name, image] of Object.entries(images)) {
      const whole = openVolume(memoryAccess(image));
      t.ok(
        whole !== undefined && readAll(whole) === Object.keys(tree).length,
        `${name} is whole before`,
      );
      const offsets = tellingOffsets(image);
      const property = fc.property(mutation, ({ flips, keep }) => {
        const undo: [number, number][] = [];
        for (const { where, value, width } of flips) {
          const start = offsets[Math.floor(where * offsets.length)] ?? 0;
          for (let at = start; at < Math.min(start + width, image.length); at++) {
            undo.push([at, image.readUInt8(at)]);
            image.writeUInt8(value, at);
          }
        }
        const access = memoryAccess(image.subarray(0, Math.floor(image.length * keep)));
        try {
          const volume = openVolume(access, name);
          if (volume === undefined) outcomes.none += 1;
          else outcomes[readAll(volume) >= 0 ? "read" : "none"] += 1;
        } catch (error) {
          if (!isFault(error)) throw error;
          if (!["datasource/malformed", "io/too-large"].includes(error.code)) throw error;
          outcomes.fault += 1;
        } finally {
          for (const [at, value] of undo.reverse()) image.writeUInt8(value, at);
        }
        return access.counts.bytes <= maxBytesRead && access.counts.reads <= maxBytesRead / 512;
      });
      fc.assert(property, { seed: 20260131, numRuns: runsPerImage });
    }
    t.comment(JSON.stringify(outcomes));
    t.ok(
      outcomes.none > 100 && outcomes.read > 100 && outcomes.fault > 100,
      "every outcome was met",
    );
  },
);

t.test("noise behind a valid beginning gives a fault", tools, async (t) => {
  const images = makeImages(t.testdir());
  for (const [name, image] of Object.entries(images)) {
    for (let seed = 1; seed <= 5; seed++) {
      const access = memoryAccess(
        Buffer.concat([
          image.subarray(0, name.startsWith("FAT") ? 512 : 32768 + 2048),
          noise(200_000, seed),
        ]),
      );
      try {
        const volume = openVolume(access, name);
        if (volume !== undefined) readAll(volume);
      } catch (error) {
        t.ok(isFault(error), `${name} ${seed}: ${error}`);
      }
      t.ok(access.counts.bytes <= maxBytesRead);
    }
  }
});
