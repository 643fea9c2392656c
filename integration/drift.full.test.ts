import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { needs } from "#agent/datasources/images/make-images.ts";
import { systemClient } from "#provisioner/system/client.ts";
import type { DriftReport } from "#provisioner/system/drift/report.ts";
import { openDriver } from "#provisioner/system/driver.ts";
import { hostProcesses } from "#provisioner/system/lock.ts";
import {
  apply,
  damage,
  driftMachine,
  kinds,
  motdOf,
  sources,
  start,
  whole,
} from "./drift-world.ts";
import { healthy, must, reason } from "./fetch-world.ts";
import { skipWithoutNix } from "./nix-machine.ts";
import { type StoryNode, storyNode } from "./story.ts";
import { cloudConfig } from "./story-documents.ts";
import { readSpooled } from "./story-state.ts";

t.setTimeout(600_000);
const skip = skipWithoutNix();
const committed = driftMachine(t);

t.test("from a cache that Nix itself trusts, and from no other", { skip }, async (t) => {
  const directory = t.testdir();
  const { machine, toplevel } = await committed();
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

t.test(
  "what can neither be fetched nor built leads to a generation without it",
  { skip },
  async (t) => {
    const { machine, c } = await committed();
    const second = await apply(c, sources("two"));
    const { store, file } = await motdOf(machine, second);
    await must(machine, ["nix-collect-garbage"]);
    damage(file);
    const seen = await c.repair(whole);
    t.match(seen, { repaired: [], unrepaired: [store], fallback: 1 });
    const back = await c.try(
      (await c.planGeneration(seen.fallback, { ...reason, by: "repair" })).plan,
    );
    t.match(await c.commit(back, healthy), { generation: 3 });
    t.same((await c.drift(whole)).items, [], "which needs none of it");
  },
);

t.test("the store is read part by part, and what was found stays found", { skip }, async (t) => {
  const { machine, c, toplevel } = await committed();
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

t.test("sources that evaluate to another system are told by a deep look", { skip }, async (t) => {
  const { machine, c, toplevel } = await committed();
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
  const { machine, c } = await committed();
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
  const { c } = await committed();
  const trial = await c.try(await c.plan(await c.build(sources("two"), reason)));
  t.match((await c.drift(whole)).unseen, [/^what runs: the change .* is under way/]);
  await t.rejects(c.repair(whole), { code: "system/repair-busy" });
  await c.commit(trial, healthy);
  t.match(await c.repair(whole), { repaired: [], after: { items: [] } });
});

/** Whoever held the lock was killed. */
const allGone = { ...hostProcesses(), isAlive: () => false };

t.test("killed at any effect of a repair, the next one ends it", { skip }, async (t) => {
  const { machine, toplevel } = await committed();
  const { store, file } = await motdOf(machine, toplevel);
  damage(file);
  const { files } = machine.io();
  files.write("/etc/nixos/configuration.nix", "{ } # mine\n");
  files.write("/etc/motd", "mine\n");
  const dead: { readonly name: string; readonly copy: string }[] = [];
  const io = machine.io({ onEffect: (_, name) => dead.push({ name, copy: machine.snapshot() }) });
  const { storeFiles } = machine;
  const c = systemClient(openDriver(io, { driver: "nix", storeFiles }));
  const { repaired } = await c.repair(whole);
  t.same(repaired.map(({ subject, by }) => `${by} ${subject}`).sort(), [
    `rebuild ${store}`,
    "rewrite /etc/motd",
    "rewrite /etc/nixos/configuration.nix",
  ]);
  t.ok(dead.length > 10, `killed at ${dead.length} effects`);

  const profile = `${toplevel} is the only generation`;
  for (const { name, copy } of dead) {
    machine.become(copy);
    t.match(
      machine.profileGenerations(),
      [{ number: 1, system: toplevel, current: true }],
      profile,
    );
    const next = systemClient(
      openDriver(machine.io(), { driver: "nix", storeFiles, processes: allGone }),
    );
    t.match(await next.recover(), { trial: null, back: null }, `${name}: no change is open`);
    t.match(await next.repair(whole), { unrepaired: [], after: { items: [] } }, name);
    t.equal(readFileSync(file, "utf8"), "one", `${name}: mended`);
    t.equal(machine.io().files.readText("/etc/motd"), "one");
    const kept = ["/etc/motd", "/etc/nixos/configuration.nix"].map((path) =>
      machine.io().files.readText(`${path}.before-firstlight`),
    );
    t.same(kept, ["mine\n", "{ } # mine\n"], `${name}: nothing of anybody's is lost`);
    t.match(await next.history(), { generations: [{ generation: 1 }] }, name);
  }
});

/** Bodies of the events of drift that were told. */
function driftEvents({ io }: StoryNode) {
  return readSpooled(io.files).flatMap(({ kind, body }) => (kind === "drift.found" ? [body] : []));
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
    t.same(driftEvents(node), []);

    const { store, file } = await motdOf(machine, machine.currentSystem() ?? "");
    damage(file);
    const found = await node.firstlight(["drift"]);
    t.match(found, { code: 2, stdout: new RegExp(`error: store: path-corrupt: ${store}`) });
    t.match(found.stdout, /remedy: {3}firstlight drift --repair/);
    await node.firstlight(["drift"]);
    t.match(
      driftEvents(node),
      [{ counts: { errors: 1 }, items: [{ kind: "path-corrupt", subject: store }] }],
      "told once",
    );
    const mended = await node.firstlight(["drift", "--scheduled", "--json"]);
    t.match(JSON.parse(mended.stdout), { repaired: [{ subject: store, by: "rebuild" }] });
    t.equal(mended.code, 0);
    t.match(driftEvents(node).at(-1), { items: [], repaired: [{ subject: store }] });

    await must(machine, ["nix-collect-garbage"]);
    damage(file);
    const back = await node.firstlight(["drift", "--repair"]);
    t.match(back, { code: 3, stdout: /went back: committed: generation 3 runs/ });
    t.equal(node.io.files.readText("/etc/motd"), "one\n");
    const held = { code: 77, stdout: /^held: this release was taken back/ };
    t.match(await node.firstlight(["boot"]), held, "and a boot does not undo it");

    t.match(await node.firstlight(["apply"]), { code: 0, stdout: /^committed/ }, "a person may");
    t.match(await node.firstlight(["drift", "--deep"]), { code: 0 }, "and has it whole again");
  },
);
