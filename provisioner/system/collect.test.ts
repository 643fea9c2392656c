import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { instanceScope } from "#provisioner/render/instance-scope.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import { type SystemClient, systemClient } from "./client.ts";
import { type FakeMachine, fakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import type { RetentionLimits } from "./retention.ts";
import type { ChangeReason, Verdict } from "./system.ts";

const reason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };
const healthy: Verdict = { healthy: true, reasons: [], passes: 1, ms: 1 };
const state = "var/lib/firstlight";
const limits: RetentionLimits = { keep: 2, maxAgeMs: null, minFreeBytes: 0, garbage: "never" };

function machine(test: { teardown(action: () => void): unknown }): FakeMachine {
  const root = mkdtempSync(path.join(tmpdir(), "firstlight-collect-"));
  test.teardown(() => rmSync(root, { recursive: true, force: true }));
  return fakeMachine(root);
}

function put(m: FakeMachine, file: string, text = "x"): void {
  mkdirSync(path.dirname(path.join(m.root, file)), { recursive: true });
  writeFileSync(path.join(m.root, file), text);
}

function names(m: FakeMachine, directory: string): readonly string[] {
  const full = path.join(m.root, directory);
  return existsSync(full)
    ? readdirSync(full)
        .filter((name) => !name.startsWith("."))
        .sort()
    : [];
}

/** Sources whose system names a secret of its own. */
function secretive(name: string): Sources {
  return { ...fakeSources(name), credentials: [`${name}@${"0".repeat(16)}`] };
}

/** Commits a system whose record names its secret; the journal need not. */
async function commit(m: FakeMachine, c: SystemClient, name: string, instance = "i-1") {
  const sources = secretive(name);
  for (const file of sources.credentials) put(m, `${state}/credentials/${file}`);
  const closure = await c.build(sources, reason);
  const names = { content: name, release: name, instance: instanceScope(instance) };
  const record = { v: 1, ...names, commands: [], hooks: [] };
  const file = `${systemOf(sources)}/etc/firstlight/generation.json`;
  put(m, file, JSON.stringify({ ...record, credentials: sources.credentials }));
  return c.commit(await c.try(await c.plan(closure)), healthy);
}

/** The image's generation 1 and four more; generation 5 runs, was booted, and was well then. */
async function grown(m: FakeMachine): Promise<SystemClient> {
  const first = systemClient(m.start().system);
  for (const name of ["a", "b", "c", "d"]) await commit(m, first, name);
  m.cutPower();
  const c = systemClient(m.start().system);
  await c.recover();
  await c.prove(healthy);
  return c;
}

const staying = (m: FakeMachine) =>
  names(m, "nix/var/nix/profiles").filter((name) => name !== "system");
const secrets = (m: FakeMachine) => names(m, `${state}/credentials`).map((name) => name[0]);

t.test("what need not stay goes, with all that only it needed", async (t) => {
  const m = machine(t);
  const c = await grown(m);
  m.link(systemOf(secretive("a")), "/run/booted-system");
  await c.pin(3, true);
  m.faults.answers.set("switch boot", ({ file }) => {
    t.equal(file, systemOf(secretive("d")), "the boot default's own installer writes the entries");
    return undefined;
  });
  const would = await c.collect(limits, true);
  t.equal(staying(m).length, 5, "a dry run changes nothing");
  const did = await c.collect(limits, false);
  t.strictSame({ ...did, dryRun: true, freeBytes: null }, { ...would, freeBytes: null });
  t.strictSame(
    did.generations.map(({ generation, stays, why }) => [generation, stays, why.join(", ")]),
    [
      [1, false, "not one of the newest 2"],
      [2, true, "booted"],
      [3, true, "pinned"],
      [4, true, "previous good"],
      [5, true, "runs, boot default"],
    ],
  );
  t.strictSame(
    staying(m),
    [2, 3, 4, 5].map((n) => `system-${n}-link`),
  );
  await c.pin(3, false);
  const next = await c.collect({ ...limits, keep: 1 }, false);
  t.match(next.removed, {
    sources: [secretive("b").digest],
    credentials: [`b@${"0".repeat(16)}`],
  });
  t.strictSame(secrets(m), ["a", "c", "d"]);
  t.strictSame(
    names(m, `${state}/sources`),
    ["a", "c", "d"].map((name) => secretive(name).digest).sort(),
  );
  t.match(await c.planGeneration(null, reason), {
    plan: { closure: { toplevel: systemOf(secretive("c")) } },
  });
});

