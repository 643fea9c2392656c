import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { needs } from "#agent/datasources/images/make-images.ts";
import type { Fault } from "#core/fault.ts";
import type {
  ClosureManifest,
  ManifestPath,
} from "#generated/provisioner/system/fetch/manifest.ts";
import type { CacheFault } from "#provisioner/system/fetch/fake-cache.ts";
import { signManifest } from "#provisioner/system/fetch/sign-manifest.ts";
import type { SystemEvent } from "#provisioner/system/system.ts";
import {
  archives,
  directory,
  healthy,
  instance,
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
import { nixMachine, skipWithoutNix } from "./nix-machine.ts";
import { storyNode } from "./story.ts";
import { cloudConfig } from "./story-documents.ts";

t.setTimeout(600_000);
const skip = skipWithoutNix();
const imagesMissing = needs("xorriso").skip ?? false;

let chain: Promise<Pushed> | undefined;
/** Pushed once for all tests. */
function pushedChain(): Promise<Pushed> {
  chain ??= pushChain(t);
  return chain;
}

t.test("a signed system is fetched, compared, tried and committed", { skip }, async (t) => {
  const made = await pushSystem(await nixMachine(t), directory(t));
  const cache = await serve(t, made.directory);
  const machine = await nixMachine(t);
  await t.test("but not begun without the room that it will take", async (t) => {
    const keys = { caches: [cache.url], cacheKeys: [made.cacheKey] };
    for (const [place, mebibytes, message] of [
      [
        "/nix/store",
        256,
        /\/nix\/store: [1-9].* are needed and 256\.0 MiB and [0-9]+ files must stay/,
      ],
      ["/var/lib/firstlight", 32, /firstlight\/fetch: [1-9].* are needed and 32\.0 MiB/],
    ] as const) {
      const availableBytes = mebibytes * 1024 ** 2;
      const c = start(machine, { ...keys, room: { place, availableBytes } });
      const failed = c.fetch(made.signed, sources, reason);
      await t.rejects(failed, { code: "system/not-enough-space", message });
    }
    t.same(archives(cache), [], "no archive was asked for");
  });
  const events: SystemEvent[] = [];
  const c = start(machine, {
    caches: [cache.url],
    cacheKeys: [made.cacheKey],
    onEvent: (event) => events.push(event),
  });
  const { paths } = made.manifest;
  const bytes = paths.reduce((sum, entry) => sum + entry.narSize, 0);
  const preview = await c.preview(sources, made.signed);
  t.match(preview.fetch, { toplevel: made.manifest.toplevel, paths: paths.length, bytes });
  t.match(preview.space[0], { place: "store", neededBytes: bytes });
  t.same(archives(cache), [], "known before anything is asked for");
  const closure = await c.fetch(made.signed, sources, reason);
  t.match(closure, { toplevel: made.manifest.toplevel, sourcesDigest: sources.digest });
  const commands = events.flatMap((event) => (event.type === "command" ? [event.argv[0]] : []));
  t.notOk(commands.includes("nix-instantiate"), "nothing is evaluated");
  t.equal(archives(cache).length, made.manifest.paths.length, "each archive once");
  t.match(events.filter((event) => event.type === "fetch-progress").at(-1), {
    doneBytes: bytes,
  });
  const signed = await must(machine, ["nix", "path-info", "--sigs", made.manifest.toplevel]);
  t.match(signed, /\scache-1:/, "the cache's word stays with the path");

  await must(machine, ["nix-collect-garbage"]);
  const plan = await c.plan(closure, true);
  t.match(plan.difference, { bytes: { before: 0, added: bytes }, paths: { added: paths.length } });
  const trial = await c.try(plan, { approved: plan.digest });
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
  t.match((await c.preview(sources, made.signed)).fetch, { paths: 0, downloadBytes: 0 });
  await t.rejects(c.preview({ ...sources, digest: "0".repeat(64) }, made.signed), {
    code: "system/closure-mismatch",
  });

  await t.test("the plan of one whose sources are not known here is a plan too", async (t) => {
    const foreign = await c.fetch(made.signed, null, reason);
    t.match(foreign, { sourcesDigest: null, credentials: [] });
    const plan = await c.plan(foreign, true);
    t.match(plan, { options: null, files: [{ change: "removed" }], units: { restart: [] } });
    t.match(plan.difference, { packages: [], bytes: { added: 0, removed: 0 } });
    t.match(await c.try(plan, { approved: plan.digest }), { activation: "switched" });
  });
});

t.test(
  "what was not signed as it is, is refused, and nothing of it is taken in",
  { skip },
  async (t) => {
    const made = await pushedChain();
    const { manifest } = made;
    const cache = await serve(t, made.directory);
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

t.test(
  "a mirror finishes what a cache that lies and one that drips have begun",
  { skip },
  async (t) => {
    const made = await pushedChain();
    const [liar, dripper, good] = [
      await serve(t, made.directory),
      await serve(t, made.directory),
      await serve(t, made.directory),
    ];
    const onArchive = (fault: CacheFault) => (name: string) =>
      name.includes("nar/") ? fault : undefined;
    liar.fault = onArchive({
      is: "lie",
      change: (bytes) => Buffer.from(bytes.map((byte) => byte ^ 1)),
    });
    dripper.fault = onArchive({ is: "drip" });
    const machine = await nixMachine(t);
    const failed: string[] = [];
    const c = start(machine, {
      caches: [liar.url, dripper.url, good.url],
      onEvent: (event) => {
        if (event.type === "fetch" && event.fault !== null) failed.push(event.fault.code);
      },
    });
    const { toplevel } = await c.fetch(made.signed, sources, reason);
    t.ok(await isValid(machine, toplevel));
    t.same([...new Set(failed)].sort(), ["system/cache-lied", "system/cache-slow"], "each is told");

    const alone = start(await nixMachine(t), { caches: [liar.url] });
    await t.rejects(alone.fetch(made.signed, sources, reason), { code: "system/fetch-failed" });
  },
);

t.test(
  "killed in the middle, it goes on without fetching again what is there",
  { skip },
  async (t) => {
    const made = await pushedChain();
    const cache = await serve(t, made.directory);
    const machine = await nixMachine(t);
    const onEffect = (_: number, name: string) => {
      if (name === "nix-store --realise from staging") throw new Error("killed");
    };
    const dying = start(machine, { caches: [cache.url], onEffect });
    await t.rejects(dying.fetch(made.signed, sources, reason));
    const before = cache.requests.length;
    const c = start(machine, { caches: [cache.url] });
    await c.recover();
    const { toplevel } = await c.fetch(made.signed, sources, reason);
    t.ok(await isValid(machine, toplevel));
    t.equal(cache.requests.length, before, "all of it was there, and nothing was asked for");
  },
);

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
    const fleet = directory(t);
    const keys = ["fleet-1", "fleet-2"].map((name) => path.join(fleet, name));
    for (const key of keys) {
      const name = path.basename(key);
      await must(machine, ["nix-store", "--generate-binary-cache-key", name, key, `${key}.pub`]);
    }
    const cache = await serve(t, fleet);
    const fetch = {
      manifests: [`${cache.url}manifests`],
      caches: [`${cache.url}cache`],
      trustedKeys: keys.map((key) => readFileSync(`${key}.pub`, "utf8").trim()),
      threshold: 2,
      mode: "only",
    };
    io.files.write(
      "/etc/firstlight/settings.json",
      JSON.stringify({ stateVersion: "25.11", fetch }),
    );
    const built = await node.firstlight(["build", "--json"]);
    t.equal(built.code, 0, built.stderr);
    const { toplevel, sourcesDigest } = JSON.parse(built.stdout).closure;
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
    t.match(await node.firstlight(["boot"]), { code: 75, stderr: /closure-not-found/ });
    const served = path.join(fleet, "manifests", `${sourcesDigest}.json`);
    mkdirSync(path.dirname(served));
    writeFileSync(served, first.stdout);
    t.match(await node.firstlight(["boot"]), { code: 77, stderr: /1 of 2 trusted keys/ });
    t.match(await node.firstlight(["apply", "--fetch", half]), { code: 77 });
    writeFileSync(served, both.stdout);

    const preview = await node.firstlight(["plan", "--preview"]);
    t.match(preview, { code: 0, stdout: /^to fetch: [0-9]+ store paths?, .* in the store$/m });
    t.match(await node.firstlight(["plan", "--preview", "--fetch", half]), { code: 77 });
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
