import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t, { type Test } from "tap";
import { needs } from "#agent/datasources/images/make-images.ts";
import { sha256 } from "#core/canonical-json.ts";
import type { Fault } from "#core/fault.ts";
import type {
  ClosureManifest,
  ManifestPath,
} from "#generated/provisioner/system/fetch/manifest.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import { type SystemClient, systemClient } from "#provisioner/system/client.ts";
import { openDriver } from "#provisioner/system/driver.ts";
import {
  type CacheFault,
  type FakeCache,
  fakeCache,
} from "#provisioner/system/fetch/fake-cache.ts";
import { makeKeys } from "#provisioner/system/fetch/fake-closure.ts";
import type { FetchSettings } from "#provisioner/system/fetch/fetch-settings.ts";
import { hostCourier } from "#provisioner/system/fetch/host-courier.ts";
import { makeManifest } from "#provisioner/system/fetch/make-manifest.ts";
import { signManifest } from "#provisioner/system/fetch/sign-manifest.ts";
import type { Processes } from "#provisioner/system/lock.ts";
import type { ChangeReason, SystemEvent, Verdict } from "#provisioner/system/system.ts";
import { type NixMachine, nixMachine, nixModes, skipWithoutNix } from "./nix-machine.ts";
import { storyNode } from "./story.ts";
import { cloudConfig } from "./story-documents.ts";

t.setTimeout(300_000);
const skip = skipWithoutNix();
const reason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };
const healthy: Verdict = { healthy: true, reasons: ["all passed"], passes: 3, ms: 1 };
const [ours, stranger] = [makeKeys("fleet-1"), makeKeys("fleet-1")];

const instance = `{ pkgs, ... }:
{
  networking.hostName = "edge";
  boot.isContainer = true;
  environment.etc."motd".text = "fetched";
  system.stateVersion = "25.11";
}
`;
const sources: Sources = {
  digest: sha256(instance),
  files: [{ path: "configuration.nix", content: instance, mode: 0o644 }],
  credentials: [],
  nixpkgs: null,
};

/** A system that was built elsewhere and pushed to a cache. */
interface Pushed {
  readonly directory: string;
  readonly manifest: ClosureManifest;
  readonly signed: string;
  /** Key of the cache itself. */
  readonly cacheKey: string;
}

/** Builds the system on a machine and pushes it to a cache in `directory`. */
async function push(machine: NixMachine, directory: string): Promise<Pushed> {
  const toplevel = await machine.build(instance);
  const [secret, open] = [path.join(directory, "secret"), path.join(directory, "public")];
  await must(machine, ["nix-store", "--generate-binary-cache-key", "cache-1", secret, open]);
  await must(machine, [
    "nix",
    "copy",
    "--to",
    `file://${directory}?secret-key=${secret}`,
    toplevel,
  ]);
  const io = machine.io();
  const { signal } = new AbortController();
  const manifest = await makeManifest(io, hostCourier(io.files), {
    toplevel,
    inputDigest: sources.digest,
    signal,
  });
  return {
    directory,
    manifest,
    signed: signManifest(manifest, [ours.secret]),
    cacheKey: readFileSync(open, "utf8").trim(),
  };
}

async function must(machine: NixMachine, argv: readonly [string, ...string[]]): Promise<string> {
  const { code, stdout, stderr } = await machine.run(argv);
  if (code !== 0) throw new Error(`${argv.join(" ")}: ${code}\n${stderr}`);
  return stdout;
}

