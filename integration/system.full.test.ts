import {
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeClock } from "#core/fake-io.ts";
import type { Fault } from "#core/fault.ts";
import type { Clock } from "#core/io.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import { type SystemClient, systemClient } from "#provisioner/system/client.ts";
import { type DriverOptions, openDriver } from "#provisioner/system/driver.ts";
import type { SystemEvent, Verdict } from "#provisioner/system/system.ts";
import {
  builderOption as builder,
  buildReason as reason,
  smallSources as sources,
} from "./build-sources.ts";
import { type NixMachine, nixMachine, nixModes, skipWithoutNix } from "./nix-machine.ts";

t.setTimeout(300_000);
const skip = skipWithoutNix();
const healthy: Verdict = { healthy: true, reasons: ["all passed"], passes: 3, ms: 1 };
const sick: Verdict = { healthy: false, reasons: ["http: refused"], passes: 0, ms: 1 };

interface Options extends Omit<DriverOptions, "driver"> {
  readonly clock?: Clock;
  readonly onEvent?: (event: SystemEvent) => void;
}

/** firstlight on the machine, as a process of its own would open it. */
function start(machine: NixMachine, { onEvent, clock, ...deadlines }: Options = {}): SystemClient {
  const { storeFiles } = machine;
  const io = machine.io(clock === undefined ? {} : { clock });
  const system = openDriver(io, { driver: "nix", storeFiles, ...deadlines });
  return systemClient(system, onEvent === undefined ? {} : { onEvent });
}

async function planned(c: SystemClient, what: Sources) {
  return c.plan(await c.build(what, reason));
}

async function apply(c: SystemClient, what: Sources) {
  return c.commit(await c.try(await planned(c, what)), healthy);
}

for (const mode of nixModes()) {
  t.test(`generations come, are judged and stay or go, store by ${mode}`, { skip }, async (t) => {
    const machine = await nixMachine(t, { mode });
    const events: SystemEvent[] = [];
    const c = start(machine, { onEvent: (event) => events.push(event) });
    const hello = (script: string) =>
      `systemd.services.hello = { wantedBy = [ "multi-user.target" ]; script = "${script}"; };`;
    const one = sources("one", hello("true"));
    const two = sources("two", hello("exit 0"));

    t.match(await c.recover(), { state: "clean" });
    t.match(await c.runs(one.digest), { runs: false, toplevel: null });
    t.match(await apply(c, one), { generation: 1, sourcesDigest: one.digest });
    t.match(await c.runs(one.digest), { runs: true, generation: 1 });
    t.match(machine.io().files.readText("/etc/motd"), "one");
    const first = machine.currentSystem();
    t.equal(machine.bootDefault(), first);

    const plan = await planned(c, two);
    t.match(plan, {
      from: { toplevel: first, generation: 1, sourcesDigest: one.digest },
      files: [{ path: "firstlight/instance.nix", change: "changed" }],
      units: { stop: ["hello.service"], start: ["hello.service"] },
    });
    const trial = await c.try(plan);
    t.match(trial, { activation: "switched", exitCode: 0 });
    t.equal(machine.bootDefault(), first, "not the boot default while it is tried");
    t.match(await c.commit(trial, healthy), { generation: 2 });
    t.equal(machine.bootDefault(), trial.toplevel);
    t.match(machine.io().files.readText("/etc/nixos/firstlight/instance.nix"), "two");

    const bad = await c.try(await planned(c, sources("three")));
    t.match(machine.io().files.readText("/etc/motd"), "three");
    t.match(await c.rollBack(bad, sick), { toplevel: trial.toplevel, generation: 2 });
    t.match(machine.io().files.readText("/etc/motd"), "two");
    t.match(machine.io().files.readText("/etc/nixos/firstlight/instance.nix"), "two");
    t.match(await c.runs(two.digest), { runs: true, generation: 2 });

    const back = await c.try((await c.planGeneration(1, { ...reason, by: "rollback" })).plan);
    t.match(await c.commit(back, healthy), { generation: 3, toplevel: first });
    t.match(await c.runs(one.digest), { runs: true });

    const roots = path.join(machine.root, "nix/var/nix/gcroots/firstlight");
    t.same(existsSync(roots) ? readdirSync(roots) : [], [], "no root is left");
    const starts = events.length;
    await c.recover();
    await c.runs(one.digest);
    await c.history();
    t.equal(events.length, starts, "and asking again runs nothing");
  });
}

