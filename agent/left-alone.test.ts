import { rmSync } from "node:fs";
import t, { type Test } from "tap";
import { armFirstBoot } from "#provisioner/system/arm-first-boot.ts";
import { systemClient } from "#provisioner/system/client.ts";
import type { FakeLoader } from "#provisioner/system/fake-firmware.ts";
import { type FakeMachine, fakeMachine } from "#provisioner/system/fake-machine.ts";
import { machineDirectory } from "#provisioner/system/machine-directory.ts";
import { boot, content, type FullDeps, prepare } from "./fake-boot.ts";
import type { Outcome } from "./outcome.ts";
import { fallBackTo, rollBackTo } from "./roll-back.ts";

const health = "firstlight: { health: { passes: 1, interval: 1s, timeout: 1s, soak: 0s } }";
const documents = (hostname: string) => `#cloud-config\nhostname: ${hostname}\n${health}\n`;

/** Fails with the system from before as well, so that nobody is to blame and the next try comes soon. */
const failing: FullDeps["probe"] = async ({ type }) => ({
  passed: type !== "file",
  message: "file /ready: must exist",
});
const sick = (hostname: string) =>
  documents(hostname).replace("soak: 0s", "checks: [{ type: file, path: /ready }]");

/** What a machine is asked for now, by whoever asks. */
async function ask(
  t: Test,
  m: FakeMachine,
  userData: string,
  change: Partial<FullDeps> = {},
): Promise<Outcome> {
  const { io, system } = m.start();
  const own = { io, system: systemClient(system), discover: async () => content(userData) };
  const outcome = await boot(prepare(t, { probe: failing, ...own, ...change }).deps);
  system.close();
  return outcome;
}

async function rollBack(
  t: Test,
  m: FakeMachine,
  generation: number,
  beside = false,
): Promise<Outcome> {
  const { io, system } = m.start({ beside });
  const { deps } = prepare(t, { io, system: systemClient(system) });
  const outcome = await rollBackTo(deps, generation);
  system.close();
  return outcome;
}

/** Leaves what runs because it is damaged. */
async function repair(t: Test, m: FakeMachine, generation: number): Promise<void> {
  const { io, system } = m.start();
  const { deps } = prepare(t, { io, system: systemClient(system) });
  const { sourcesDigest: left } = await deps.system.runs("");
  const outcome = await fallBackTo(deps, generation, { why: "it is damaged", left });
  t.match(outcome, { outcome: "committed" });
  system.close();
}

async function machine(t: Test, loader: FakeLoader = "systemd-boot"): Promise<FakeMachine> {
  const root = machineDirectory("left-alone");
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const m = fakeMachine(root, { loader });
  m.write("/etc/systemd/system/firstlight-boot.service", "[Service]\n");
  const isWell = ([verb, ...rest]: readonly string[]) =>
    verb === "list-units" || (verb === "show" && rest.some((arg) => arg.includes("*")));
  m.faults.answers.set("systemctl", ({ args }) => (isWell(args) ? {} : undefined));
  t.match(await ask(t, m, documents("first")), { outcome: "committed", generation: 2 });
  return m;
}

/** A machine on which the second documents came to nothing, and are to be tried again. */
async function waiting(t: Test): Promise<FakeMachine> {
  const m = await machine(t);
  const outcome = await ask(t, m, sick("second"));
  t.match(outcome, { outcome: "rolled-back", triedAgainAt: /^20/ });
  t.same([...m.timers.keys()], ["firstlight-retry"]);
  return m;
}

/** A system that a person made and switched to. */
const byHand = "/nix/store/99999999999999999999999999999999-nixos-system-by-hand";
function switchByHand(m: FakeMachine): void {
  m.write(`${byHand}/bin/switch-to-configuration`, byHand);
  m.choose(byHand);
  m.link(byHand, "/run/current-system");
}

const leftAlone = {
  ...{ outcome: "held", fault: { code: "policy/left-alone" }, triedAgainAt: null },
};

t.test("what is to be tried again never comes over what a person went back to", async (t) => {
  const m = await waiting(t);
  t.match(await rollBack(t, m, 1), { outcome: "committed", triedAgainAt: null });
  t.equal(m.timers.size, 0, "nothing starts the boot any more");
  t.match(await ask(t, m, sick("second")), leftAlone, "nor does a boot that was begun meanwhile");
  t.same([m.running(), m.bootDefault()], [m.image, m.image]);
  t.match(await ask(t, m, documents("third")), { outcome: "committed" }, "something else is asked");
});

