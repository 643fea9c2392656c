import {
  chmodSync,
  existsSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { needs } from "#agent/datasources/images/make-images.ts";
import { openOutbox } from "#agent/link/outbox.ts";
import { prettyJson, sha256 } from "#core/canonical-json.ts";
import { silentLog } from "#core/log.ts";
import { digestFiles, type Sources } from "#provisioner/render/sources.ts";
import { type SystemClient, systemClient } from "#provisioner/system/client.ts";
import type { DriftReport } from "#provisioner/system/drift/report.ts";
import { openDriver } from "#provisioner/system/driver.ts";
import { fakeCache } from "#provisioner/system/fetch/fake-cache.ts";
import type { FetchSettings } from "#provisioner/system/fetch/fetch-settings.ts";
import type { ChangeReason, Verdict } from "#provisioner/system/system.ts";
import { type NixMachine, nixMachine, skipWithoutNix } from "./nix-machine.ts";
import { type StoryNode, storyNode } from "./story.ts";
import { cloudConfig } from "./story-documents.ts";

t.setTimeout(300_000);
const skip = skipWithoutNix();
const reason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };
const healthy: Verdict = { healthy: true, reasons: ["all passed"], passes: 3, ms: 1 };
const whole = { deep: false, share: 1 };

/** Sources as they are rendered: a manifest with the digest of each file, a name made of them all. */
function sources(motd: string): Sources {
  const instance = `{ ... }:
{
  networking.hostName = "edge";
  boot.isContainer = true;
  environment.etc."motd".text = ${JSON.stringify(motd)};
  environment.etc."edge/key" = { text = "k"; mode = "0600"; };
  system.stateVersion = "25.11";
}
`;
  const files = {
    "configuration.nix": "{ imports = [ ./firstlight/instance.nix ]; }\n",
    "firstlight/instance.nix": instance,
  };
  const digests = Object.entries(files).map(([name, text]) => [name, sha256(text)]);
  const manifest = prettyJson({ v: 1, files: Object.fromEntries(digests) });
  const all = Object.entries({ ...files, "firstlight/manifest.json": manifest })
    .map(([name, content]) => ({ path: name, content, mode: 0o644 }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return { digest: digestFiles(all), files: all, credentials: [], nixpkgs: null };
}

interface Options {
  readonly substituters?: readonly string[];
  readonly fetch?: Partial<FetchSettings>;
}

function start(machine: NixMachine, options: Options = {}): SystemClient {
  const { storeFiles } = machine;
  const io = machine.io();
  return systemClient(openDriver(io, { driver: "nix", storeFiles, ...options }));
}

async function apply(c: SystemClient, what: Sources): Promise<string> {
  const plan = await c.plan(await c.build(what, reason));
  return (await c.commit(await c.try(plan), healthy)).toplevel;
}

async function must(machine: NixMachine, argv: readonly [string, ...string[]]): Promise<string> {
  const { code, stdout, stderr } = await machine.run(argv);
  if (code !== 0) throw new Error(`${argv.join(" ")}: ${code}\n${stderr}`);
  return stdout;
}

/** The store path of the system's motd, and where it lies on this host. */
async function motdOf(machine: NixMachine, toplevel: string) {
  const closure = (await must(machine, ["nix-store", "-qR", toplevel])).split("\n");
  const store = closure.find((line) => line.endsWith("-etc-motd")) ?? "";
  return { store, file: machine.storeFiles.hostPath(store) };
}

/** Writes into a store path behind Nix's back. */
function damage(file: string): void {
  chmodSync(file, 0o644);
  writeFileSync(file, "something else");
  chmodSync(file, 0o444);
}

const kinds = ({ items }: DriftReport) => items.map(({ kind }) => kind);

/** A machine that has committed a system and is all that it should be. */
async function committed(t: Test, options: Options = {}) {
  // What was built keeps what it was built from no longer than the tests want it to.
  const machine = await nixMachine(t, { nixConfig: ["keep-derivations = false"] });
  const c = start(machine, options);
  const toplevel = await apply(c, sources("one"));
  return { machine, c, toplevel };
}

t.test(
  "a machine that is what was committed has no drift, however closely it is looked at",
  { skip },
  async (t) => {
    const { c, toplevel, machine } = await committed(t);
    const report = await c.drift({ deep: true, share: 1 });
    t.same(report.items, []);
    t.same(report.unseen, []);
    t.match(report.declared, { generation: 1, toplevel, by: "apply: a test" });
    t.equal(report.store?.paths, report.store?.ofPaths);
    t.ok(report.store?.lastFullAt);
    const bare = start(await nixMachine(t));
    t.match(await bare.drift(whole), { declared: null, items: [], unseen: [/committed nothing/] });
    t.same(
      machine.switches().filter(({ code }) => code !== 0),
      [],
    );
  },
);

t.test("a damaged store path is found and fetched from a signed cache", { skip }, async (t) => {
  const directory = t.testdir();
  const cache = await fakeCache(t, (name) => {
    const file = path.join(directory, name);
    return existsSync(file) ? readFileSync(file) : undefined;
  });
  const { machine, toplevel } = await committed(t);
  const [secret, open] = [path.join(directory, "secret"), path.join(directory, "public")];
  await must(machine, ["nix-store", "--generate-binary-cache-key", "cache-1", secret, open]);
  await must(machine, [
    "nix",
    "copy",
    "--to",
    `file://${directory}?secret-key=${secret}`,
    toplevel,
  ]);
  await must(machine, ["nix-collect-garbage"]); // what it was built from is gone: only the cache can help
  const { store, file } = await motdOf(machine, toplevel);
  const c = start(machine, {
    fetch: { caches: [cache.url], cacheKeys: [readFileSync(open, "utf8").trim()] },
  });
  damage(file);
  const found = await c.drift(whole);
  t.match(found.items, [
    { layer: "store", kind: "path-corrupt", subject: store, level: "error", remedy: "repair" },
  ]);
  t.match(await c.repair(whole), {
    repaired: [{ subject: store, by: "cache" }],
    unrepaired: [],
    after: { items: [] },
  });
  t.equal(readFileSync(file, "utf8"), "one");

  unlinkSync(file);
  t.match((await c.drift(whole)).items, [{ kind: "path-missing", subject: store }]);
  t.match(await c.repair(whole), { repaired: [{ subject: store, by: "cache" }] });
  t.equal(readFileSync(file, "utf8"), "one");

  await t.test("and a cache that lies does not mend it", async (t) => {
    damage(file);
    const flip = (bytes: Buffer) => bytes.map((byte) => byte ^ 1);
    cache.fault = (name) =>
      name.includes("nar/")
        ? { is: "lie", change: (bytes) => Buffer.from(flip(bytes)) }
        : undefined;
    t.match(await c.repair(whole), {
      repaired: [],
      unrepaired: [store],
      fallback: null,
      after: { items: [{ kind: "path-corrupt", subject: store }] },
    });
    cache.fault = () => undefined;
    await c.repair(whole);
    t.equal(readFileSync(file, "utf8"), "one");
  });
});

t.test("from a cache that Nix itself trusts, and from no other", { skip }, async (t) => {
  const directory = t.testdir();
  const { machine, toplevel } = await committed(t);
  const [secret, open] = [path.join(directory, "secret"), path.join(directory, "public")];
  await must(machine, ["nix-store", "--generate-binary-cache-key", "cache-1", secret, open]);
  await must(machine, [
    "nix",
    "copy",
    "--to",
    `file://${directory}?secret-key=${secret}`,
    toplevel,
  ]);
  await must(machine, ["nix-collect-garbage"]);
  const { store, file } = await motdOf(machine, toplevel);
  damage(file);
  const c = start(machine, { substituters: [`file://${directory}`] });
  t.match(await c.repair(whole), { unrepaired: [store] }, "its key is not trusted");
  writeFileSync(
    path.join(machine.env["NIX_CONF_DIR"] ?? "", "nix.conf"),
    `${machine.env["NIX_CONFIG"]}\ntrusted-public-keys = ${readFileSync(open, "utf8")}\n`,
  );
  t.match(await c.repair(whole), { repaired: [{ subject: store, by: "cache" }] });
  t.equal(readFileSync(file, "utf8"), "one");
});

t.test("without a cache it is built again", { skip }, async (t) => {
  const { machine, c, toplevel } = await committed(t);
  const { store, file } = await motdOf(machine, toplevel);
  damage(file);
  t.match(await c.repair({ deep: true, share: 1 }), {
    repaired: [{ subject: store, by: "rebuild" }],
    after: { items: [] },
  });
  t.equal(readFileSync(file, "utf8"), "one");
  const journal = machine.io().files.readText("/var/lib/firstlight/journal/journal.jsonl") ?? "";
  t.match(journal, /"step":"repair"/, "and written down");
  t.match(await c.history(), { generations: [{ generation: 1 }] });
});

t.test(
  "what can neither be fetched nor built leads to a generation without it",
  { skip },
  async (t) => {
    const { machine, c } = await committed(t);
    const second = await apply(c, sources("two"));
    const { store, file } = await motdOf(machine, second);
    await must(machine, ["nix-collect-garbage"]);
    damage(file);
    const seen = await c.repair(whole);
    t.match(seen, { repaired: [], unrepaired: [store], fallback: 1 });
    const back = await c.try(await c.planGeneration(seen.fallback, { ...reason, by: "rollback" }));
    t.match(await c.commit(back, healthy), { generation: 3 });
    t.same((await c.drift(whole)).items, [], "which needs none of it");
  },
);

t.test("the store is read part by part, and what was found stays found", { skip }, async (t) => {
  const { machine, c, toplevel } = await committed(t);
  const { store, file } = await motdOf(machine, toplevel);
  damage(file);
  const look = { deep: false, share: 4 };
  const seen: DriftReport[] = [];
  for (let n = 0; n < 8; n++) seen.push(await c.drift(look));
  const rounds = seen.map(({ store }) => store?.paths ?? 0);
  t.ok((rounds[0] ?? 0) < (seen[0]?.store?.ofPaths ?? 0), "a part is not the whole");
  const full = seen.findIndex(({ store }) => store?.lastFullAt !== null);
  t.ok(full > 0 && full < 8, `the whole was read by look ${full + 1}`);
  const first = seen.findIndex((report) => kinds(report).includes("path-corrupt"));
  t.ok(first >= 0 && first <= full);
  const since = seen[first]?.items[0]?.since;
  for (const { items } of seen.slice(first)) t.match(items, [{ subject: store, since }]);
  machine.io().files.write("/var/lib/firstlight/drift/store.json", "{torn");
  t.match(await c.drift(whole), { items: [{ subject: store }] }, "a lost place is a new round");
});

t.test(
  "a switch by hand and a choice in the boot menu are recognised and left alone",
  { skip },
  async (t) => {
    const { machine, c, toplevel: first } = await committed(t);
    const second = await apply(c, sources("two"));
    const { root } = machine;
    const boot = (system: string) => {
      for (const name of ["current-system", "booted-system"]) {
        rmSync(path.join(root, "run", name), { force: true });
        symlinkSync(system, path.join(root, "run", name));
      }
    };
    boot(first);
    t.match((await c.drift(whole)).items, [
      {
        kind: "chosen-at-boot",
        declared: second,
        actual: first,
        by: /generation 1 was chosen when the machine was booted/,
        level: "note",
        remedy: "person",
      },
    ]);
    boot(second);
    const own = await machine.build(
      `{ boot.isContainer = true; environment.etc.motd.text = "by hand"; system.stateVersion = "25.11"; }`,
    );
    await must(machine, ["nix-env", "-p", machine.systemProfile, "--set", own]);
    await must(machine, [`${own}/bin/switch-to-configuration`, "switch"]);
    const before = machine.switches().length;
    const { items } = await c.drift(whole);
    t.same(
      items.map(({ kind, level, remedy }) => `${kind} ${level} ${remedy}`),
      ["switched-by-hand note person", "other-default note person"],
    );
    t.match(await c.repair(whole), { repaired: [], unrepaired: [] });
    t.equal(machine.currentSystem(), own);
    t.equal(machine.bootDefault(), own);
    t.equal(machine.switches().length, before, "nothing was activated");
  },
);

t.test("what was changed around the system, and how it is mended", { skip }, async (t) => {
  const { machine, c } = await committed(t);
  const { files } = machine.io();
  const source = `/var/lib/firstlight/sources/${sources("one").digest}/firstlight/instance.nix`;
  files.write(source, "{ }\n");
  files.remove("/etc/nixos/configuration.nix");
  files.write("/etc/nixos/configuration.nix", "{ } # mine\n");
  files.write("/etc/nixos/local.nix", "{ }\n");
  files.remove("/etc/motd");
  files.write("/etc/motd", "mine\n");
  files.write("/etc/edge/key", "another key");
  files.write("/etc/systemd/system.control/sshd.service.d/50-CPUQuota.conf", "[Service]\n");
  files.write("/run/systemd/system/hello.service", "[Service]\n");
  const { items } = await c.drift({ deep: false, share: 7 });
  const said = items.map(
    ({ layer, kind, subject, remedy }) => `${layer} ${kind} ${subject} ${remedy}`,
  );
  t.same(said.sort(), [
    "intent local-changed /etc/nixos/local.nix apply",
    "intent not-published /etc/nixos/configuration.nix repair",
    `intent source-changed ${source} apply`,
    "running etc-changed /etc/edge/key person",
    "running etc-changed /etc/motd repair",
    "running unit-changed hello.service person",
    "running unit-changed sshd.service person",
  ]);
  t.ok(items.every(({ declared, actual, since }) => declared !== actual && since !== null));

  const { repaired, after } = await c.repair({ deep: false, share: 7 });
  t.same(repaired.map(({ subject, by }) => `${by} ${subject}`).sort(), [
    "rewrite /etc/motd",
    "rewrite /etc/nixos/configuration.nix",
  ]);
  t.notOk(after.items.some(({ remedy }) => remedy === "repair"));
  t.equal(files.readText("/etc/motd"), "one");
  t.equal(files.readText("/etc/motd.before-firstlight"), "mine\n", "nothing of anybody's is lost");
  t.equal(files.readText("/etc/nixos/configuration.nix.before-firstlight"), "{ } # mine\n");
  t.equal(files.readLink("/etc/nixos/configuration.nix")?.includes("sources/"), true);
});

t.test("sources that evaluate to another system are told by a deep look", { skip }, async (t) => {
  const { machine, c, toplevel } = await committed(t);
  const { digest } = sources("one");
  const source = `/var/lib/firstlight/sources/${digest}/firstlight/instance.nix`;
  const { files } = machine.io();
  files.write(source, (files.readText(source) ?? "").replace('"one"', '"two"'));
  t.notOk(kinds(await c.drift(whole)).includes("result-differs"), "it takes an evaluation");
  const { items } = await c.drift({ deep: true, share: 1 });
  t.match(
    items.filter(({ layer }) => layer === "result"),
    [{ kind: "result-differs", declared: toplevel, actual: /^\/nix\/store\/.*-nixos-system-edge/ }],
  );
  files.write(source, "{");
  const broken = await c.drift({ deep: true, share: 1 });
  t.match(broken.unseen, [/^the evaluation: .*instance\.nix/]);
  t.ok(broken.store, "and the rest is looked at all the same");
});

t.test("paths that no system needs are read by a deep look only", { skip }, async (t) => {
  const { machine, c } = await committed(t);
  const other = await machine.build(
    `{ boot.isContainer = true; environment.etc.motd.text = "unused"; system.stateVersion = "25.11"; }`,
  );
  const { store, file } = await motdOf(machine, other);
  damage(file);
  t.same((await c.drift(whole)).items, []);
  t.match((await c.drift({ deep: true, share: 1 })).items, [
    { kind: "path-corrupt", subject: store, level: "warning", actual: /no system of this machine/ },
  ]);
});

t.test("nothing is mended while a change is under way", { skip }, async (t) => {
  const { c } = await committed(t);
  const trial = await c.try(await c.plan(await c.build(sources("two"), reason)));
  t.match((await c.drift(whole)).unseen, [/^what runs: the change .* is under way/]);
  await t.rejects(c.repair(whole), { code: "system/repair-busy" });
  await c.commit(trial, healthy);
  t.match(await c.repair(whole), { repaired: [], after: { items: [] } });
});

/** Bodies of the events of drift that wait to be sent. */
async function driftEvents({ io }: StoryNode) {
  const outbox = await openOutbox(io, silentLog);
  const events = outbox.pending(0, 1000).filter(({ kind }) => kind === "drift.found");
  outbox.close();
  return events.map(({ body }) => body);
}

t.test(
  "the command: what is found is told once, mended, or gone back from",
  { skip: skip || (needs("xorriso").skip ?? false) },
  async (t) => {
    const settings = { stateVersion: "25.11", drift: { repair: true, storeRound: "1d" } };
    const node = await storyNode(t, { settings, nixConfig: ["keep-derivations = false"] });
    const { machine } = node;
    for (const motd of ["one", "two"]) {
      const checks = [{ type: "file", path: "/etc/motd" }] as const;
      node.insert("iso", { instanceId: "i-1", userData: cloudConfig({ motd, checks }) });
      t.match(await node.firstlight(["apply"]), { code: 0 });
    }
    t.match(await node.firstlight(["drift", "--deep"]), { code: 0, stdout: /no drift was found/ });
    t.same(await driftEvents(node), []);

    const { store, file } = await motdOf(machine, machine.currentSystem() ?? "");
    damage(file);
    const found = await node.firstlight(["drift"]);
    t.match(found, { code: 2, stdout: new RegExp(`error: store: path-corrupt: ${store}`) });
    t.match(found.stdout, /remedy: {3}firstlight drift --repair/);
    await node.firstlight(["drift"]);
    t.match(
      await driftEvents(node),
      [{ counts: { errors: 1 }, items: [{ kind: "path-corrupt", subject: store }] }],
      "told once",
    );
    const mended = await node.firstlight(["drift", "--scheduled", "--json"]);
    t.match(JSON.parse(mended.stdout), { repaired: [{ subject: store, by: "rebuild" }] });
    t.equal(mended.code, 0);
    t.match((await driftEvents(node)).at(-1), { items: [], repaired: [{ subject: store }] });

    await must(machine, ["nix-collect-garbage"]);
    damage(file);
    const back = await node.firstlight(["drift", "--repair"]);
    t.match(back, { code: 3, stdout: /went back: committed: generation 3 runs/ });
    t.equal(node.io.files.readText("/etc/motd"), "one\n");
    t.match(await node.firstlight(["boot"]), { code: 77 }, "and a boot does not undo it");
  },
);
