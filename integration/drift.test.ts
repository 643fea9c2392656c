import { existsSync, readFileSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeCache } from "#provisioner/system/fetch/fake-cache.ts";
import { apply, damage, driftMachine, motdOf, sources, start, whole } from "./drift-world.ts";
import { must } from "./fetch-world.ts";
import { nixMachine, skipWithoutNix } from "./nix-machine.ts";

t.setTimeout(600_000);
const skip = skipWithoutNix();
const committed = driftMachine(t);

t.test(
  "a machine that is what was committed has no drift, however closely it is looked at",
  { skip },
  async (t) => {
    const { c, toplevel, machine } = await committed();
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

t.test("without a cache it is built again", { skip }, async (t) => {
  const { machine, c, toplevel } = await committed();
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
  "a switch by hand and a choice in the boot menu are recognised and left alone",
  { skip },
  async (t) => {
    const { machine, c, toplevel: first } = await committed();
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
  const { machine, c } = await committed();
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