t.test(
  "of generations that are one system, one runs and the others are named after it",
  async (t) => {
    const m = machine(t);
    const first = systemClient(m.start().system);
    for (const name of ["a", "b", "a"]) await commit(m, first, name);
    const { generations } = await first.collect(limits, true);
    t.strictSame(
      generations.map(({ generation, why }) => [generation, why.join(", ")]),
      [
        [1, "booted, way back"],
        [2, "the system of 4"],
        [3, "previous good"],
        [4, "runs, boot default"],
      ],
    );
  },
);

t.test("killed at any effect, the next collection finishes it", async (t) => {
  let deaths = 0;
  for (let dieAt = 1; dieAt < 100; dieAt++) {
    const m = machine(t);
    await grown(m);
    rmSync(path.join(m.root, "boot"), { recursive: true });
    mkdirSync(path.join(m.root, "boot"));
    const doomed = m.start({ dieAt });
    const ended = await systemClient(doomed.system)
      .collect(limits, false)
      .catch(() => undefined);
    if (doomed.dead()) {
      deaths += 1;
      t.equal(ended, undefined);
      m.cutPower();
      m.link(systemOf(secretive("d")), "/run/current-system");
    }
    const c = systemClient(m.start().system);
    t.match(await c.collect(limits, false), { incomplete: [] }, `after a death at ${dieAt}`);
    t.strictSame(staying(m), ["system-4-link", "system-5-link"]);
    t.strictSame(secrets(m), ["c", "d"]);
    t.equal(names(m, `${state}/sources`).length, 2);
    t.notOk(existsSync(path.join(m.root, `${state}/collecting.json`)));
    t.equal(m.bootDefault(), systemOf(secretive("d")), "boot entries were written");
    if (!doomed.dead()) break;
  }
  t.ok(deaths > 10, `${deaths} deaths`);
});

t.test("boot entries that cannot be written keep the store as it is", async (t) => {
  const m = machine(t);
  const c = await grown(m);
  m.faults.answers.set("switch boot", () => ({ code: 1, stderr: "no room on /boot\n" }));
  const process = m.start();
  const first = await systemClient(process.system).collect({ ...limits, garbage: "always" }, false);
  t.match(first.incomplete, [/^boot entries could not be written: .*exit code 1/]);
  t.notOk(process.io.executed.some(({ args }) => args.includes("--gc")));
  m.faults.answers.delete("switch boot");
  t.match(await c.collect({ ...limits, garbage: "always" }, false), { incomplete: [] });
  t.equal(m.bootDefault(), systemOf(secretive("d")));
});

t.test("nothing goes while a trial is open, nor what a build needs", async (t) => {
  const m = machine(t);
  const c = await grown(m);
  const sources = secretive("e");
  for (const file of sources.credentials) put(m, `${state}/credentials/${file}`);
  const closure = await c.build(sources, reason);
  await c.collect(limits, false);
  t.ok(secrets(m).includes("e"), "what is built is not tried yet");
  t.ok(names(m, `${state}/sources`).includes(sources.digest));
  const trial = await c.try(await c.plan(closure));
  await t.rejects(c.collect(limits, false), { code: "system/transaction-open" });
  await c.commit(trial, healthy);
  t.match(await c.collect(limits, false), { incomplete: [] });
});

t.test("a secret that went between storing and building is asked for anew", async (t) => {
  const m = machine(t);
  const c = systemClient(m.start().system);
  await t.rejects(c.build(secretive("x"), reason), {
    code: "system/credential-missing",
    message: /credentials\/x@0+ is not there$/,
  });
});

t.test("a journal that was lost loses no secret and no sources", async (t) => {
  const m = machine(t);
  await grown(m);
  for (const name of ["a", "b", "c", "d"]) {
    const manifest = `${state}/sources/${secretive(name).digest}/firstlight/manifest.json`;
    put(m, manifest, `{\n  "content": "${name}"\n}\n`);
  }
  rmSync(path.join(m.root, `${state}/journal`), { recursive: true });
  const c = systemClient(m.start().system);
  await c.collect(limits, false);
  t.strictSame(secrets(m), ["c", "d"], "the systems say themselves what they need");
});

t.test("a system that does not say what it needs keeps every secret", async (t) => {
  const m = machine(t);
  const c = await grown(m);
  put(m, `${systemOf(secretive("c"))}/etc/firstlight/generation.json`, '{"v":2}');
  const { removed } = await c.collect(limits, false);
  t.strictSame(removed.credentials, []);
  t.strictSame(secrets(m), ["a", "b", "c", "d"]);
});

