import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { needs } from "#agent/datasources/images/make-images.ts";
import type { CacheFault, FakeCache } from "#provisioner/system/fetch/fake-cache.ts";
import { signManifest } from "#provisioner/system/fetch/sign-manifest.ts";
import type { SystemEvent } from "#provisioner/system/system.ts";
import {
  archives,
  directory,
  healthy,
  isValid,
  must,
  ours,
  type Pushed,
  pushChain,
  pushSystem,
  reason,
  serve,
  sources,
  start,
  stranger,
} from "./fetch-world.ts";
import { type NixMachine, nixMachine, nixModes, skipWithoutNix } from "./nix-machine.ts";
import { storyNode } from "./story.ts";
import { cloudConfig } from "./story-documents.ts";

t.setTimeout(900_000);
const skip = skipWithoutNix();
const imagesMissing = needs("xorriso").skip ?? false;

let chain: Promise<Pushed> | undefined;
/** Pushed once for all tests. */
function pushedChain(): Promise<Pushed> {
  chain ??= pushChain(t);
  return chain;
}

/** How many paths are in the store. */
async function valid(machine: NixMachine, { manifest }: Pushed): Promise<number> {
  const paths = manifest.paths.map((entry) => entry.path);
  const ask = ["nix-store", "--check-validity", "--print-invalid", ...paths] as const;
  const invalid = await must(machine, ask);
  return paths.length - invalid.split("\n").filter((line) => line !== "").length;
}

for (const mode of nixModes()) {
  t.test(`a system from a stick, store by ${mode}`, { skip }, async (t) => {
    const machine = await nixMachine(t, { mode });
    const cache = "/media/stick";
    const on = machine.io().files.hostPath(cache);
    machine.io().files.makeDirectory(cache);
    const made = await pushSystem(machine, on);
    await must(machine, ["nix-store", "--delete", made.manifest.toplevel]);
    const c = start(machine, { caches: [`file://${cache}`] });
    const closure = await c.fetch(made.signed, sources, reason);
    const trial = await c.try(await c.plan(closure));
    t.match(await c.commit(trial, healthy), { generation: 1 });
  });
}

t.test("what the caches hold otherwise never gets into the store", { skip }, async (t) => {
  const made = await pushedChain();
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
      const cache = await serve(t, made.directory);
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
    const cache = await serve(t, made.directory);
    const c = start(await nixMachine(t), { caches: [cache.url], cacheKeys: [stranger.publicKey] });
    await t.rejects(c.fetch(made.signed, sources, reason), { code: "system/fetch-failed" });
    t.same(archives(cache), []);
  });
});

t.test("a mirror finishes what a bad cache began", { skip }, async (t) => {
  const made = await pushedChain();
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
      const [bad, good] = [await serve(t, made.directory), await serve(t, made.directory)];
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
  const made = await pushedChain();
  const cache = await serve(t, made.directory);
  cache.fault = (_, n) => (n === 1 ? { is: "status", status: 503 } : undefined);
  const machine = await nixMachine(t);
  const c = start(machine, { caches: [cache.url], benchMs: 50 });
  const { toplevel } = await c.fetch(made.signed, sources, reason);
  t.ok(await isValid(machine, toplevel));
});

