import { readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { openImage } from "./image.ts";
import {
  makeIso,
  makeUdf,
  memoryAccess,
  needs,
  noise,
  type Tree,
  writeTree,
} from "./make-images.ts";
import { probeUdf } from "./udf.ts";

const tools = needs("genisoimage");
const long = noise(300_000);
const tree: Tree = {
  "ovf-env.xml": "<Environment/>",
  empty: "",
  "long.bin": long,
  "Ünïcode — 名.txt": "wide",
  "sub/deeper/README.txt": "below",
};

function makeDisc(t: { testdir(): string }, content: Tree = tree): Buffer {
  const scratch = t.testdir();
  const source = writeTree(path.join(scratch, "tree"), content);
  return readFileSync(makeUdf(path.join(scratch, "udf.iso"), source));
}

const open = (bytes: Uint8Array) => probeUdf(openImage(memoryAccess(bytes), "disc"));

t.test("files of a disc with UDF alone", tools, async (t) => {
  const volume = open(makeDisc(t));
  t.same(
    volume
      ?.list()
      .map(({ name, kind, size }) => [name, kind, size])
      .sort(),
    [
      ["empty", "file", 0],
      ["long.bin", "file", 300_000],
      ["ovf-env.xml", "file", 14],
      ["sub", "directory", volume?.list().find(({ name }) => name === "sub")?.size],
      ["Ünïcode — 名.txt", "file", 4],
    ],
  );
  const text = (name: string) => Buffer.from(volume?.read(name, 1024) ?? []).toString();
  t.equal(text("ovf-env.xml"), "<Environment/>");
  t.equal(text("Ünïcode — 名.txt"), "wide");
  t.equal(text("sub/deeper/README.txt"), "below");
  t.same(volume?.read("long.bin", 300_000), new Uint8Array(long));
  t.equal(volume?.read("nothing", 1), undefined);
  t.throws(() => volume?.read("long.bin", 299_999), { code: "io/too-large" });
  t.throws(() => volume?.read("sub", 1), { code: "datasource/malformed" });
});

t.test("what is no UDF is none", tools, async (t) => {
  const scratch = t.testdir();
  const iso = makeIso(path.join(scratch, "a.iso"), writeTree(path.join(scratch, "a"), tree));
  t.equal(open(readFileSync(iso)), undefined, "ISO 9660");
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(64 * 1024), noise(64 * 1024)])
    t.equal(open(bytes), undefined);
});

t.test("a damaged disc faults, and reads no byte outside", tools, async (t) => {
  const whole = makeDisc(t, { "ovf-env.xml": "<Environment/>" });
  let faults = 0;
  const read = (bytes: Buffer, what: string) => {
    try {
      open(bytes)?.read("ovf-env.xml", 1024 * 1024);
    } catch (error) {
      faults += 1;
      t.match(error, { code: /^(datasource\/malformed|io\/too-large)$/ }, what);
    }
  };
  for (const sectors of [17, 20, 256, 257, 258, 262, 300])
    read(whole.subarray(0, sectors * 2048), `cut at ${sectors}`);
  const sectors = [32, 33, 34, 35, 36, 256, 257, 258, 259, 260, 261, 262];
  for (let round = 0; round < 1_200; round++) {
    const at = (sectors[round % sectors.length] ?? 0) * 2048 + ((round * 7) % 512);
    const before = Buffer.from(whole.subarray(at, at + 8));
    noise(8, (round % 250) + 1).copy(whole, at, 0, 1 + (round % 8));
    read(whole, `changed at ${at}`);
    before.copy(whole, at);
  }
  t.ok(faults > 20, `${faults} faults`);
});

t.test("a name that says it is longer than its directory", tools, async (t) => {
  const bytes = makeDisc(t, { "ovf-env.xml": "<Environment/>" });
  const at = bytes.indexOf(Buffer.from("\x08ovf-env.xml", "latin1"));
  bytes[at - 38 + 19] = 255;
  t.throws(() => open(bytes)?.list(), {
    code: "datasource/malformed",
    message: /^disc: root directory: the name at byte \d+ is cut$/,
  });
});
