import { execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { readPartitionTable } from "./partition-table.ts";

const size = 8 * 1024 * 1024;

/** The bytes of a disk that sfdisk has partitioned. */
function made(directory: string, script: string): Buffer {
  const image = path.join(directory, "disk");
  const fd = openSync(image, "w");
  ftruncateSync(fd, size);
  closeSync(fd);
  execFileSync("sfdisk", ["--quiet", image], { input: script, stdio: "pipe" });
  return readFileSync(image);
}

function read(bytes: Buffer, sectorBytes = 512) {
  return readPartitionTable((at, length) => bytes.subarray(at, at + length), { size, sectorBytes });
}

t.test(
  "a table of GPT is read as sfdisk wrote it; one that is damaged is never taken for none",
  async (t) => {
    const id = "7095795e-c781-4815-92e9-fe62842d2df1";
    const uuid = "40dedba5-a958-461d-b4f3-17d7c43d4e4d";
    const bytes = made(
      t.testdir(),
      `label: gpt\nlabel-id: ${id}\nstart=2048, size=2048, type=U, uuid=${uuid}, name="größer"\n`,
    );
    const entry = { number: 1, startBytes: 1_048_576, sizeBytes: 1_048_576, uuid, name: "größer" };
    const type = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
    t.same(read(bytes), { kind: "gpt", id, entries: [{ ...entry, type }], damage: null });

    const broken = (at: number, what: number) => {
      const copy = Buffer.from(bytes);
      copy[at] = what;
      return read(copy);
    };
    t.match(broken(512 + 56, 1), {
      kind: "gpt",
      entries: [],
      damage: /header has another checksum/,
    });
    t.match(broken(1024 + 32, 0xff), { kind: "gpt", damage: /entries have another checksum/ });
    t.match(broken(512 + 80, 0xff), { kind: "gpt", damage: /checksum/ });
    const zapped = Buffer.from(bytes).fill(0, 0, 17_408);
    t.match(
      read(zapped),
      { kind: "gpt", id, damage: /copy/ },
      "the copy at the end brings it back",
    );
    const protective = Buffer.from(bytes).fill(0, 512);
    t.match(read(protective), { kind: "gpt", damage: /cannot be read/ });
    t.match(read(bytes, 4096), { kind: "gpt", damage: /copy|cannot/ }, "sectors of another size");
  },
);

t.test("a table of MBR is read with its logical partitions", async (t) => {
  const script = [
    "label: dos\nlabel-id: 0x12345678",
    "start=2048, size=2048, type=7\nstart=4096, size=10240, type=5",
    "start=4098, size=2048, type=83\nstart=8192, size=2048, type=82\n",
  ].join("\n");
  const { kind, id, entries, damage } = read(made(t.testdir(), script));
  t.same({ kind, id, damage }, { kind: "dos", id: "12345678", damage: null });
  t.same(
    entries.map(({ number, startBytes, sizeBytes, type, uuid }) =>
      [number, startBytes / 512, sizeBytes / 512, type, uuid].join(" "),
    ),
    [
      "1 2048 2048 0x07 12345678-01",
      "2 4096 10240 0x05 12345678-02",
      "5 4098 2048 0x83 12345678-05",
      "6 8192 2048 0x82 12345678-06",
    ],
  );
});

t.test(
  "what has no table has none: zeros, noise, a file system that ends like an MBR",
  async (t) => {
    const none = { kind: "none", id: null, entries: [], damage: null };
    t.same(read(Buffer.alloc(size)), none);
    const noise = Buffer.alloc(size, 0x5a);
    t.same(read(noise), none);
    const fat = Buffer.alloc(size).fill(0x41, 0, 510);
    fat.writeUInt16LE(0xaa55, 510);
    t.same(read(fat), none);
    t.same(read(Buffer.alloc(0)), none);
  },
);