t.test("killed anywhere, it goes on without fetching again what is there", { skip }, async (t) => {
  const made = await pushedChain();
  const names: string[] = [];
  const all = await serve(t, made.directory);
  const first = start(await nixMachine(t), {
    caches: [all.url],
    onEffect: (_, name) => names.push(name),
  });
  await first.fetch(made.signed, sources, reason);
  t.ok(names.includes("nix-store --realise from staging"));
  for (const point of names.keys()) {
    await t.test(`before effect ${point + 1}: ${names[point]}`, async (t) => {
      const cache = await serve(t, made.directory);
      const machine = await nixMachine(t);
      const onEffect = (number: number) => {
        if (number > point) throw new Error("killed");
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
  const made = await pushSystem(await nixMachine(t), directory(t));
  const cache = await serve(t, made.directory);
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
  const made = await pushedChain();
  const cache = await serve(t, made.directory);
  const machine = await nixMachine(t);
  const io = machine.io();
  io.files.write("/proc/sys/kernel/random/boot_id", "boot-1\n");
  const onEffect = (_: number, name: string) => {
    if (name.startsWith("sync")) throw new Error("the power goes");
  };
  const dying = start(machine, { caches: [cache.url], onEffect });
  await t.rejects(dying.fetch(made.signed, sources, reason));
  const leaf = made.manifest.paths.find((entry) => entry.path.endsWith("link-1"))?.path ?? "";
  machine.storeFiles.write(leaf, "");
  io.files.write("/proc/sys/kernel/random/boot_id", "boot-2\n");
  const c = start(machine, { caches: [cache.url] });
  await c.fetch(made.signed, sources, reason);
  t.match(await machine.run(["nix-store", "--verify-path", leaf]), { code: 0 });
});

t.test(
  "a node too small to build fetches instead, and says what it lacks",
  { skip: skip || imagesMissing },
  async (t) => {
    const node = await storyNode(t);
    const { machine, io } = node;
    node.insert("iso", { instanceId: "i-1", userData: cloudConfig({ motd: "from the fleet" }) });
    const fleet = directory(t);
    const key = path.join(fleet, "fleet-1");
    await must(machine, ["nix-store", "--generate-binary-cache-key", "fleet-1", key, `${key}.pub`]);
    const cache = await serve(t, fleet);
    const fetch = {
      mode: "when-needed",
      manifests: [`${cache.url}manifests`],
      caches: [`${cache.url}cache`],
      trustedKeys: [readFileSync(`${key}.pub`, "utf8").trim()],
    };
    io.files.write(
      "/etc/firstlight/settings.json",
      JSON.stringify({ stateVersion: "25.11", fetch }),
    );
    const memory = (mebibytes: number) => {
      const kib = mebibytes * 1024;
      const text = `MemTotal: ${kib} kB\nMemAvailable: ${kib} kB\nSwapFree: 0 kB\n`;
      writeFileSync(path.join(machine.root, "proc/meminfo"), text);
    };
    memory(4_096);
    const built = await node.firstlight(["build", "--json"]);
    t.equal(built.code, 0, built.stderr);
    const { toplevel, sourcesDigest } = JSON.parse(built.stdout).closure;
    const fits = await node.firstlight(["plan", "--preview"]);
    t.equal(fits.code, 0, fits.stderr);
    t.notMatch(fits.stdout, /does not fit|to fetch/);
    await must(machine, ["nix", "copy", "--to", `file://${fleet}/cache`, toplevel]);
    const manifest = ["closure", "manifest", toplevel, "--input-digest", sourcesDigest];
    const signed = await node.firstlight([...manifest, "--sign", key]);
    t.equal(signed.code, 0, signed.stderr);
    rmSync(path.join(machine.root, "nix/var/nix/gcroots/firstlight"), { recursive: true });
    await must(machine, ["nix-store", "--delete", toplevel]);
    rmSync(path.join(machine.root, "var/lib/firstlight/journal"), { recursive: true });

    memory(400);
    const numbers = "at least 600.0 MiB and better 1.5 GiB are needed, 400.0 MiB can be had";
    const alone = await node.firstlight(["boot"], { record: true });
    t.not(alone.code, 0);
    t.ok(alone.stderr.includes(numbers), alone.stderr);
    t.match(alone.stderr, /no manifest of it at http.*\n?.*Publish the built system/s);
    const programs = (run: {
      readonly processes: readonly { readonly argv: readonly string[] }[];
    }) => run.processes.map(({ argv }) => argv.join(" "));
    t.notOk(programs(alone).some((argv) => argv.includes("nix-instantiate")));

    mkdirSync(path.join(fleet, "manifests"));
    writeFileSync(path.join(fleet, "manifests", `${sourcesDigest}.json`), signed.stdout);
    const preview = await node.firstlight(["plan", "--preview"]);
    t.ok(preview.stdout.includes(`a build here does not fit: evaluating the system: ${numbers}`));
    t.match(preview.stdout, /^to fetch: [0-9]+ store paths?, /m);
    const why = `fetched, because a build here does not fit: evaluating the system: ${numbers}`;
    const plan = await node.firstlight(["plan"], { record: true });
    t.ok(plan.stdout.includes(why), plan.stdout + plan.stderr);
    t.notOk(
      programs(plan).some((argv) => /nix-(instantiate|build)/.test(argv)),
      "nothing was built",
    );

    const booted = await node.firstlight(["boot"]);
    t.match(booted, { code: 0, stdout: /^committed/, stderr: /build.does-not-fit/ });
    t.equal(io.files.readText("/etc/motd"), "from the fleet\n");
    const history = await node.firstlight(["history"]);
    t.ok(history.stdout.includes(why), history.stdout);
    const spool = "/var/lib/firstlight/report/events";
    const events = io.files.list(spool).map((name) => io.files.readText(`${spool}/${name}`) ?? "");
    const told = events.filter((event) => event.includes("trial.finished"));
    t.ok(
      told.some((event) => event.includes(numbers)),
      "the fleet is told",
    );
  },
);