t.test("a build keeps its system from the garbage collector", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const c = start(machine);
  const closure = await c.build(sources("kept"), reason);
  await machine.run(["nix-collect-garbage"]);
  t.match(await c.try(await c.plan(closure)), { activation: "switched" });
});

t.test("a generation made by hand is recognised and left alone", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const c = start(machine);
  await apply(c, sources("ours"));
  const foreign = await machine.build(
    `{ ... }: { boot.isContainer = true; networking.hostName = "hand"; }`,
  );
  await machine.run(["nix-env", "-p", machine.systemProfile, "--set", foreign]);
  await machine.run([`${foreign}/bin/switch-to-configuration`, "switch"]);
  t.match(await c.recover(), { state: "clean" });
  t.equal(machine.currentSystem(), foreign);
  t.match(await c.runs(sources("ours").digest), { runs: false, toplevel: foreign });
  const { generations } = await c.history();
  t.match(generations, [
    { generation: 1, outcome: "committed", running: false },
    { generation: 2, outcome: "foreign", running: true, bootDefault: true, toplevel: foreign },
  ]);
  const trial = await c.try(await planned(c, sources("next")));
  t.match(await c.rollBack(trial, sick), { toplevel: foreign, generation: 2, sourcesDigest: null });
});

t.test("what cannot be evaluated or built says where and why", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const log: string[] = [];
  const c = start(machine, {
    onEvent: (event) => {
      if (event.type === "build-log") log.push(event.line);
    },
  });
  const broken = sources("broken", builder("echo the disk is made of cheese >&2; exit 7"));
  await t.rejects(c.build(broken, reason), {
    code: "system/build-failed",
    message: /-x\.drv: .*exit code 7.*made of cheese/s,
  });
  t.match(log.join("\n"), "made of cheese", "and the log was told as it came");

  const unknown = await caught(c.build(sources("u", "networking.domain = nowhere;"), reason));
  t.equal(unknown.code, "system/evaluation-failed");
  t.match(unknown.message, /^firstlight\/instance\.nix:6: undefined variable 'nowhere'/);

  const syntax = await caught(c.build(sources("s", "a = ;"), reason));
  t.match(syntax.findings[0], { document: "firstlight/instance.nix", line: 6 });

  const wrongType = await caught(
    c.build(sources("t", "networking.firewall.allowedTCPPorts = [ true ];"), reason),
  );
  t.equal(wrongType.code, "system/evaluation-failed");

  const slow = start(machine, { buildTimeoutMs: 3_000 });
  await t.rejects(slow.build(sources("slow", builder("exec /bin/sleep 600")), reason), {
    code: "system/timeout",
  });
  t.match(await apply(c, sources("good")), { generation: 1 }, "and none of it is in the way");
});

const switches = [
  { file: "refuse 1", activation: "refused", exitCode: 1, words: /refused the activation/ },
  { file: "exit 4", activation: "degraded", exitCode: 4, words: /failed/ },
  { file: "refuse 100", activation: "refused", exitCode: 100, words: /reboot/ },
  { file: "refuse 11", activation: "refused", exitCode: 11, words: /another activation/ },
  { file: "hang", activation: "refused", exitCode: null, words: /deadline/ },
] as const;

t.test("an activation that ends badly is told apart and taken back", { skip }, async (t) => {
  const machine = await nixMachine(t);
  await apply(start(machine), sources("good"));
  const good = machine.currentSystem();
  const control = path.join(machine.root, "stand-in/test");
  mkdirSync(path.dirname(control), { recursive: true });
  for (const { file, activation, exitCode, words } of switches) {
    await t.test(file, async (t) => {
      const clock = fakeClock(Date.now()); // the pauses between tries are not waited for
      const c = start(machine, { clock, activationTimeoutMs: file === "hang" ? 3_000 : 60_000 });
      const plan = await planned(c, sources(file));
      writeFileSync(control, `${file}\n`);
      const trial = await c.try(plan);
      rmSync(control);
      t.match(trial, { activation, exitCode, message: words });
      t.match(await c.rollBack(trial, sick), { toplevel: good, generation: 1 });
      t.equal(machine.currentSystem(), good);
      t.equal(machine.bootDefault(), good);
      t.match(await c.runs(sources("good").digest), { runs: true });
    });
  }
});

