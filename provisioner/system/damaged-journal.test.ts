import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { adviceOf } from "#core/advice.ts";
import { type SystemClient, systemClient } from "./client.ts";
import type { FakeLoader } from "./fake-firmware.ts";
import { type FakeMachine, fakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import { formatRecord } from "./journal-record.ts";
import type { ChangeReason, Verdict } from "./system.ts";

const reason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };
const healthy: Verdict = { healthy: true, reasons: ["all passed"], passes: 3, ms: 10 };
const [a, b, c] = [fakeSources("a"), fakeSources("b"), fakeSources("c")];

interface Teardown {
  teardown(action: () => void): unknown;
}

/** A machine that has `a` committed. */
async function machine(test: Teardown, loader?: FakeLoader): Promise<FakeMachine> {
  const root = mkdtempSync(path.join(tmpdir(), "firstlight-damaged-"));
  test.teardown(() => rmSync(root, { recursive: true, force: true }));
  const m = fakeMachine(root, loader === undefined ? {} : { loader });
  await apply(start(m), a);
  return m;
}

function start(m: FakeMachine): SystemClient {
  return systemClient(m.start().system);
}

async function trial(client: SystemClient, sources = b) {
  return client.try(await client.plan(await client.build(sources, reason)));
}

async function apply(client: SystemClient, sources: typeof a) {
  return client.commit(await trial(client, sources), healthy);
}

function journalOf({ root }: FakeMachine): string {
  return path.join(root, "var/lib/firstlight/journal/journal.jsonl");
}

/** Flips a bit in the middle of a line. */
function damage(m: FakeMachine, line: number): void {
  const lines = readFileSync(journalOf(m), "utf8").split("\n");
  const text = lines[line] ?? "";
  lines[line] = text.replace('"bootId"', '"bootIe"');
  writeFileSync(journalOf(m), lines.join("\n"));
}

t.test("a damaged journal keeps no machine from booting, nor from the next change", async (t) => {
  const m = await machine(t);
  damage(m, 3);
  const client = start(m);
  await t.rejects(client.runs(a.digest), { code: "system/journal-damaged" });
  t.match(await client.recover(), {
    state: "set-aside",
    transaction: null,
    details: [/was damaged \(line 4.*set aside as/],
    fault: { code: "system/journal-damaged", message: /line 4/ },
  });
  t.same([m.running(), m.bootDefault()], [systemOf(a), systemOf(a)], "nothing was changed");
  t.match(await client.recover(), { state: "clean", fault: null }, "said once");
  await apply(client, b);
  t.match(await client.runs(b.digest), { runs: true });
  const { generations } = await client.history();
  t.equal(generations.filter(({ outcome }) => outcome === "committed").length, 1);
});

t.test(
  "what runs when the journal is lost in a trial is left alone, also by its timer",
  async (t) => {
    const m = await machine(t);
    await trial(start(m));
    t.equal(m.timers.size, 1);
    damage(m, 3);
    t.match(await start(m).recover(), { state: "set-aside" });
    t.equal(m.timers.size, 0, "no timer that nobody knows of");
    t.same([m.running(), m.bootDefault()], [systemOf(b), systemOf(a)]);
    await apply(start(m), c);
    m.fireTimers();
    t.same([m.running(), m.bootDefault()], [systemOf(c), systemOf(c)]);
  },
);

for (const loader of ["systemd-boot", "grub"] as const) {
  t.test(
    `${loader}: nor is a trial booted that waits for a restart and nobody knows`,
    async (t) => {
      const m = await machine(t, loader);
      const waits = { activation: "waits-for-restart" };
      t.match(await trial(start(m), fakeSources("b with kernel-one")), waits);
      damage(m, 3);
      t.match(await start(m).recover(), { state: "set-aside" });
      t.notOk(
        existsSync(path.join(m.root, "nix/var/nix/profiles/system-profiles/firstlight-trial")),
      );
      m.cutPower();
      t.same([m.running(), m.bootDefault()], [systemOf(a), systemOf(a)]);
    },
  );

  t.test(`${loader}: one that was booted stays, without its deadline`, async (t) => {
    const m = await machine(t, loader);
    const tried = fakeSources("b with kernel-one");
    const c = start(m);
    await trial(c, tried);
    await c.restart();
    m.restartIfAsked();
    damage(m, 3);
    const { system, io } = m.start();
    t.match(await systemClient(system).recover(), { state: "set-aside" });
    t.match(
      io.executed.map(({ args }) => args.join(" ")).join("\n"),
      /stop .*-trial-deadline.timer/,
    );
    t.same([m.running(), m.bootDefault()], [systemOf(tried), systemOf(a)]);
    m.cutPower();
    t.equal(m.running(), systemOf(a), "once");
  });
}

t.test("a timer that cannot be stopped is told with the rest", async (t) => {
  const m = await machine(t);
  damage(m, 3);
  m.faults.answers.set("systemctl", () => ({ code: 1, stderr: "Connection timed out\n" }));
  const { state, details } = await start(m).recover();
  t.equal(state, "set-aside");
  t.match(details, [/was damaged/, /timers of the way back/]);
});

t.test("a journal of a newer firstlight is kept as it is, and nothing is tried", async (t) => {
  const m = await machine(t);
  const lines = readFileSync(journalOf(m), "utf8").trimEnd().split("\n");
  const { sum: _, ...last } = JSON.parse(lines.at(-1) ?? "");
  for (const [version, change] of Object.entries({
    3: { v: 3 },
    "step weigh": { step: "weigh" },
  })) {
    const text = `${lines.with(-1, formatRecord({ ...last, ...change })).join("\n")}\n`;
    writeFileSync(journalOf(m), text);
    const client = start(m);
    const newer = {
      code: "system/journal-newer",
      message: new RegExp(
        `journal.jsonl: line ${lines.length}: version ${version}, expected at most`,
      ),
    };
    await t.rejects(client.recover({ judges: true }), newer);
    await t.rejects(client.build(b, reason), newer);
    await t.rejects(client.runs(a.digest), newer);
    await t.rejects(client.status(), newer);
    t.match(adviceOf({ code: "system/journal-newer", hint: null }), /.../, "and what to do");
    t.equal(readFileSync(journalOf(m), "utf8"), text);
    t.same(readdirSync(path.dirname(journalOf(m))), ["journal.jsonl"], "nothing is set aside");
    t.same([m.running(), m.bootDefault(), m.timers.size], [systemOf(a), systemOf(a), 0]);
  }
  writeFileSync(journalOf(m), `${lines.join("\n")}\n`);
  await apply(start(m), b);
});

t.test("a trial that version 1 left open is taken back", async (t) => {
  const m = await machine(t);
  await trial(start(m));
  copyFileSync(path.join(import.meta.dirname, "fixtures/journal-v1.jsonl"), journalOf(m));
  t.match(await start(m).recover(), { state: "rolled-back", transaction: /-00010008$/ });
  t.same([m.running(), m.bootDefault()], [systemOf(a), systemOf(a)]);
  t.match(await start(m).runs(a.digest), { runs: true, generation: 2 });
  await apply(start(m), c);
  t.match(await start(m).runs(c.digest), { runs: true });
});
