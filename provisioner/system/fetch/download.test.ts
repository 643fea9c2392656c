import { randomBytes } from "node:crypto";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import t, { type Test } from "tap";
import { hostIo } from "#core/host-io.ts";
import type { Cache } from "./cache-pool.ts";
import { type DownloadDeps, download } from "./download.ts";
import { type CacheFault, fakeCache } from "./fake-cache.ts";
import { fakeEntry, fakeNarInfo } from "./fake-closure.ts";
import { hostCourier } from "./host-courier.ts";
import type { Compression } from "./narinfo.ts";
import { openStaging } from "./staging.ts";
import { nixStore } from "./store-commands.ts";
import { storeLines } from "./store-lines.ts";

const nar = Buffer.concat([randomBytes(40_000), Buffer.alloc(40_000, "x")]);
const entry = fakeEntry("bash", nar, ["glibc"]);
const hash = entry.path.slice(11, 43);
const infoPath = `${hash}.narinfo`;
const narPath = `nar/${hash}.nar`;

interface Setting {
  readonly packed?: Uint8Array;
  readonly compression?: string;
  readonly says?: Readonly<Record<string, string | null>>;
  readonly fault?: (path: string, n: number) => CacheFault | undefined;
}

/** One cache with one path, and what a download from it needs. */
async function prepare(t: Test, setting: Setting = {}) {
  const { packed = nar, compression = "none", says, fault } = setting;
  const info = fakeNarInfo(entry, { bytes: packed, compression }, says);
  const files = new Map<string, Uint8Array>([
    [infoPath, Buffer.from(info)],
    [narPath, packed],
  ]);
  const server = await fakeCache(t, (path) => files.get(path));
  if (fault !== undefined) server.fault = fault;
  const io = hostIo({ root: t.testdir() });
  const staging = openStaging(io.files, "/stage", "/nix/store");
  staging.prepare([entry]);
  const run = ({
    argv: [file, ...args],
    timeoutMs,
  }: {
    argv: readonly [string, ...string[]];
    timeoutMs: number;
  }) => io.exec({ file, args, timeoutMs });
  const stop = new AbortController();
  const cache: Cache = { url: server.url, received: 0, benchedUntilMs: 0 };
  const deps: DownloadDeps = {
    clock: io.clock,
    courier: hostCourier(io.files),
    files: io.files,
    unpack: nixStore(run, storeLines({ buildTimeoutMs: 10_000 }), io.files).unpack,
    cacheKeys: [],
    minimumRate: 10_000,
    windowMs: 400,
    signal: stop.signal,
    cache,
    staging,
  };
  return { server, io, staging, deps, stop, files };
}

function pack(t: Test, program: string, bytes: Uint8Array): Promise<Uint8Array> {
  const io = hostIo({ root: t.testdir({ in: Buffer.from(bytes) }) });
  const args = ["--compress", "--keep", io.files.hostPath("/in")];
  return io.exec({ file: program, args, timeoutMs: 10_000 }).then(({ code }) => {
    if (code !== 0) throw new Error(`${program}: ${code}`);
    return io.files.read(program === "xz" ? "/in.xz" : "/in.bz2") ?? new Uint8Array();
  });
}

t.test("an archive is brought and verified, however it is packed", async (t) => {
  const packings: Readonly<
    Record<Compression, (t: Test, bytes: Uint8Array) => Promise<Uint8Array> | Uint8Array>
  > = {
    none: (_, bytes) => bytes,
    zstd: (_, bytes) => zstdCompressSync(bytes),
    gzip: (_, bytes) => gzipSync(bytes),
    br: (_, bytes) => brotliCompressSync(bytes),
    xz: (t, bytes) => pack(t, "xz", bytes),
    bzip2: (t, bytes) => pack(t, "bzip2", bytes),
  };
  for (const [compression, packing] of Object.entries(packings)) {
    await t.test(compression, async (t) => {
      const packed = await packing(t, nar);
      const { deps, io, server, staging } = await prepare(t, { packed, compression });
      await download(deps, entry);
      t.same(io.files.read(`/stage/${narPath}`), nar);
      t.ok(await staging.holds(entry));
      t.same(io.files.list("/stage/nar"), [`${hash}.nar`], "nothing else is left");
      t.same(server.requests, [`GET ${infoPath}`, `GET ${narPath}`]);
    });
  }
});

