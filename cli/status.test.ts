import t, { type Test } from "tap";
import type { Outcome } from "#agent/outcome.ts";
import { type StatusWriter, writeResult, writeStatus } from "#agent/status.ts";
import { fakeIo } from "#core/fake-io.ts";
import type { Io } from "#core/io.ts";
import { silentLog } from "#core/log.ts";
import { systemClient } from "#provisioner/system/client.ts";
import { fakeMachine, fakeSources } from "#provisioner/system/fake-machine.ts";
import { command } from "./commands/status.ts";

const committed: Outcome = {
  ...{ v: 1, outcome: "committed", degraded: false, message: "generation 2 runs", bootId: "b" },
  ...{ instanceId: null, datasource: null, profile: null, confidence: null, generation: 2 },
  ...{ toplevel: "/nix/store/x", sourcesDigest: null, verdict: null, findings: [], fault: null },
  ...{ restart: false, bootProved: null, lastTrial: null, triedAgainAt: null, stages: [] },
  ...{ startedAt: "2026-01-01T00:00:00.000Z", finishedAt: "2026-01-01T00:01:00.000Z" },
};
const failed: Outcome = {
  ...{ ...committed, outcome: "failed", message: "no cache answers" },
  fault: { code: "system/fetch-failed", message: "no cache answers", hint: null, causes: [] },
};
const rebooting: Outcome = { ...committed, outcome: "rebooting", restart: true };

/** Of a process that has ended since. */
const writer: StatusWriter = { bootId: "b", process: { pid: 1, started: "never" } };

/** Asks for the status of a machine on which something happens while it is waited for. */
async function status(
  t: Test,
  flags: Readonly<Record<string, string | boolean>>,
  { before, meanwhile }: { before?: (io: Io) => void; meanwhile?: (io: Io) => void },
) {
  const fake = fakeIo(t.testdir());
  const clock = {
    ...fake.clock,
    sleep: async (ms: number) => {
      await fake.clock.sleep(ms);
      meanwhile?.(fake);
    },
  };
  before?.(fake);
  const told = await statusOf({ ...fake, clock }, flags);
  return { ...told, ms: fake.clock.monotonicMs() };
}

async function statusOf(io: Io, flags: Readonly<Record<string, string | boolean>> = {}) {
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  const code = await command.run({
    ...{ args: [], flags, json: false, io, log: silentLog },
    ...{ out: { data: say, talk: say, live: () => {} } as never },
    signal: new AbortController().signal,
  });
  return { code, said: said.join("\n") };
}

const waits = { wait: true, ended: true, timeout: "10s" } as const;
const interrupted = (io: Io) => writeStatus(io, writer, { state: "running", stage: "recover" });
const ends = (outcome: Outcome) => (io: Io) => writeResult(io, writer, outcome);

t.test("who waits for the end of a boot is content with any but a restart", async (t) => {
  t.match(await status(t, waits, { before: ends(committed) }), { code: 0, ms: 0 });
  t.match(await status(t, {}, { before: ends(failed) }), { code: 75 }, "the boot's own code");
  t.match(await status(t, waits, { before: ends(failed) }), { code: 0, said: /^failed: / });
  t.match(await status(t, waits, { before: ends(rebooting) }), { code: 75 });
  t.match(await status(t, waits, {}), { code: 75, ms: 10_000 });
});