t.test(
  "history says that what was asked for took the place of what a person went back to",
  async (t) => {
    const m = await machine(t);
    t.match(await rollBack(t, m, 1), { outcome: "committed" });
    const apply = { by: "apply", approved: true } as const;
    t.match(await ask(t, m, documents("first"), apply), { outcome: "committed" });
    const { system } = m.start();
    const { generations } = await systemClient(system).history();
    t.match(
      generations.find(({ running }) => running),
      {
        reason: {
          by: "apply",
          why: /^\S+: the documents are the same; .* takes the place of rollback: back to /,
        },
      },
    );
  },
);

t.test("nor over a system that somebody switched to by hand", async (t) => {
  const m = await waiting(t);
  const { system } = m.start();
  t.match(await systemClient(system).status(), { leftAlone: null });
  switchByHand(m);
  t.match(await systemClient(system).status(), { leftAlone: "generation 3 was activated by hand" });
  t.match(await ask(t, m, sick("second")), leftAlone);
  t.same([m.running(), m.bootDefault(), m.timers.size], [byHand, byHand, 0]);
  const apply = { by: "apply", approved: true } as const;
  t.match(await ask(t, m, sick("second"), apply), { outcome: "rolled-back", triedAgainAt: /^20/ });
  t.match(await ask(t, m, sick("second")), { outcome: "rolled-back" }, "they asked for it since");
});

t.test("nor over it once what was chosen is damaged, and a repair has left it", async (t) => {
  const choices: readonly ((m: FakeMachine) => unknown)[] = [
    (m) => rollBack(t, m, 2),
    (m) => switchByHand(m),
  ];
  for (const choose of choices) {
    const m = await machine(t);
    await ask(t, m, documents("second"));
    await choose(m);
    await repair(t, m, 1);
    await repair(t, m, 2); // the next one is damaged as well
    t.match(await ask(t, m, documents("second")), leftAlone);
    t.match(await ask(t, m, documents("third")), { outcome: "committed" });
  }
  const m = await machine(t);
  await ask(t, m, documents("second"));
  await repair(t, m, 1);
  const held = { outcome: "held", fault: { code: "system/release-denied" } };
  t.match(await ask(t, m, documents("second")), held, "nobody chose what a repair goes back to");
});

t.test("nor where it was switched to while the boot was building or planning", async (t) => {
  for (const what of ["nix-store", "switch dry-activate"]) {
    const m = await machine(t);
    m.faults.answers.set(what, () => {
      if (m.running() !== byHand) switchByHand(m);
      return undefined;
    });
    t.match(await ask(t, m, documents("second")), leftAlone, what);
    t.equal(m.running(), byHand);
  }
});

t.test("nor where a person went back between a build and its trial, to what ran", async (t) => {
  const m = await machine(t);
  const { io, system } = m.start();
  const client = systemClient(system);
  const plan: typeof client.plan = async (closure) => {
    t.match(await rollBack(t, m, 2, true), { outcome: "committed" });
    return client.plan(closure);
  };
  const own = { io, system: { ...client, plan }, discover: async () => content(sick("second")) };
  t.match(await boot(prepare(t, { probe: failing, ...own }).deps), leftAlone);
});

t.test("a power cut in the middle of a commit is nobody's choice", async (t) => {
  const dying = async (m: FakeMachine, dieAt: number) => {
    const { io, system } = m.start({ dieAt });
    const own = { io, system: systemClient(system), discover: async () => content(documents("b")) };
    await boot(prepare(t, own).deps).catch(() => undefined);
    return io.effects;
  };
  const effects = await dying(await machine(t), Number.POSITIVE_INFINITY);
  const set = effects.findIndex((name) => name.startsWith("nix-env --set"));
  t.not(set, -1, effects.join());
  const m = await machine(t);
  const before = m.running();
  t.equal((await dying(m, set + 1)).length, set, "it dies before the boot default is another");
  m.cutPower();
  t.equal(m.running(), before);
  t.match(await ask(t, m, documents("b")), { outcome: "committed" });
  t.not(m.running(), before);
});

t.test("a boot that only learns then that a person went back sets no timer", async (t) => {
  const m = await waiting(t);
  const { system } = m.start();
  const client = systemClient(system);
  const { sourcesDigest } = (await client.status()).last ?? {};
  t.match(await rollBack(t, m, 1, true), { outcome: "committed" });
  t.same(await client.retry({ sourcesDigest: sourcesDigest ?? null }), { at: null });
  t.equal(m.timers.size, 0);
});