t.test("a bomb is stopped at the size that the manifest says", async (t) => {
  const zeros = Buffer.alloc(4 * 1024 * 1024);
  const bombs: Readonly<Record<string, (t: Test) => Promise<Uint8Array> | Uint8Array>> = {
    zstd: () => zstdCompressSync(zeros),
    gzip: () => gzipSync(zeros),
    xz: (t) => pack(t, "xz", zeros),
    bzip2: (t) => pack(t, "bzip2", zeros),
  };
  for (const [compression, bomb] of Object.entries(bombs)) {
    await t.test(compression, async (t) => {
      const { deps, io } = await prepare(t, { packed: await bomb(t), compression });
      await t.rejects(download(deps, entry), { code: "system/cache-lied" });
      t.same(io.files.list("/stage/nar"), [], "nothing of it is left");
    });
  }
});

t.test("what a cache does wrong, and what it is called", async (t) => {
  const flipped = Buffer.from(nar);
  flipped[100] = (flipped[100] ?? 0) ^ 1;
  const onNar = (fault: CacheFault) => (path: string) => (path === narPath ? fault : undefined);
  const cases: Readonly<Record<string, readonly [Setting, string]>> = {
    "another archive, announced as such": [{ packed: flipped }, "system/cache-lied"],
    "another archive than announced": [
      { fault: onNar({ is: "lie", change: () => flipped }) },
      "system/cache-lied",
    ],
    "half of the archive, announced as the whole": [
      { fault: onNar({ is: "lie", change: (bytes) => bytes.subarray(0, 1000) }) },
      "system/cache-lied",
    ],
    "more than announced": [
      { fault: onNar({ is: "lie", change: (bytes) => Buffer.concat([bytes, bytes]) }) },
      "system/cache-lied",
    ],
    "bytes without an end": [{ fault: onNar({ is: "endless" }) }, "system/cache-lied"],
    "an archive that cannot be unpacked": [{ compression: "zstd" }, "system/cache-lied"],
    "another hash in the narinfo": [
      { says: { NarHash: `sha256:${"ab".repeat(32)}` } },
      "system/cache-lied",
    ],
    "endless narinfo": [{ fault: () => ({ is: "endless" }) }, "system/cache-lied"],
    "no narinfo": [{ fault: () => ({ is: "status", status: 404 }) }, "system/cache-absent"],
    "a narinfo without its archive": [
      { fault: onNar({ is: "status", status: 404 }) },
      "system/cache-absent",
    ],
    overloaded: [{ fault: () => ({ is: "status", status: 503 }) }, "system/cache-unreachable"],
    "a page of a captive portal": [
      { fault: () => ({ is: "lie", change: () => Buffer.from("<html>") }) },
      "system/cache-lied",
    ],
    "gone in the middle": [
      { fault: onNar({ is: "vanish", after: 999 }) },
      "system/cache-unreachable",
    ],
    "no answer": [{ fault: () => ({ is: "silent" }) }, "system/cache-unreachable"],
    "a byte now and then": [{ fault: onNar({ is: "drip" }) }, "system/cache-slow"],
    "packed in a way of the future": [{ compression: "lzma9" }, "system/cache-unusable"],
  };
  for (const [name, [setting, code]] of Object.entries(cases)) {
    await t.test(name, async (t) => {
      const { deps, staging } = await prepare(t, setting);
      await t.rejects(download(deps, entry), { code });
      t.notOk(await staging.holds(entry), "Nix does not see it");
    });
  }
  await t.test("nobody listens", async (t) => {
    const { deps, server } = await prepare(t);
    server.close();
    await t.rejects(download(deps, entry), { code: "system/cache-unreachable" });
  });
  await t.test("a signature of no key that is asked for", async (t) => {
    const { deps } = await prepare(t, { says: { Sig: "cache-1:AAAA" } });
    const { readPublicKey } = await import("./nix-key.ts");
    const { makeKeys } = await import("./fake-closure.ts");
    const cacheKeys = [readPublicKey(makeKeys("cache-1").publicKey)];
    await t.rejects(download({ ...deps, cacheKeys }, entry), { code: "system/cache-lied" });
  });
});

