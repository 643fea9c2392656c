import t from "tap";
import { openOutbox } from "#agent/link/outbox.ts";
import { fakeIo } from "#core/fake-io.ts";
import { silentLog } from "#core/log.ts";
import type { TrialRecord } from "#provisioner/system/system.ts";
import { bootOutbox } from "./outbox.ts";

const trial = (transaction: string, result: TrialRecord["result"]): TrialRecord => ({
  ...{ transaction, result, by: "boot", toplevel: `/nix/store/${transaction}`, generation: 1 },
  ...{ verdict: { healthy: true, reasons: ["ok"], passes: 3, ms: 5 }, reasons: ["ok"] },
});

t.test("each trial's end is told once, whichever boot comes to tell it", async (t) => {
  const io = fakeIo(t.testdir());
  const trials: TrialRecord[] = [];
  const system = { history: async () => ({ generations: [], boot: null, denied: [], trials }) };
  const tell = async () => {
    const outbox = bootOutbox({ io, log: silentLog }, system);
    outbox.report({ kind: "boot.started", body: { by: "boot" } });
    outbox.report({
      kind: "boot.finished",
      body: { outcome: "committed", degraded: false, message: "m", ms: 1, stages: [] },
    });
    await outbox.flush();
  };
  const waiting = async () => {
    const outbox = await openOutbox(io, silentLog);
    outbox.takeSpooled();
    const all = outbox.pending(0, 100);
    outbox.close();
    return all.map(({ kind, body }) => (body as Partial<TrialRecord>).transaction ?? kind);
  };
  // Of the first trial the boot was killed before it could tell.
  trials.push(trial("killed", "committed"), trial("second", "rolled-back"));
  await tell();
  const first = ["boot.started", "killed", "second", "boot.finished"];
  t.same(await waiting(), first);
  await tell();
  t.same(await waiting(), [...first, "boot.started", "boot.finished"]);
  trials.shift(); // the journal keeps only so many
  trials.push(trial("third", "committed"));
  await tell();
  t.same((await waiting()).slice(-3), ["boot.started", "third", "boot.finished"]);
});

t.test("a boot opens nothing that the network side could have made", async (t) => {
  const io = fakeIo(t.testdir());
  const system = {
    history: async () => ({
      generations: [],
      trials: [trial("one", "committed")],
      boot: null,
      denied: [],
    }),
  };
  const outbox = bootOutbox({ io, log: silentLog }, system);
  outbox.report({ kind: "boot.started", body: { by: "boot" } });
  await outbox.flush();
  t.same(io.files.list("/var/lib"), ["firstlight"]);
  t.match(io.effects, [/^create \/var\/lib\/firstlight\/report\/events\/0+1\.json$/]);
  t.equal(io.effects.length, 1);
});

t.test("a journal that cannot be read keeps nothing else from being told", async (t) => {
  const io = fakeIo(t.testdir());
  const system = { history: () => Promise.reject(new Error("damaged")) };
  const outbox = bootOutbox({ io, log: silentLog }, system);
  outbox.report({ kind: "boot.started", body: { by: "boot" } });
  await outbox.flush();
  const opened = await openOutbox(io, silentLog);
  opened.takeSpooled();
  t.teardown(() => opened.close());
  t.match(opened.pending(0, 10), [{ kind: "boot.started" }]);
});