t.test("who goes back while a trial is under way is told so, and nothing is stopped", async (t) => {
  const m = await waiting(t);
  let refused: unknown;
  const probe: FullDeps["probe"] = async (check) => {
    if (check.type === "file")
      refused ??= await rollBack(t, m, 1, true).catch((error: unknown) => error);
    return failing(check, new AbortController().signal);
  };
  t.match(await ask(t, m, sick("third"), { probe }), {
    outcome: "rolled-back",
    triedAgainAt: /^20/,
  });
  t.match(refused, { code: "system/locked" });
  t.same([...m.timers.keys()], ["firstlight-retry"], "one timer, of the newest wish");
});

t.test("a person's way back that comes to nothing is the last word for now", async (t) => {
  const m = await waiting(t);
  m.faults.answers.set("switch test", ({ file }) => (file === m.image ? { code: 1 } : undefined));
  t.match(await rollBack(t, m, 1), { outcome: "rolled-back", triedAgainAt: null });
  t.equal(m.timers.size, 0);
});

t.test("a good end leaves no timer behind", async (t) => {
  const ends: Readonly<Record<string, string>> = { unchanged: "first", committed: "third" };
  for (const [outcome, hostname] of Object.entries(ends)) {
    const m = await waiting(t);
    t.match(await ask(t, m, documents(hostname)), { outcome, triedAgainAt: null });
    t.equal(m.timers.size, 0, outcome);
  }
});

/** A machine that came back from the first boot of the second documents. */
async function back(t: Test, loader: FakeLoader = "systemd-boot"): Promise<FakeMachine> {
  const m = await machine(t, loader);
  m.cutPower();
  t.match(await ask(t, m, documents("first")), { bootProved: true });
  t.match(await ask(t, m, documents("second")), { outcome: "committed", generation: 3 });
  await hangs(m);
  return m;
}

/** The first boot hangs, and the watchdog resets the machine. */
async function hangs(m: FakeMachine): Promise<void> {
  m.cutPower();
  await armFirstBoot(m.start().io);
  m.cutPower();
}

t.test("after the way back of a first boot no try is promised that never comes", async (t) => {
  const m = await back(t);
  t.match(await ask(t, m, documents("second")), {
    ...{ outcome: "rolled-back", generation: 4, triedAgainAt: null },
    message: /did not come as far as to be judged.*`firstlight apply` tries it$/,
  });
  t.equal(m.timers.size, 0);
  t.match(await ask(t, m, documents("second")), leftAlone);
  const apply = { by: "apply", approved: true } as const;
  t.match(await ask(t, m, documents("second"), apply), { outcome: "committed" }, "as it said");
});

t.test("the way back of a first boot is the news, also where the journal is no help", async (t) => {
  const journal = "/var/lib/firstlight/journal/journal.jsonl";
  const damages: readonly ((text: string) => string)[] = [
    (text) => text.replace('"step":"commit"', '"step":"comit"'),
    (text) => text.replace(/.*$/s, ""),
  ];
  for (const damage of damages) {
    const m = await back(t);
    m.write(journal, damage(m.read(journal) ?? ""));
    t.match(await ask(t, m, documents("second")), {
      ...{ outcome: "rolled-back", fault: null, triedAgainAt: null },
      message: /did not come as far as to be judged.*`firstlight apply` tries it$/,
    });
    t.match(await ask(t, m, documents("second")), leftAlone);
  }
});

t.test("what hung is not tried again where nothing else remembers it", async (t) => {
  const pin = "/var/lib/firstlight/instance/pinned.json";
  const m = await machine(t);
  m.cutPower();
  await ask(t, m, documents("first"));
  const pinned = m.read(pin) ?? "";
  t.match(await ask(t, m, documents("second")), { outcome: "committed" });
  m.write(pin, pinned); // the power goes before it follows
  await hangs(m);
  m.write("/var/lib/firstlight/journal/journal.jsonl", "");
  const back = { outcome: "rolled-back", triedAgainAt: null };
  t.match(await ask(t, m, documents("second")), back);
  const held = { outcome: "held", fault: { code: "system/release-denied" }, triedAgainAt: null };
  for (let boots = 0; boots < 2; boots++) {
    t.match(await ask(t, m, documents("second")), held);
    t.equal(m.timers.size, 0);
    m.cutPower();
  }
  const apply = { by: "apply", approved: true } as const;
  t.match(await ask(t, m, documents("second"), apply), { outcome: "committed" });
});