t.test("what the reporting side was told of stays", async (t) => {
  const m = machine(t);
  const c = await grown(m);
  put(m, `${state}/report/events/000000000001.json`, "{}");
  put(
    m,
    `${state}/report/report.json`,
    JSON.stringify({ password: { file: `a@${"0".repeat(16)}` } }),
  );
  await c.collect(limits, false);
  t.strictSame(secrets(m), ["a", "c", "d"]);
});

t.test("stamps of an instance outlive it for a while", async (t) => {
  const m = machine(t);
  const c = await grown(m);
  const [here, gone, lately] = ["i-1", "i-0", "i-2"].map(instanceScope);
  const day = 86_400_000;
  for (const [scope, age] of [
    [here, 400],
    [gone, 400],
    [lately, 1],
    ["once", 400],
  ] as const) {
    put(m, `${state}/stamps/${scope}/runcmd`);
    const at = new Date(Date.UTC(2026, 0, 1) - age * day);
    utimesSync(path.join(m.root, `${state}/stamps/${scope}/runcmd`), at, at);
  }
  await c.collect(limits, false);
  t.equal(names(m, `${state}/stamps`).length, 4, "without a limit of age they stay");
  const { removed } = await c.collect({ ...limits, maxAgeMs: 90 * day }, false);
  t.strictSame(removed.stamps, [gone]);
  t.strictSame(names(m, `${state}/stamps`), [here, lately, "once"].sort());
});

t.test("garbage goes as far as room is missing, then generations, the oldest first", async (t) => {
  const m = machine(t);
  await grown(m);
  const process = m.start();
  let freeBytes = 100;
  const full = { totalBytes: 10_000, totalInodes: 0, freeInodes: 0, fileSystem: 1 };
  process.io.files.space = () => ({ ...full, freeBytes, availableBytes: freeBytes });
  const collections: (readonly string[])[] = [];
  m.faults.answers.set("nix-store", ({ args }) => {
    if (args[0] !== "--gc") return undefined;
    collections.push(args.slice(1));
    freeBytes += 400; // a generation's worth
    return {};
  });
  const c = systemClient(process.system);
  const roomy: RetentionLimits = { keep: 5, maxAgeMs: null, minFreeBytes: 900, garbage: "needed" };
  const { generations, freeBytes: room } = await c.collect(roomy, false);
  t.strictSame(collections, [
    ["--max-freed", "800"],
    ["--max-freed", "400"],
  ]);
  t.strictSame(room, { before: 100, after: 900 });
  t.match(generations[0], { generation: 1, stays: false, why: ["room is missing in the store"] });
  t.strictSame(
    staying(m),
    [2, 3, 4, 5].map((n) => `system-${n}-link`),
  );

  freeBytes = 0;
  m.faults.answers.set("nix-store", ({ args }) => (args[0] === "--gc" ? {} : undefined));
  await c.collect(roomy, false);
  t.strictSame(staying(m), ["system-4-link", "system-5-link"], "what is held stays, full or not");
});

t.test("a garbage collection that fails is told of", async (t) => {
  const m = machine(t);
  const c = await grown(m);
  m.faults.answers.set("nix-store", ({ args }) =>
    args[0] === "--gc" ? { code: 1, stderr: "error: disk I/O error\n" } : undefined,
  );
  const { incomplete } = await c.collect({ ...limits, garbage: "always" }, false);
  t.match(incomplete, [/^the garbage of the store was not collected: .*disk I\/O error/]);
});

t.test("a pin holds a generation, and only the system it was set for", async (t) => {
  const m = machine(t);
  const c = await grown(m);
  t.strictSame(await c.pin(2, true), { changed: true });
  t.strictSame(await c.pin(2, true), { changed: false });
  await t.rejects(c.pin(99, true), { code: "system/generation-unknown" });
  t.match(
    (await c.history()).generations.filter(({ pinned }) => pinned),
    [{ generation: 2 }],
  );
  m.link(systemOf(secretive("z")), "/nix/var/nix/profiles/system-2-link");
  t.strictSame(
    (await c.history()).generations.filter(({ pinned }) => pinned),
    [],
  );
  put(m, `${state}/pinned-generations.json`, "{");
  await t.rejects(c.collect(limits, false), { code: "system/pins-unreadable" });
});
