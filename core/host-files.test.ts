import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import t from "tap";
import { Fault } from "./fault.ts";
import { hostFiles } from "./host-files.ts";

function open(t: { testdir(): string }) {
  const root = t.testdir();
  const effects: string[] = [];
  return { root, effects, files: hostFiles(root, (name) => void effects.push(name)) };
}

t.test("what is absent is undefined, what is broken is a fault", async (t) => {
  const { root, files } = open(t);
  t.equal(files.read("/none"), undefined);
  t.equal(files.readText("/none/below"), undefined);
  writeFileSync(path.join(root, "plain"), "");
  t.equal(files.readText("/plain/below"), undefined);
  t.strictSame(files.list("/none"), []);
  t.equal(files.stat("/none"), undefined);
  t.equal(files.realPath("/none"), undefined);
  mkdirSync(path.join(root, "directory"));
  t.throws(() => files.read("/directory"), { code: "io/read-failed" });
});

t.test("room on a file system is what statfs says", async (t) => {
  const { root, files } = open(t);
  const { blocks, bsize } = statfsSync(root);
  const space = files.space("/");
  t.equal(space?.totalBytes, blocks * bsize);
  t.ok((space?.availableBytes ?? 0) <= (space?.freeBytes ?? -1));
  t.ok((space?.freeBytes ?? 0) < (space?.totalBytes ?? 0));
  t.equal(files.space("/none"), undefined);
});

t.test("a file larger than the limit is refused before it fills the memory", async (t) => {
  const { root, files } = open(t);
  writeFileSync(path.join(root, "big"), "x".repeat(1001));
  t.throws(() => files.read("/big", { maxBytes: 1000 }), { code: "io/too-large" });
  t.equal(files.readText("/big", { maxBytes: 1001 })?.length, 1001);
});

t.test("what can be made again is written without waiting for the disk", async (t) => {
  const { root, files } = open(t);
  const names: string[] = [];
  const counted = hostFiles(root, (name) => names.push(name)).unsynced;
  counted.write("/a/b", "one", { mode: 0o600 });
  counted.append("/a/b", " two");
  counted.rename("/a/b", "/a/c");
  t.equal(files.readText("/a/c"), "one two");
  t.equal(files.stat("/a/c")?.mode, 0o600);
  counted.remove("/a");
  t.equal(files.stat("/a"), undefined);
  t.same(names, ["write /a/b", "append /a/b", "rename /a/c", "remove /a"]);
});

t.test("links are followed inside the root and never out of it", async (t) => {
  const { root, files } = open(t);
  mkdirSync(path.join(root, "etc"));
  writeFileSync(path.join(root, "etc/target"), "inside");
  symlinkSync("/etc/target", path.join(root, "absolute"));
  symlinkSync("../../../../../etc/target", path.join(root, "etc/climbs"));
  symlinkSync("/etc", path.join(root, "directory"));
  symlinkSync("loop", path.join(root, "loop"));
  for (const name of ["/absolute", "/etc/climbs", "/directory/target"])
    t.equal(files.readText(name), "inside", name);
  t.equal(files.realPath("/directory/target"), "/etc/target");
  t.throws(() => files.read("/loop"), Fault);
  files.write("/directory/new", "written");
  t.equal(readFileSync(path.join(root, "etc/new"), "utf8"), "written");
});

t.test(
  "a write replaces the file whole, with its mode, and leaves nothing beside it",
  async (t) => {
    const { root, files, effects } = open(t);
    files.write("/a/b/file", "one", { mode: 0o600 });
    files.write("/a/b/file", "two", { mode: 0o640 });
    t.equal(files.readText("/a/b/file"), "two");
    t.equal(statSync(path.join(root, "a/b/file")).mode & 0o777, 0o640);
    t.strictSame(readdirSync(path.join(root, "a/b")), ["file"]);
    t.strictSame(effects, ["write /a/b/file", "write /a/b/file"]);
  },
);