t.test("a way back that is not finished yet is nobody's choice", async (t) => {
  const m = await back(t);
  m.faults.answers.set("switch boot", () => ({ code: 1, stderr: "No space left on device" }));
  for (let times = 0; times < 4; times++) {
    t.match(await ask(t, m, documents("second")), {
      outcome: "failed",
      fault: { code: "system/commit-incomplete" },
    });
  }
  m.faults.answers.delete("switch boot");
  t.match(await ask(t, m, documents("second")), leftAlone, "its documents failed in a first boot");
  t.same([m.running(), m.bootDefault()], [m.bootDefault(), m.profile()]);
});

const isFull = () => ({ code: 1, stderr: "No space left on device" });
const incomplete = { outcome: "failed", fault: { code: "system/commit-incomplete" } };
const failed = { outcome: "failed", fault: { code: "system/commit-failed" } };

t.test("nor is what a commit without a boot entry went back to", async (t) => {
  for (const loader of ["systemd-boot", "grub"] as const) {
    const m = await machine(t, loader);
    const first = m.running();
    m.faults.answers.set("switch boot", isFull);
    for (const expected of [incomplete, incomplete, failed, incomplete]) {
      t.match(await ask(t, m, documents("second")), expected);
    }
    m.cutPower();
    t.equal(m.running(), first);
    for (const expected of [incomplete, failed]) {
      t.match(await ask(t, m, documents("second")), expected);
    }
    t.strictSame([m.running(), m.profile(), m.bootDefault()], [first, first, first]);
    t.match(await ask(t, m, documents("first")), { outcome: "unchanged" });
    m.faults.answers.delete("switch boot");
    t.match(await ask(t, m, documents("second")), { outcome: "committed", degraded: false });
    m.cutPower();
    t.match(await ask(t, m, documents("second")), { outcome: "unchanged", degraded: false });
  }
});

t.test("nor does a menu that cannot be written keep something else from being tried", async (t) => {
  const m = await machine(t);
  t.match(await ask(t, m, documents("second")), { outcome: "committed" });
  m.cutPower();
  t.match(await ask(t, m, documents("second")), { bootProved: true });
  const second = m.running();
  m.faults.answers.set("switch boot", isFull);
  t.match(await rollBack(t, m, 2), incomplete);
  t.match(await ask(t, m, documents("second")), incomplete);
  const told = /; .*the system refused/;
  for (const expected of [{ degraded: true, message: told }, { degraded: false }]) {
    t.match(await ask(t, m, documents("second")), { outcome: "unchanged", ...expected });
  }
  t.equal(m.running(), second, "what a person went back to could not be kept");
  m.faults.answers.delete("switch boot");
  t.match(await ask(t, m, documents("third")), { outcome: "committed" });
  t.strictSame([m.running(), m.bootDefault()], [m.profile(), m.profile()]);
});

t.test("a boot default that a person makes stays, in the middle of a commit too", async (t) => {
  for (const opens of [false, true]) {
    const m = await machine(t);
    if (opens) m.faults.answers.set("switch boot", isFull);
    t.match(await ask(t, m, documents("second")), opens ? incomplete : { outcome: "committed" });
    m.faults.answers.delete("switch boot");
    m.write(`${byHand}/bin/switch-to-configuration`, byHand);
    m.choose(byHand);
    for (let times = 0; times < 2; times++) {
      const same = { ...leftAlone, message: /was made the boot default by hand/ };
      t.match(await ask(t, m, documents("second")), same);
    }
    t.equal(m.bootDefault(), byHand);
    t.match(await ask(t, m, documents("third")), { outcome: "committed" });
  }
});

t.test("nor does a person who asks then wait for another boot", async (t) => {
  const m = await back(t);
  const apply = { by: "apply", approved: true } as const;
  t.match(await ask(t, m, documents("second"), apply), { outcome: "committed", generation: 5 });
});

t.test("in the boot that left a person's rollback new documents are tried", async (t) => {
  for (const [hostname, outcome] of Object.entries({ second: "rolled-back", third: "committed" })) {
    const m = await machine(t);
    t.match(await ask(t, m, documents("second")), { outcome: "committed", generation: 3 });
    m.cutPower();
    await armFirstBoot(m.start().io);
    t.match(await ask(t, m, documents("second")), { bootProved: true });
    t.match(await rollBack(t, m, 2), { outcome: "committed" });
    await hangs(m);
    t.match(await ask(t, m, documents(hostname)), { outcome, triedAgainAt: null });
    t.equal(m.timers.size, 0);
  }
});