t.test("a transfer that broke goes on where it ended", async (t) => {
  const vanish = (path: string, n: number): CacheFault | undefined =>
    path === narPath && n === 1 ? { is: "vanish", after: 50_000 } : undefined;
  const { deps, server, io } = await prepare(t, { fault: vanish });
  await t.rejects(download(deps, entry), { code: "system/cache-unreachable" });
  const part = io.files.list("/stage/nar")[0] ?? "";
  const had = io.files.stat(`/stage/nar/${part}`)?.size ?? 0;
  t.ok(had > 0 && had <= 50_000);
  await download(deps, entry);
  t.equal(server.requests.at(-1), `GET ${narPath} from ${had}`);
  t.same(io.files.read(`/stage/${narPath}`), nar);
});

t.test("a beginning that a power cut has emptied is no lie of the cache", async (t) => {
  const vanish = (path: string, n: number): CacheFault | undefined =>
    path === narPath && n === 1 ? { is: "vanish", after: 50_000 } : undefined;
  const { deps, server, io } = await prepare(t, { fault: vanish });
  await t.rejects(download(deps, entry), { code: "system/cache-unreachable" });
  const part = `/stage/nar/${io.files.list("/stage/nar")[0]}`;
  io.files.write(part, Buffer.alloc(io.files.stat(part)?.size ?? 0));
  await download(deps, entry);
  t.equal(server.requests.at(-1), `GET ${narPath}`, "from its first byte");
  t.same(io.files.read(`/stage/${narPath}`), nar);
});

t.test("a beginning of another file is not gone on with", async (t) => {
  const { deps, io } = await prepare(t);
  const part = deps.staging.partOf(entry, `${"0".repeat(16)}.nar`);
  io.files.write(part, "of another file");
  await download(deps, entry);
  t.same(io.files.read(`/stage/${narPath}`), nar, "its name says that it is another file's");
});

t.test("a cache that knows no ranges is read from the beginning", async (t) => {
  const { deps, server, io } = await prepare(t, {
    fault: (path, n) => (path === narPath && n === 1 ? { is: "vanish", after: 500 } : undefined),
  });
  await t.rejects(download(deps, entry), { code: "system/cache-unreachable" });
  const courier = hostCourier(io.files);
  const deaf = {
    open: (request: Parameters<typeof courier.open>[0]) => courier.open({ ...request, offset: 0 }),
  };
  await download({ ...deps, courier: deaf }, entry);
  t.same(server.requests.slice(-1), [`GET ${narPath}`]);
  t.same(io.files.read(`/stage/${narPath}`), nar);
});

t.test("a download that is called off ends at once", async (t) => {
  const { deps, stop } = await prepare(t, { fault: () => ({ is: "silent" }) });
  const ended = download({ ...deps, windowMs: 60_000 }, entry);
  stop.abort();
  await t.rejects(ended, { code: "system/canceled" });
});

t.test("a cache in a directory is as good as one on the network", async (t) => {
  const { deps, io, files } = await prepare(t);
  for (const [path, bytes] of files) io.files.write(`/usb stick/${path}`, bytes);
  const cache = { ...deps.cache, url: "file:///usb%20stick/" };
  await download({ ...deps, cache }, entry);
  t.same(io.files.read(`/stage/${narPath}`), nar);
  await t.rejects(download({ ...deps, cache: { ...cache, url: "file:///none/" } }, entry), {
    code: "system/cache-absent",
  });
});