t.test(
  "a real lock, a real init interface and a real check speak for themselves",
  { skip },
  async (t) => {
    const machine = await nixMachine(t);
    const c = start(machine);
    await apply(c, sources("good"));
    const other = await planned(c, sources("x", 'standIn.initInterfaceVersion = "2";'));
    t.match(other.reboot, { needed: true, why: [/^its init interface is stand-in 2/] });
    await t.rejects(c.try(other), { code: "system/reboot-impossible", message: /systemd/ });
    const skipping = start(machine, { reboot: "skip" });
    const refused = await skipping.try(other);
    t.match(refused, { activation: "refused", exitCode: 100 });
    await skipping.rollBack(refused, sick);
    const never = await c.plan(
      await c.build(
        sources("x", 'system.preSwitchChecks.never = "echo not today; exit 1";'),
        reason,
      ),
    );
    t.match(never.warnings.at(-1), { kind: "check", message: /refuse it now: never$/ });
    const said = await c.try(never);
    t.match(said, { activation: "refused", exitCode: 1, message: /: never\n(.*\n)*not today/ });
    const asked = machine.switches().filter(({ system }) => system === said.toplevel);
    t.notOk(
      asked.some(({ action }) => action === "test"),
      "it was asked, and not switched to",
    );
    await c.rollBack(said, sick);
    const cases = [
      // Of which NixOS says the same to a switch, where its switch-to-configuration knows no `check`.
      [
        'standIn.check = false; system.preSwitchChecks.never = "echo not today; exit 1";',
        "refused",
        1,
      ],
      [
        'standIn.failingUnits = [ "bad.service" ]; systemd.services.bad = { wantedBy = [ "multi-user.target" ]; script = "false"; };',
        "degraded",
        4,
      ],
    ] as const;
    for (const [option, activation, exitCode] of cases) {
      const trial = await c.try(await planned(c, sources("x", option)));
      t.match(trial, { activation, exitCode }, option);
      await c.rollBack(trial, sick);
    }
    const dbus = (which: string) => `system.switch.inhibitors.dbus = "${which}";`;
    await apply(c, sources("inhibited", dbus("dbus")));
    const broker = await planned(c, sources("inhibited", dbus("broker")));
    const why = ["NixOS refuses to switch: dbus: dbus -> broker"];
    t.same(broker.reboot, { needed: true, why, switchRefused: true });
    await t.rejects(c.try(broker), { code: "system/switch-inhibited", message: /systemd/ });
    const added = await planned(
      c,
      sources("added", `${dbus("dbus")} system.switch.inhibitors.a = "1";`),
    );
    t.match(added.reboot, { needed: false }, "both must name it");
    const plan = await planned(c, sources("locked"));
    const lock = path.join(machine.root, "run/nixos/switch-to-configuration.lock");
    const held = machine.run(["flock", lock, "sleep", "1"]);
    t.match(await c.try(plan), { activation: "switched" }, "it waits for the lock a little");
    await held;
  },
);

t.test("a path that a power cut emptied is mended by the next build", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const bootId = path.join(machine.root, "proc/sys/kernel/random/boot_id");
  mkdirSync(path.dirname(bootId), { recursive: true });
  writeFileSync(bootId, "boot-1\n");
  await apply(start(machine), sources("good"));

  // Dies after the build, before anything of it is known to be on disk.
  let dead = false;
  const dying = machine.io({
    onEffect: (_number, name) => {
      if (name === "sync store") dead = true;
      if (dead) throw new Error("the power went");
    },
  });
  const { storeFiles } = machine;
  const doomed = systemClient(openDriver(dying, { driver: "nix", storeFiles }));
  await t.rejects(doomed.build(sources("next"), reason), { message: /the power went/ });
  const roots = path.join(machine.root, "nix/var/nix/gcroots/firstlight");
  for (const name of readdirSync(roots)) {
    const target = readlinkSync(path.join(roots, name));
    const file = path.join(
      machine.root,
      machine.mode === "namespace" ? target : path.relative(machine.root, target),
    );
    truncateSync(name.endsWith("-drv") ? file : path.join(file, "bin/switch-to-configuration"), 0);
  }
  writeFileSync(bootId, "boot-2\n");
  rmSync(path.join(machine.root, "run/firstlight"), { recursive: true });

  const c = start(machine);
  t.match(await c.recover(), { state: "abandoned" });
  const events: SystemEvent[] = [];
  const next = start(machine, { onEvent: (event) => events.push(event) });
  t.match(await apply(next, sources("next")), { generation: 2 });
  t.match(machine.io().files.readText("/etc/motd"), "next");
  t.ok(events.some((event) => event.type === "command" && event.argv.includes("--repair")));
});

async function caught(work: Promise<unknown>): Promise<Fault> {
  try {
    await work;
  } catch (error) {
    return error as Fault;
  }
  throw new Error("expected a fault, got none");
}