t.test("where the status cannot be read, what else is known is told", async (t) => {
  const statusFile = "/run/firstlight/status.json";
  for (const text of ["", '{"v":1,']) {
    const damaged = (io: Io) => {
      ends(failed)(io);
      io.files.write(statusFile, text);
    };
    t.match(await status(t, {}, { before: damaged }), { code: 75, said: /^failed: / });
    t.match(await status(t, waits, { before: damaged }), { code: 0, ms: 0 });
    const alone = (io: Io) => io.files.write(statusFile, text);
    t.match(await status(t, {}, { before: alone }), { code: 75, said: /^not known: .*damaged/ });
  }
  const m = fakeMachine(t.testdir());
  const c = systemClient(m.start().system);
  const reason = { by: "boot", why: "a test", instanceId: null } as const;
  const trial = await c.try(await c.plan(await c.build(fakeSources("first"), reason)));
  await c.commit(trial, { healthy: true, reasons: ["r"], passes: 1, ms: 1 });
  const { io } = m.start();
  t.match(await statusOf(io), { code: 75, said: "not started" });
  io.files.write(statusFile, "");
  t.match(await statusOf(io), { code: 0, said: /^committed: generation 2 runs/ }, "by the journal");
});

t.test("one that found another change under way is tried again, and waited for", async (t) => {
  t.match(await status(t, waits, { before: interrupted, meanwhile: ends(failed) }), {
    code: 0,
    ms: 500,
  });
  t.match(await status(t, waits, { before: interrupted }), { code: 75, ms: 10_000 });
  const impatient = { wait: true, timeout: "10s" };
  t.match(await status(t, impatient, { before: interrupted }), { code: 75, ms: 0 });
});

t.test("who waits learns that there is nothing to start a boot for", async (t) => {
  const spared = (io: Io) =>
    io.files.write("/run/firstlight/nothing-to-do", "no sign of a datasource\n");
  const said = "nothing to do: no sign of a datasource";
  t.match(await status(t, {}, { before: spared }), { code: 0, said });
  t.match(await status(t, waits, { meanwhile: spared }), { code: 0, said: /datasource$/, ms: 500 });
  const started = (io: Io) => {
    spared(io);
    ends(failed)(io);
  };
  t.match(await status(t, {}, { before: started }), { code: 75, said: /^failed: / });
});

t.test("a person is told when it is tried again", async (t) => {
  const triedAgainAt = "2026-01-02T00:01:00.000Z";
  const taken: Outcome = { ...committed, outcome: "rolled-back", triedAgainAt };
  t.match(await status(t, {}, { before: ends(taken) }), {
    code: 3,
    said: /^rolled-back: .*\n {2}what was asked for is tried again at 2026-01-02T00:01:00\.000Z$/,
  });
});

t.test("no try is promised that would come over what was switched to by hand since", async (t) => {
  const m = fakeMachine(t.testdir());
  const c = systemClient(m.start().system);
  const reason = { by: "boot", why: "a test", instanceId: null } as const;
  const verdict = (healthy: boolean) => ({ healthy, reasons: ["r"], passes: 0, ms: 1 });
  const tried = async (content: string) =>
    c.try(await c.plan(await c.build(fakeSources(content), reason)));
  await c.commit(await tried("first"), verdict(true));
  const { transaction } = await tried("second").then(async (trial) => {
    await c.rollBack(trial, verdict(false));
    return trial;
  });
  const { io } = m.start();
  const triedAgainAt = "2026-01-02T00:01:00.000Z";
  const taken: Outcome = { ...committed, outcome: "rolled-back", triedAgainAt };
  writeResult(io, writer, { ...taken, lastTrial: transaction });
  t.match(await statusOf(io), { said: /is tried again at/ });
  m.choose(m.image);
  m.link(m.image, "/run/current-system");
  const { said } = await statusOf(io);
  t.notMatch(said, /is tried again at/);
  t.match(said, /; it is left alone, and `firstlight apply` tries again/);
});

t.test("a result that is damaged ends the waiting at once, and is named", async (t) => {
  const torn = (io: Io) => {
    writeResult(io, writer, committed);
    io.files.write("/run/firstlight/result.json", '{ "v": 1, "outc', { mode: 0o644 });
  };
  for (const flags of [{}, { wait: true, timeout: "5m" }, { wait: true, ended: true }])
    await t.rejects(status(t, flags, { before: torn }), {
      code: "boot/no-result",
      message: "/run/firstlight/result.json is damaged: how the boot ended is not known",
    });
});