t.test("a write that fails leaves the old file", async (t) => {
  const { root } = open(t);
  const files = hostFiles(root, () => {});
  files.write("/file", "old");
  mkdirSync(path.join(root, "taken"));
  t.throws(() => files.write("/taken", "new"), { code: "io/write-failed" });
  t.equal(files.readText("/file"), "old");
  t.strictSame(readdirSync(root).sort(), ["file", "taken"]);
});

t.test("appending adds to the end and keeps the file private", async (t) => {
  const { root, files } = open(t);
  files.append("/log/journal", "one\n");
  files.append("/log/journal", "two\n");
  t.equal(files.readText("/log/journal"), "one\ntwo\n");
  t.equal(statSync(path.join(root, "log/journal")).mode & 0o777, 0o600);
});

t.test("a link replaces what stands there", async (t) => {
  const { files } = open(t);
  files.link("../var/one", "/etc/link");
  files.link("../var/two", "/etc/link");
  t.equal(files.readLink("/etc/link"), "../var/two");
  t.equal(files.stat("/etc/link")?.kind, "link");
  t.equal(files.readLink("/etc"), undefined);
});

t.test(
  "removing overwrites a file's bytes first when told to, and is no effect where nothing is",
  async (t) => {
    const { root, files, effects } = open(t);
    files.write("/secret", "canary");
    const other = path.join(root, "other");
    // A second name of the same file shows what became of its bytes.
    const { linkSync } = await import("node:fs");
    linkSync(path.join(root, "secret"), other);
    files.remove("/secret", { overwrite: true });
    t.equal(existsSync(path.join(root, "secret")), false);
    t.equal(
      readFileSync(other).every((byte) => byte === 0),
      true,
    );
    const before = effects.length;
    files.remove("/secret");
    files.makeDirectory("/");
    t.equal(effects.length, before);
  },
);

t.test("a file open for reading gives any part of itself, and less only at its end", async (t) => {
  const { root, files } = open(t);
  writeFileSync(path.join(root, "image"), Buffer.from("0123456789"));
  const access = files.open("/image");
  t.equal(access.size, 10);
  t.equal(Buffer.from(access.read(2, 3)).toString(), "234");
  t.equal(Buffer.from(access.read(8, 10)).toString(), "89");
  t.equal(access.read(20, 5).length, 0);
  access.close();
  t.throws(() => files.open("/none"), { code: "io/read-failed" });
});

t.test("the mode of a new directory is not that of its parents", async (t) => {
  const { root, files } = open(t);
  files.makeDirectory("/state/secrets", { mode: 0o700 });
  t.equal(statSync(path.join(root, "state")).mode & 0o777, 0o755);
  t.equal(statSync(path.join(root, "state/secrets")).mode & 0o777, 0o700);
});

t.test(
  "a directory that the kernel refuses to make is a fault, not an endless attempt",
  async (t) => {
    // In a process of its own: what never ends ends with it.
    const script = `import { hostFiles } from ${JSON.stringify(path.join(import.meta.dirname, "host-files.ts"))};
    try { hostFiles("/proc/firstlight", () => {}).write("/a/b", ""); }
    catch (error) { process.stdout.write(error.code); }`;
    const { status, stdout } = spawnSync(
      process.execPath,
      ["--input-type=module", "--eval", script],
      { encoding: "utf8", timeout: 20_000, killSignal: "SIGKILL" },
    );
    t.equal(status, 0);
    t.equal(stdout, "io/write-failed");
  },
);

t.test("a file in the place of a directory is a fault, a link to a directory is one", async (t) => {
  const { root, files } = open(t);
  files.write("/file", "");
  t.throws(() => files.write("/file/a/b", ""), { code: "io/write-failed" });
  mkdirSync(path.join(root, "real"));
  symlinkSync("real", path.join(root, "link"));
  files.write("/link/a/b", "inside");
  t.equal(files.readText("/real/a/b"), "inside");
});