function directory(t: { teardown(end: () => void): unknown }): string {
  const made = mkdtempSync(path.join(tmpdir(), "fetch-mode-"));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

let pushed: Promise<Pushed> | undefined;
/** Pushed once for all tests. */
function pushedOnce(): Promise<Pushed> {
  pushed ??= (async () => push(await nixMachine(t), directory(t)))();
  return pushed;
}

function serve(t: Test, { directory }: Pushed): Promise<FakeCache> {
  return fakeCache(t, (name) => {
    const file = path.join(directory, name);
    return existsSync(file) ? readFileSync(file) : undefined;
  });
}

interface Options extends Partial<FetchSettings> {
  readonly onEvent?: (event: SystemEvent) => void;
  readonly onEffect?: (number: number, name: string) => void;
}

let starts = 0;

/** firstlight on the machine, as a process of its own would open it. */
function start(machine: NixMachine, { onEvent, onEffect, ...settings }: Options): SystemClient {
  const { storeFiles } = machine;
  const fetch = { trustedKeys: [ours.publicKey], minimumRate: 1_000, windowMs: 3_000, ...settings };
  const io = machine.io(onEffect === undefined ? {} : { onEffect });
  starts += 1;
  const pid = starts;
  const processes: Processes = {
    self: () => ({ pid, started: "1" }),
    isAlive: (process) => process.pid === starts,
  };
  const system = openDriver(io, { driver: "nix", storeFiles, processes, fetch });
  return systemClient(system, onEvent === undefined ? {} : { onEvent });
}

async function isValid(machine: NixMachine, store: string): Promise<boolean> {
  return (await machine.run(["nix-store", "--check-validity", store])).code === 0;
}

/** How many paths of the system are in the store. */
async function valid(machine: NixMachine, { manifest }: Pushed): Promise<number> {
  const paths = manifest.paths.map((entry) => entry.path);
  const invalid = await must(machine, [
    "nix-store",
    "--check-validity",
    "--print-invalid",
    ...paths,
  ]);
  return paths.length - invalid.split("\n").filter((line) => line !== "").length;
}

const archives = (cache: FakeCache) => cache.requests.filter((line) => line.includes("nar/"));

t.test("a signed system is fetched, compared, tried and committed", { skip }, async (t) => {
  const made = await pushedOnce();
  const cache = await serve(t, made);
  const machine = await nixMachine(t);
  const events: SystemEvent[] = [];
  const c = start(machine, {
    caches: [cache.url],
    cacheKeys: [made.cacheKey],
    onEvent: (event) => events.push(event),
  });
  const closure = await c.fetch(made.signed, sources, reason);
  t.match(closure, { toplevel: made.manifest.toplevel, sourcesDigest: sources.digest });
  const commands = events.flatMap((event) => (event.type === "command" ? [event.argv[0]] : []));
  t.notOk(commands.includes("nix-instantiate"), "nothing is evaluated");
  t.equal(archives(cache).length, made.manifest.paths.length, "each archive once");
  t.match(events.filter((event) => event.type === "fetch-progress").at(-1), {
    doneBytes: made.manifest.paths.reduce((sum, entry) => sum + entry.narSize, 0),
  });
  const [toplevel] = JSON.parse(
    await must(machine, ["nix", "path-info", "--json", made.manifest.toplevel]),
  );
  t.match(toplevel.signatures, [/^cache-1:/], "the cache's word stays with the path");

  await must(machine, ["nix-collect-garbage"]);
  const trial = await c.try(await c.plan(closure));
  t.match(trial, { activation: "switched" });
  t.match(await c.commit(trial, healthy), { generation: 1, sourcesDigest: sources.digest });
  t.match(await c.runs(sources.digest), { runs: true, generation: 1 });
  t.equal(machine.io().files.readText("/etc/motd"), "fetched");
  t.equal(machine.io().files.readText("/etc/nixos/configuration.nix"), instance);
  const roots = path.join(machine.root, "nix/var/nix/gcroots/firstlight");
  t.same(readdirSync(roots), [], "no root is left");
  t.same(machine.io().files.list("/var/lib/firstlight/fetch/nar"), [], "no archive is left");

  const before = cache.requests.length;
  await c.fetch(made.signed, sources, reason);
  t.equal(cache.requests.length, before, "what is there is not asked for again");
});

for (const mode of nixModes()) {
  t.test(`a system from a stick, store by ${mode}`, { skip }, async (t) => {
    const machine = await nixMachine(t, { mode });
    const cache = "/media/stick";
    const on = machine.io().files.hostPath(cache);
    machine.io().files.makeDirectory(cache);
    const made = await push(machine, on);
    await must(machine, ["nix-store", "--delete", made.manifest.toplevel]);
    const c = start(machine, { caches: [`file://${cache}`] });
    const closure = await c.fetch(made.signed, sources, reason);
    const trial = await c.try(await c.plan(closure));
    t.match(await c.commit(trial, healthy), { generation: 1 });
  });
}

t.test(
  "what was not signed as it is, is refused, and nothing of it is taken in",
  { skip },
  async (t) => {
    const made = await pushedOnce();
    const { manifest } = made;
    const cache = await serve(t, made);
    const machine = await nixMachine(t);
    const c = start(machine, { caches: [cache.url] });
    const [first, ...rest] = manifest.paths as [ManifestPath, ...ManifestPath[]];
    const backdoor: ManifestPath = { ...first, path: `${first.path}-backdoor`, references: [] };
    const sign = (changed: ClosureManifest) => signManifest(changed, [ours.secret]);
    const tamper = (changed: ClosureManifest) =>
      JSON.stringify({ ...JSON.parse(made.signed), manifest: changed });
    const extra = { ...manifest, paths: [...manifest.paths, backdoor] };
    const attacks: Readonly<Record<string, readonly [string, string]>> = {
      unsigned: [signManifest(manifest, []), "system/closure-untrusted"],
      "signed by a stranger of the same name": [
        signManifest(manifest, [stranger.secret]),
        "system/closure-untrusted",
      ],
      "another hash under the signature": [
        tamper({ ...manifest, paths: [{ ...first, narHash: rest[0]?.narHash ?? "" }, ...rest] }),
        "system/closure-untrusted",
      ],
      "an extra path under the signature": [tamper(extra), "system/closure-untrusted"],
      "a signed extra path": [sign(extra), "system/manifest-invalid"],
      "a signed manifest without a path that is needed": [
        sign({ ...manifest, paths: manifest.paths.slice(1) }),
        "system/manifest-invalid",
      ],
      "a reference to what is not there": [
        sign({
          ...manifest,
          paths: [{ ...first, references: [...first.references, backdoor.path] }, ...rest],
        }),
        "system/manifest-invalid",
      ],
      "a system from other sources": [
        sign({ ...manifest, inputDigest: "ab".repeat(32) }),
        "system/closure-mismatch",
      ],
    };
    let accepted = 0;
    for (const [name, [signed, code]] of Object.entries(attacks)) {
      const ended = await c.fetch(signed, sources, reason).then(
        () => "accepted",
        (fault: Fault) => fault.code,
      );
      if (ended === "accepted") accepted += 1;
      t.equal(ended, code, name);
    }
    t.equal(accepted, 0, `of ${Object.keys(attacks).length}`);
    t.same(cache.requests, [], "no cache was asked for anything");
    t.same(readdirSync(path.join(machine.root, "nix")), ["var"], "there is not even a store");
  },
);

t.test("what the caches hold otherwise never gets into the store", { skip }, async (t) => {
  const made = await pushedOnce();
  const flip = (bytes: Buffer) => {
    const other = Buffer.from(bytes);
    other[other.length >> 1] = (other[other.length >> 1] ?? 0) ^ 0x20;
    return other;
  };
  const lies: Readonly<Record<string, (name: string) => CacheFault | undefined>> = {
    "a tampered archive": (name) =>
      name.includes("nar/") ? { is: "lie", change: flip } : undefined,
    "a cut archive": (name) =>
      name.includes("nar/")
        ? { is: "lie", change: (bytes) => bytes.subarray(0, bytes.length - 1) }
        : undefined,
    "other references": (name) =>
      name.endsWith(".narinfo")
        ? {
            is: "lie",
            change: (bytes) =>
              Buffer.from(bytes.toString().replace(/^References:.*$/m, "References: ")),
          }
        : undefined,
    "no archive": (name) => (name.includes("nar/") ? { is: "status", status: 404 } : undefined),
  };
  let accepted = 0;
  for (const [name, fault] of Object.entries(lies)) {
    await t.test(name, async (t) => {
      const cache = await serve(t, made);
      cache.fault = fault;
      const machine = await nixMachine(t);
      const c = start(machine, { caches: [cache.url] });
      await t.rejects(
        c.fetch(made.signed, sources, reason).then(() => {
          accepted += 1;
        }),
        { code: "system/fetch-failed" },
      );
      t.notOk(await isValid(machine, made.manifest.toplevel));
    });
  }
  t.equal(accepted, 0);

  await t.test("and a cache without the signature of its key", async (t) => {
    const cache = await serve(t, made);
    const c = start(await nixMachine(t), { caches: [cache.url], cacheKeys: [stranger.publicKey] });
    await t.rejects(c.fetch(made.signed, sources, reason), { code: "system/fetch-failed" });
    t.same(archives(cache), []);
  });
});

t.test("a mirror finishes what a bad cache began", { skip }, async (t) => {
  const made = await pushedOnce();
  const faults: Readonly<Record<string, readonly [FakeCache["fault"], string]>> = {
    "one that drips": [
      (name) => (name.includes("nar/") ? { is: "drip" } : undefined),
      "system/cache-slow",
    ],
    "one that vanishes": [
      (name) => (name.includes("nar/") ? { is: "vanish", after: 50 } : undefined),
      "system/cache-unreachable",
    ],
    "one that lies": [
      (name) =>
        name.includes("nar/") ? { is: "lie", change: () => Buffer.from("no") } : undefined,
      "system/cache-lied",
    ],
    "one behind 503": [() => ({ is: "status", status: 503 }), "system/cache-unreachable"],
    "one that says nothing": [() => ({ is: "silent" }), "system/cache-unreachable"],
    "one that lacks everything": [() => ({ is: "status", status: 404 }), "system/cache-absent"],
  };
  for (const [name, [fault, code]] of Object.entries(faults)) {
    await t.test(name, async (t) => {
      const [bad, good] = [await serve(t, made), await serve(t, made)];
      bad.fault = fault;
      const machine = await nixMachine(t);
      const events: SystemEvent[] = [];
      const c = start(machine, {
        caches: [bad.url, good.url],
        onEvent: (event) => events.push(event),
      });
      const { toplevel } = await c.fetch(made.signed, sources, reason);
      t.ok(await isValid(machine, toplevel));
      const failed = events.flatMap((e) => (e.type === "fetch" && e.fault !== null ? [e] : []));
      t.ok(failed.length > 0, "each failed attempt is told");
      t.ok(failed.every((e) => e.cache === bad.url && e.fault?.code === code));
      if (code === "system/cache-absent") return; // it has been honest: it is asked for each path
      t.ok(failed.length <= 4, "and those under way were the last ones");
    });
  }
});

t.test("a cache that comes back after a while is asked again", { skip }, async (t) => {
  const made = await pushedOnce();
  const cache = await serve(t, made);
  cache.fault = (_, n) => (n === 1 ? { is: "status", status: 503 } : undefined);
  const machine = await nixMachine(t);
  const c = start(machine, { caches: [cache.url], benchMs: 50 });
  const { toplevel } = await c.fetch(made.signed, sources, reason);
  t.ok(await isValid(machine, toplevel));
});

t.test("killed anywhere, it goes on without fetching again what is there", { skip }, async (t) => {
  const made = await pushedOnce();
  const names: string[] = [];
  const all = await serve(t, made);
  const first = start(await nixMachine(t), {
    caches: [all.url],
    onEffect: (_, name) => names.push(name),
  });
  await first.fetch(made.signed, sources, reason);
  const taken = names.indexOf("nix-store --realise from staging");
  const points = [4, Math.floor(taken / 2), taken + 1, taken + 2, names.length - 1];
  for (const point of points) {
    await t.test(`before effect ${point}: ${names[point - 1]}`, async (t) => {
      const cache = await serve(t, made);
      const machine = await nixMachine(t);
      const onEffect = (number: number) => {
        if (number >= point) throw new Error("killed");
      };
      const dying = start(machine, { caches: [cache.url], onEffect });
      await t.rejects(dying.fetch(made.signed, sources, reason));
      await must(machine, ["nix-collect-garbage"]);
      const staged = machine.io().files.list("/var/lib/firstlight/fetch");
      const there =
        staged.filter((name) => name.endsWith(".narinfo")).length + (await valid(machine, made));
      const before = archives(cache).length;

      const c = start(machine, { caches: [cache.url] });
      await c.recover();
      await c.fetch(made.signed, sources, reason);
      const again = archives(cache).length - before;
      const missing = Math.max(0, made.manifest.paths.length - there);
      // Those that were under way may have come whole, only not been looked at yet.
      t.ok(again <= missing && again >= missing - 4, `${there} were there, ${again} came`);
      t.ok(await isValid(machine, made.manifest.toplevel));
    });
  }
});

t.test("a path that was built here with another content", { skip }, async (t) => {
  const made = await pushedOnce();
  const cache = await serve(t, made);
  const machine = await nixMachine(t);
  const c = start(machine, { caches: [cache.url] });
  await c.fetch(made.signed, sources, reason);
  const leaf = made.manifest.paths.find((entry) => entry.path.endsWith("motd"));
  const other = {
    ...made.manifest,
    paths: made.manifest.paths.map((entry) =>
      entry === leaf ? { ...entry, narSize: entry.narSize + 8 } : entry,
    ),
  };
  const wrong = signManifest(other, [ours.secret]);
  await t.rejects(c.fetch(wrong, sources, reason), { code: "system/fetch-failed" });
  t.notOk(await isValid(machine, leaf?.path ?? ""), "unused, it was dropped to be fetched");

  const closure = await c.fetch(made.signed, sources, reason);
  await c.commit(await c.try(await c.plan(closure)), healthy);
  await t.rejects(c.fetch(wrong, sources, reason), {
    code: "system/closure-mismatch",
    message: /something on this machine uses it/,
  });
  t.ok(await isValid(machine, leaf?.path ?? ""), "what runs is never touched");
});

t.test("after a power cut what is in the store is read, and mended", { skip }, async (t) => {
  const made = await pushedOnce();
  const cache = await serve(t, made);
  const machine = await nixMachine(t);
  const io = machine.io();
  io.files.write("/proc/sys/kernel/random/boot_id", "boot-1\n");
  const onEffect = (_: number, name: string) => {
    if (name.startsWith("sync")) throw new Error("the power goes");
  };
  const dying = start(machine, { caches: [cache.url], onEffect });
  await t.rejects(dying.fetch(made.signed, sources, reason));
  const leaf = made.manifest.paths.find((entry) => entry.path.endsWith("motd"))?.path ?? "";
  machine.storeFiles.write(leaf, "");
  io.files.write("/proc/sys/kernel/random/boot_id", "boot-2\n");
  const c = start(machine, { caches: [cache.url] });
  await c.fetch(made.signed, sources, reason);
  t.match(await machine.run(["nix-store", "--verify-path", leaf]), { code: 0 });
});

const imagesMissing = needs("xorriso").skip ?? false;

t.test(
  "a node boots into a system that another machine has built and signed, by its settings alone",
  { skip: skip || imagesMissing },
  async (t) => {
    const node = await storyNode(t);
    const { machine, io } = node;
    node.insert("iso", {
      instanceId: "i-1",
      userData: cloudConfig({
        motd: "from the fleet",
        checks: [{ type: "file", path: "/etc/motd" }],
      }),
    });
    const built = await node.firstlight(["build", "--json"]);
    t.equal(built.code, 0, built.stderr);
    const { toplevel, sourcesDigest } = JSON.parse(built.stdout).closure;
    const fleet = directory(t);
    const keys = ["fleet-1", "fleet-2"].map((name) => path.join(fleet, name));
    for (const key of keys) {
      const name = path.basename(key);
      await must(machine, ["nix-store", "--generate-binary-cache-key", name, key, `${key}.pub`]);
    }
    await must(machine, ["nix", "copy", "--to", `file://${fleet}/cache`, toplevel]);
    const describe = ["closure", "manifest", toplevel, "--input-digest", sourcesDigest];
    const first = await node.firstlight([...describe, "--sign", keys[0] ?? ""]);
    t.equal(first.code, 0, first.stderr);
    const half = path.join(fleet, "half.json");
    writeFileSync(half, first.stdout);
    const both = await node.firstlight(["closure", "sign", half, "--sign", keys[1] ?? ""]);
    t.equal(both.code, 0, both.stderr);

    rmSync(path.join(machine.root, "nix/var/nix/gcroots/firstlight"), { recursive: true });
    await must(machine, ["nix-store", "--delete", toplevel]);
    rmSync(path.join(machine.root, "var/lib/firstlight/journal"), { recursive: true });
    const cache = await fakeCache(t, (name) => {
      const file = path.join(fleet, name);
      return existsSync(file) ? readFileSync(file) : undefined;
    });
    const fetch = {
      mode: "only",
      manifests: [`${cache.url}manifests`],
      caches: [`${cache.url}cache`],
      trustedKeys: keys.map((key) => readFileSync(`${key}.pub`, "utf8").trim()),
      threshold: 2,
    };
    io.files.write(
      "/etc/firstlight/settings.json",
      JSON.stringify({ stateVersion: "25.11", fetch }),
    );
    t.match(await node.firstlight(["boot"]), { code: 75, stderr: /closure-not-found/ });
    const served = path.join(fleet, "manifests", `${sourcesDigest}.json`);
    mkdirSync(path.dirname(served));
    writeFileSync(served, first.stdout);
    t.match(await node.firstlight(["boot"]), { code: 77, stderr: /1 of 2 trusted keys/ });
    t.match(await node.firstlight(["apply", "--fetch", half]), { code: 77 });
    writeFileSync(served, both.stdout);

    const booted = await node.firstlight(["boot"], { record: true });
    t.match(booted, { code: 0, stdout: "committed: generation 1 runs and is the boot default\n" });
    t.equal(io.files.readText("/etc/motd"), "from the fleet\n");
    const run = booted.processes.map(({ argv }) => argv.join(" "));
    t.notOk(
      run.some((argv) => argv.includes("nix-instantiate")),
      "nothing was evaluated",
    );
    t.match(await node.firstlight(["boot"]), { code: 0, stdout: /^unchanged/ });
  },
);
