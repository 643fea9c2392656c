import { readdirSync, readlinkSync, rmSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { Fault } from "#core/fault.ts";
import { armFirstBoot } from "./arm-first-boot.ts";
import { systemClient } from "./client.ts";
import type { FakeLoader } from "./fake-firmware.ts";
import {
  arm,
  commit,
  fresh,
  freshMachine,
  good,
  healthy,
  marks,
  proved,
  provedMachine,
  reason,
  start,
  unproved,
  unprovedMachine,
} from "./fake-first-boot.ts";
import { type FakeMachine, fakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import { machineDirectory } from "./machine-directory.ts";
import type { SystemEvent } from "./system.ts";

const sick = { healthy: false, reasons: ["http: refused"], passes: 0, ms: 1 };

const journal = "/var/lib/firstlight/journal/journal.jsonl";

const loaders: readonly FakeLoader[] = ["systemd-boot", "grub"];

for (const loader of loaders) {
  t.test(`${loader}: a first boot that does not come up leads back, and stays there`, async (t) => {
    const m = await unprovedMachine(t, loader);
    t.same(marks(m), ["during", "proved", "unproved"]);
    t.equal(await arm(m), undefined, "the boot that committed it is not it");
    m.cutPower();
    t.strictSame([m.running(), m.bootDefault()], [fresh, fresh]);
    t.match(await arm(m), { back: good, loader });
    m.cutPower(); // it hangs, and the watchdog resets the machine
    t.strictSame([m.running(), m.bootDefault()], [good, fresh]);
    const c = start(m);
    t.match(await c.status(), { state: "none" });
    const found = await c.recover({ judges: true });
    const why = /^the first boot of generation 3 did not come as far as to be judged/;
    t.match(found, {
      state: "rolled-back",
      details: [why],
      fault: null,
      back: {
        ...{ toplevel: fresh, sourcesDigest: unproved.digest, reason },
        verdict: { healthy: false, conclusive: false, reasons: [why] },
        rolledBack: { toplevel: good, generation: 4, sourcesDigest: proved.digest, restart: false },
      },
      unproved: null,
    });
    t.strictSame([m.running(), m.bootDefault(), m.profile()], [good, good, good]);
    t.same(marks(m), []);
    t.match(await c.recover(), { state: "clean" });
    t.match(await c.runs(unproved.digest), {
      runs: false,
      bootProved: true,
      chosen: /did not come as far/,
    });
    const { boot, denied, generations } = await c.history();
    t.match(boot, { toplevel: good, proved: true });
    t.same(denied, [], "a power cut would look the same: nobody is blamed");
    t.notOk(generations.some((made) => made.previousGood && made.toplevel === fresh));
    m.cutPower();
    t.equal(m.running(), good);
    t.match(await start(m).recover(), { state: "clean" });
  });

  t.test(`${loader}: a first boot that was judged has no way back any more`, async (t) => {
    for (const verdict of [healthy, sick]) {
      const m = await unprovedMachine(t, loader);
      m.cutPower();
      await arm(m);
      await arm(m);
      const c = start(m);
      t.match(await c.recover({ judges: true }), {
        ...{ state: "clean", unproved: { toplevel: fresh }, details: [] },
      });
      t.same(marks(m), ["begun", "during", "proved", "unproved"], "it is not judged yet");
      await c.prove(verdict);
      t.same(marks(m), []);
      t.equal(await arm(m), undefined);
      m.cutPower();
      t.equal(m.running(), fresh, "the next boot is its own");
      t.equal(await arm(m), undefined);
    }
  });

  t.test(`${loader}: a first boot that ends before its verdict leads back, once`, async (t) => {
    const m = await unprovedMachine(t, loader);
    m.cutPower();
    await arm(m);
    await start(m).recover({ judges: true });
    m.cutPower();
    t.equal(m.running(), good);
    t.match(await start(m).recover({ judges: true }), { state: "rolled-back" });
    m.cutPower();
    t.equal(m.running(), good);
  });

  t.test(`${loader}: a change that begins in a first boot takes it up`, async (t) => {
    const m = await unprovedMachine(t, loader);
    m.cutPower();
    await arm(m);
    const c = start(m);
    await c.recover({ judges: true });
    const plan = await c.plan(await c.build(fakeSources("c"), reason));
    t.equal(marks(m).length, 4);
    await c.commit(await c.try(plan), healthy);
    t.same(marks(m), ["during", "proved", "unproved"], "of the next system");
    m.cutPower();
    t.equal(m.running(), systemOf(fakeSources("c")));
    t.match(await arm(m), { back: good });
  });

  t.test(`${loader}: a commit that is finished in another first boot ends that`, async (t) => {
    const m = await unprovedMachine(t, loader);
    const third = fakeSources("c");
    const c = start(m);
    const trial = await c.try(await c.plan(await c.build(third, reason)));
    m.faults.answers.set("switch boot", () => ({ code: 1 }));
    await t.rejects(c.commit(trial, healthy), { code: "system/commit-incomplete" });
    m.faults.answers.clear();
    m.cutPower();
    t.equal(m.running(), fresh, "the loader knows of no other yet");
    t.match(await arm(m), { back: good });
    t.match(await start(m).recover({ judges: true }), { state: "continued" });
    t.same(marks(m), ["during", "proved", "unproved"], "of the next system");
    t.equal(m.bootDefault(), systemOf(third));
    m.cutPower();
    t.equal(m.running(), systemOf(third), "and of no other");
    t.match(await arm(m), { back: good });
  });

  t.test(
    `${loader}: nor does a choice that cannot be forgotten keep that commit open`,
    async (t) => {
      const m = await unprovedMachine(t, loader);
      const third = fakeSources("c");
      const c = start(m);
      const trial = await c.try(await c.plan(await c.build(third, reason)));
      m.faults.answers.set("switch boot", () => ({ code: 1 }));
      await t.rejects(c.commit(trial, healthy), { code: "system/commit-incomplete" });
      m.faults.answers.clear();
      m.cutPower();
      t.match(await arm(m), { back: good });
      for (const program of ["bootctl", "grub-editenv"]) {
        m.faults.answers.set(program, () => ({ code: 1, stderr: "Read-only file system" }));
      }
      t.match(await start(m).recover({ judges: true }), { state: "continued" });
      t.equal(m.bootDefault(), systemOf(third));
    },
  );

  t.test(
    `${loader}: arming that is cut off is no first boot that failed, or can go on`,
    async (t) => {
      for (let dieAt = 1; dieAt <= 3; dieAt++) {
        const m = await unprovedMachine(t, loader);
        m.cutPower();
        await arm(m, dieAt).catch(() => {});
        m.cutPower();
        if (m.running() === fresh) {
          await arm(m);
          t.match(await start(m).recover(), { state: "clean" });
          t.equal(m.bootDefault(), fresh);
        } else t.match(await start(m).recover(), { state: "rolled-back" });
      }
    },
  );
}

t.test("a disk that takes no mark keeps no loader from being told", async (t) => {
  const m = await unprovedMachine(t, "systemd-boot");
  m.cutPower();
  const { io } = m.start();
  const link = () => {
    throw new Fault("io/write-failed", "no space left");
  };
  const full = { ...io, files: { ...io.files, link } };
  await t.rejects(armFirstBoot(full), { code: "io/write-failed" });
  m.cutPower();
  t.equal(m.running(), good);
});

t.test(
  "who chose another system in the menu is left alone, and the first boot is still to come",
  async (t) => {
    const m = await unprovedMachine(t, "systemd-boot");
    m.bootNext(good);
    m.cutPower();
    t.match(await start(m).recover(), { state: "clean" });
    t.equal(m.bootDefault(), fresh, "it had not begun");
    m.cutPower();
    await arm(m);
    m.bootNext(m.image);
    m.cutPower();
    t.match(await start(m).recover(), { state: "clean" });
    t.equal(m.bootDefault(), fresh, "neither was the way back taken");
    m.cutPower();
    t.equal(m.running(), fresh);
    t.match(await arm(m), { back: good });
  },
);

t.test("a boot default that somebody chose since is nobody's first boot", async (t) => {
  const m = await unprovedMachine(t, "grub");
  m.cutPower();
  await arm(m);
  m.choose(m.image);
  m.cutPower();
  t.equal(m.running(), good, "the way back was armed");
  t.match(await start(m).recover(), { state: "clean" });
  t.equal(m.bootDefault(), m.image);
});

t.test(
  "a loader that cannot boot a system once: said in the plan; whoever is back is asked nothing",
  async (t) => {
    const m = await unprovedMachine(t, "extlinux");
    const plan = await start(m).plan(await start(m).build(fakeSources("c"), reason));
    t.match(plan.warnings.at(-1), { kind: "first-boot", message: /extlinux.conf has one default/ });
    m.cutPower();
    await t.rejects(arm(m), { code: "system/reboot-impossible", message: /extlinux/ });
    m.bootNext(good); // by a person at the console
    m.cutPower();
    t.match(await start(m).recover({ judges: true }), { state: "rolled-back" });
    t.equal(m.bootDefault(), good);
  },
);

t.test("a system that was booted has no first boot to come", async (t) => {
  const m = await provedMachine(t, "systemd-boot");
  await commit(start(m), unproved);
  await commit(start(m), proved);
  t.same(marks(m), [], "one that was gone back to");
  t.match((await start(m).history()).boot, { toplevel: good, proved: true });
  const c = start(m);
  await c.try(await c.plan(await c.build(fakeSources("c with kernel-one"), reason)));
  await c.restart();
  m.restartIfAsked();
  t.equal(await arm(m), undefined, "nor one on trial");
  const { trial } = await c.recover({ judges: true });
  if (trial === null) return t.fail("expected the trial");
  await c.commit(trial.trial, healthy);
  t.same(marks(m), []);
});

t.test("a system of a firstlight that does not see to its first boot is not marked", async (t) => {
  const m = await provedMachine(t, "grub");
  await commit(start(m), fakeSources("no-first-boot"));
  t.same(marks(m), []);
});

t.test("a way back that cannot be disarmed is no sign of a boot that failed", async (t) => {
  const m = await unprovedMachine(t, "systemd-boot");
  m.cutPower();
  await arm(m);
  m.faults.answers.set("bootctl", ({ args }) =>
    args.at(-1) === "" ? { code: 1, stderr: "Read-only file system" } : undefined,
  );
  const c = start(m);
  await c.recover({ judges: true });
  t.match(await c.prove(healthy), { proved: true });
  t.same(marks(m), ["during", "proved", "unproved"]);
  const told = /^the next boot may still be of the system from before: .*Read-only/;
  t.match(await start(m).recover(), { state: "clean", details: [told] });
  m.cutPower();
  t.equal(m.running(), good);
  t.match(await start(m).recover(), { state: "clean" });
  t.equal(m.bootDefault(), fresh, "it was well");
  m.faults.answers.clear();
  m.cutPower();
  await arm(m);
  await start(m).recover();
  t.same(marks(m), []);
  m.cutPower();
  t.equal(m.running(), fresh);
});

t.test("a boot that a person asked to end in a shell is nobody's first boot", async (t) => {
  const m = await unprovedMachine(t, "grub");
  m.cutPower();
  for (const words of ["systemd.unit=emergency.target", "quiet rescue", "single"]) {
    m.write("/proc/cmdline", `init=${fresh}/init ${words}\n`);
    t.equal(await arm(m), undefined, words);
  }
  m.write("/proc/cmdline", `init=${fresh}/init systemd.unit=multi-user.target\n`);
  t.match(await arm(m), { back: good });
});

t.test("a journal that is damaged keeps nobody in a system that does not come up", async (t) => {
  const m = await unprovedMachine(t, "grub");
  m.cutPower();
  await arm(m);
  m.cutPower();
  const lines = (m.read(journal) ?? "").split("\n");
  m.write(journal, lines.with(2, (lines[2] ?? "").replace('"bootId"', '"bootIe"')).join("\n"));
  t.match(await start(m).recover({ judges: true }), {
    state: "set-aside",
    fault: { code: "system/journal-damaged" },
    details: [/the journal was damaged/, /did not come as far as to be judged/],
  });
  t.strictSame([m.bootDefault(), m.profile()], [good, good]);
  t.same(marks(m), []);
  m.cutPower();
  t.match(await start(m).recover(), { state: "clean" });
});

t.test("a journal that is lost at the way back does not forget which system hung", async (t) => {
  for (const isLost of [true, false]) {
    const m = await unprovedMachine(t, "grub");
    const older = m.read(journal) ?? "";
    m.cutPower();
    await arm(m);
    m.cutPower();
    if (isLost) rmSync(path.join(m.root, journal));
    else m.write(journal, untilCommit(older, 1)); // that of before the system that hung
    t.match(await start(m).recover({ judges: true }), { state: "rolled-back" });
    const { boot, generations } = await start(m).history();
    t.match(boot, { toplevel: good, proved: true }, "it was booted in its place");
    t.notOk(generations.some((made) => made.previousGood && made.toplevel === fresh));
    const next = fakeSources("c");
    await commit(start(m), next);
    t.match((await start(m).history()).boot?.previousGood, { toplevel: good });
    m.cutPower();
    t.match(await arm(m), { back: good });
    m.cutPower();
    t.equal(m.running(), good, "and so the next one that hangs leads there");
  }
});

t.test("a system that was left is held back for some time, whatever makes it", async (t) => {
  for (const isLost of [false, true]) {
    const m = await unprovedMachine(t, "grub");
    m.cutPower();
    await arm(m);
    m.cutPower();
    if (isLost) rmSync(path.join(m.root, journal));
    t.match(await start(m).recover({ judges: true }), { state: "rolled-back" });
    const tried = async (sources: typeof proved, asked = reason, afterMs = 0) => {
      const { system, io } = m.start();
      io.clock.advance(afterMs);
      const c = systemClient(system);
      await c.recover({ judges: true });
      const closure = { ...(await c.build(sources, asked)), toplevel: fresh };
      return { c, trial: await c.try(await c.plan(closure)) };
    };
    for (const sources of [unproved, fakeSources("other")]) {
      await t.rejects(tried(sources), {
        code: "system/release-denied",
        message:
          /^\S+ was left in \S+ \(the first boot of .* judged\); it is not tried again before 2026-01-02T/,
      });
    }
    t.strictSame([m.running(), m.bootDefault()], [good, good]);
    const later = await tried(unproved, reason, 86_400_000);
    t.match(later.trial, { activation: "switched" });
    await later.c.rollBack(later.trial, { ...sick, conclusive: false });

    const { c, trial } = await tried(unproved, { ...reason, by: "apply" });
    await c.commit(trial, healthy);
    await commit(start(m), proved);
    t.match(await tried(unproved), { trial: { activation: "switched" } }, "it is forgiven");
  }
});

/** The lines of a journal up to the end of so many commits, and of the proof of the last. */
function untilCommit(text: string, commits: number): string {
  const lines = text.split("\n");
  const ends = lines.flatMap((line, index) =>
    /"step":"prove".*"healthy"/.test(line) ? [index] : [],
  );
  return `${lines.slice(0, (ends[commits - 1] ?? 0) + 1).join("\n")}\n`;
}

t.test("a boot default that was made by hand and never booted is nobody's way back", async (t) => {
  const byHand = fakeSources("x");
  const makeDefault = async (m: FakeMachine) => {
    const c = start(m);
    await c.recover({ judges: true });
    await c.build(byHand, reason);
    m.choose(systemOf(byHand));
  };
  const m = await provedMachine(t, "systemd-boot");
  await makeDefault(m);
  await commit(start(m), fakeSources("c"));
  t.match((await start(m).history()).boot, {
    ...{ proved: false, previousGood: { toplevel: good, generation: 2 } },
  });
  m.cutPower();
  t.match(await arm(m), { back: good });

  const unknown = await freshMachine(t, "systemd-boot");
  await makeDefault(unknown);
  await commit(start(unknown), fakeSources("c"));
  unknown.cutPower();
  t.match(await arm(unknown), { back: unknown.image }, "what was booted, where nothing is proved");

  const booted = await provedMachine(t, "systemd-boot");
  await makeDefault(booted);
  booted.cutPower();
  await commit(start(booted), fakeSources("c"));
  booted.cutPower();
  t.match(await arm(booted), { back: systemOf(byHand) }, "one that came up is");
});

/** A system that a person has built and switched to. */
async function switchTo(m: FakeMachine, name: string): Promise<string> {
  const c = start(m);
  await c.recover({ judges: true });
  await c.build(fakeSources(name), reason);
  const toplevel = systemOf(fakeSources(name));
  m.choose(toplevel);
  m.link(toplevel, "/run/current-system");
  return toplevel;
}

/** A person removes a generation of a system, and collects what is left of it or not. */
function removeGeneration(m: FakeMachine, toplevel: string, isCollected: boolean): void {
  const profiles = path.join(m.root, "nix/var/nix/profiles");
  for (const name of readdirSync(profiles)) {
    const file = path.join(profiles, name);
    if (/^system-\d+-link$/.test(name) && readlinkSync(file) === toplevel) rmSync(file);
  }
  if (isCollected) rmSync(path.join(m.root, toplevel), { recursive: true });
}

for (const loader of loaders) {
  t.test(`${loader}: what a person has switched to and booted is gone back to`, async (t) => {
    const removals: readonly ((m: FakeMachine) => void)[] = [
      () => {},
      (m) => removeGeneration(m, good, false),
      (m) => removeGeneration(m, good, true),
    ];
    for (const [index, remove] of removals.entries()) {
      for (const isProved of [true, false]) {
        const m = await (isProved ? provedMachine : unprovedMachine)(t, loader);
        const booted = await switchTo(m, "x");
        m.cutPower();
        await start(m).recover({ judges: true });
        t.equal(m.running(), booted);
        if (isProved) await switchTo(m, "y"); // never booted
        remove(m);
        const next = fakeSources("c");
        await commit(start(m), next);
        t.match((await start(m).history()).boot, { previousGood: { toplevel: booted } });
        m.cutPower();
        t.equal(m.running(), systemOf(next));
        const what = `${isProved ? "proved" : "unproved"} before, ${index}`;
        t.match(await arm(m), { back: booted }, what);
        m.cutPower();
        t.match(await start(m).recover({ judges: true }), { state: "rolled-back" }, what);
        t.strictSame([m.running(), m.bootDefault()], [booted, booted], what);
      }
    }
  });

  t.test(`${loader}: a marked system goes back where the next one does`, async (t) => {
    const m = await provedMachine(t, loader);
    const booted = await switchTo(m, "x");
    m.choose(good);
    await commit(start(m), unproved);
    m.bootNext(booted);
    m.cutPower();
    m.faults.answers.set("switch boot", () => full);
    await t.rejects(commit(start(m), fakeSources("c")), { code: "system/commit-incomplete" });
    m.cutPower();
    t.equal(m.running(), fresh, "the loader does not know of the next one");
    t.match(await arm(m), { back: booted });
  });
}

t.test("where what was booted has no generation any more, what was proved is", async (t) => {
  const m = await provedMachine(t, "grub");
  const booted = await switchTo(m, "x");
  m.cutPower();
  await switchTo(m, "y");
  removeGeneration(m, booted, false);
  await commit(start(m), fakeSources("c"));
  m.cutPower();
  t.match(await arm(m), { back: good });
});

t.test("where no system is left to go back to, the plan and the commit say so", async (t) => {
  const m = await unprovedMachine(t, "grub");
  removeGeneration(m, good, false);
  const events: SystemEvent[] = [];
  const c = systemClient(m.start().system, { onEvent: (event) => events.push(event) });
  await c.recover({ judges: true });
  const plan = await c.plan(await c.build(fakeSources("c"), reason));
  const none = "no generation is left that was booted, and none that was proved";
  t.match(plan.warnings.at(-1), {
    ...{ kind: "first-boot", message: `its first boot has no way back: ${none}` },
  });
  const trial = await c.try(plan);
  await c.commit(trial, healthy);
  const told = () => events.filter(({ type }) => type === "warning").at(-1);
  const message = `${trial.toplevel}: its first boot has no way back: ${none}`;
  t.match(told(), { code: "system/no-way-back", message });
  t.same(marks(m), [], "nor does anything lead to one that the loader has no entry of");

  const later = await provedMachine(t, "grub");
  const d = systemClient(later.start().system, { onEvent: (event) => events.push(event) });
  await d.recover({ judges: true });
  const known = await d.plan(await d.build(unproved, reason));
  t.notOk(known.warnings.some(({ kind }) => kind === "first-boot"));
  const second = await d.try(known);
  removeGeneration(later, good, false);
  await d.commit(second, healthy);
  t.match(told(), {
    message: `${fresh}: its first boot has no way back: there is no generation of ${good} any more`,
  });
  t.same(marks(later), []);
});

async function startedByKexec(t: Test, later: readonly string[]): Promise<void> {
  const root = machineDirectory("first-boot-kexec");
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const m = fakeMachine(root, { loader: "grub", kexec: true });
  const [a, b] = [fakeSources("a"), fakeSources("b with kernel-one")];
  await commit(start(m), a);
  m.cutPower();
  await start(m).recover({ judges: true });
  await start(m).prove(healthy);
  const kexec = () => systemClient(m.start({ reboot: "kexec" }).system);
  const c = kexec();
  await c.try(await c.plan(await c.build(b, reason)));
  await c.restart();
  m.restartIfAsked();
  t.equal(m.running(), systemOf(b));
  const d = kexec();
  const { trial } = await d.recover({ judges: true });
  if (trial === null) throw new Error("expected the trial");
  await d.commit(trial.trial, healthy);
  t.equal(await arm(m), undefined, "not of the boot that goes on");
  t.match(await kexec().recover({ judges: true }), { state: "clean" });
  for (const name of later) await commit(kexec(), fakeSources(name));
  m.cutPower();
  t.equal(m.running(), systemOf(fakeSources(later.at(-1) ?? "b with kernel-one")));
  t.match(await arm(m), { back: systemOf(a) });
  m.cutPower();
  t.match(await kexec().recover({ judges: true }), { state: "rolled-back" });
  t.equal(m.bootDefault(), systemOf(a));
}

t.test("a system that only kexec has started has its first boot still to come", async (t) => {
  await startedByKexec(t, []);
});

t.test("nor is it gone back to by those that are committed in that boot", async (t) => {
  await startedByKexec(t, ["c with kernel-one", "d with kernel-one"]);
});

t.test("what a first boot was left for is told as it is: its hooks, and no verdict", async (t) => {
  const m = await provedMachine(t, "grub");
  const c = start(m);
  const closure = await c.build(unproved, reason);
  const hooks = ["post-update", "post-rollback"].map((when) => ({
    ...{ name: when, when, command: ["/bin/true"], script: null, timeoutMs: 1000, aborts: false },
  }));
  const record = { v: 1, content: "", release: "b", instance: "", credentials: [], commands: [] };
  for (const system of [good, fresh]) {
    m.write(`${system}/etc/firstlight/generation.json`, JSON.stringify({ ...record, hooks }));
  }
  await c.commit(await c.try(await c.plan(closure)), healthy);
  const ran: string[] = [];
  m.faults.answers.set("hook", ({ args }) => {
    const of = args
      .find((arg) => arg.includes("FIRSTLIGHT_SYSTEM="))
      ?.split("=")
      .at(-1);
    ran.push(
      `${args
        .find((arg) => arg.includes("FIRSTLIGHT_WHEN="))
        ?.split("=")
        .at(-1)} ${of}`,
    );
    return { code: 0 };
  });
  m.cutPower();
  await arm(m);
  m.cutPower();
  await start(m).recover({ judges: true });
  t.same(ran, [`post-rollback ${fresh}`]);
  const { trials } = await start(m).history();
  t.match(trials.at(-1), {
    ...{ by: "rollback", toplevel: good, verdict: { conclusive: false } },
    reasons: [/did not come as far as to be judged/],
  });
});

/** The way back of a first boot, in which something fails. */
async function cameBack(t: Test, loader: FakeLoader) {
  const m = await unprovedMachine(t, loader);
  m.cutPower();
  await arm(m);
  m.cutPower();
  t.equal(m.running(), good);
  return m;
}

const full = { code: 1, stderr: "No space left on device" };

for (const loader of loaders) {
  t.test(`${loader}: a way back whose menu cannot be written is not over`, async (t) => {
    const m = await cameBack(t, loader);
    m.faults.answers.set("switch boot", () => full);
    for (let times = 0; times < 5; times++) {
      t.match(await start(m).recover({ judges: true }), {
        state: "continued",
        fault: { code: "system/commit-incomplete" },
      });
    }
    m.cutPower();
    t.equal(m.running(), fresh, "the loader still starts it");
    t.ok(await arm(m), "and it has a way back");
    m.cutPower();
    t.equal(m.running(), good);
    m.faults.answers.delete("switch boot");
    await start(m).recover({ judges: true });
    t.strictSame([m.profile(), m.bootDefault(), marks(m)], [good, good, []]);
  });

  t.test(`${loader}: a way back whose profile cannot be set is tried again`, async (t) => {
    const m = await cameBack(t, loader);
    m.faults.answers.set("nix-env", ({ args }) => (args?.includes("--set") ? full : undefined));
    t.match(await start(m).recover({ judges: true }), { fault: { code: "system/commit-failed" } });
    m.faults.answers.delete("nix-env");
    t.match(await start(m).recover({ judges: true }), { state: "rolled-back", fault: null });
    t.strictSame([m.profile(), m.bootDefault(), marks(m)], [good, good, []]);
  });

  t.test(`${loader}: who goes back in a first boot leaves no choice behind`, async (t) => {
    const m = await unprovedMachine(t, loader);
    m.cutPower();
    await arm(m);
    const c = start(m);
    await c.recover({ judges: true });
    const { plan } = await c.planGeneration(null, { by: "rollback", why: "x", instanceId: null });
    await c.commit(await c.try(plan), healthy);
    const next = fakeSources("d");
    await commit(start(m), next);
    m.cutPower();
    t.equal(m.running(), systemOf(next));
  });
}
