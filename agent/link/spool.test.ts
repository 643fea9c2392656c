import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { createLog, silentLog } from "#core/log.ts";
import { Secret } from "#core/secret.ts";
import type { NewEvent } from "#protocol/events.ts";
import { openOutbox } from "./outbox.ts";
import {
  openSpool,
  type SpoolBounds,
  spoolDirectory,
  toldTrial,
  toldUpdate,
  writeSpool,
} from "./spool.ts";

const started: NewEvent = { kind: "boot.started", body: { by: "boot" } };
const stage = (name: string): NewEvent => ({
  kind: "boot.stage",
  body: { stage: name, state: "finished", ms: 1 },
});
const pathOf = (number: number) => `${spoolDirectory}/${String(number).padStart(12, "0")}.json`;

t.test("what the root side leaves is taken in once, in order, as it happened", async (t) => {
  const io = fakeIo(t.testdir());
  io.files.write("/proc/sys/kernel/random/boot_id", "boot-1\n");
  const outbox = await openOutbox(io, silentLog);
  t.teardown(() => outbox.close());
  t.equal(outbox.takeSpooled(), 0, "nothing was left yet");

  writeSpool(io, [started, stage("a")]);
  io.clock.advance(3_600_000);
  io.files.write("/proc/sys/kernel/random/boot_id", "boot-2\n");
  writeSpool(io, [stage("b")]);
  t.equal(io.files.stat(pathOf(1))?.mode, 0o644, "the network side may read it");
  t.equal(outbox.takeSpooled(), 3);
  t.equal(outbox.takeSpooled(), 0);
  t.match(outbox.pending(0, 10), [
    { seq: 1, kind: "boot.started", at: "2026-01-01T00:00:00.000Z", bootId: "boot-1" },
    { seq: 2, kind: "boot.stage", at: "2026-01-01T00:00:00.000Z", body: { stage: "a" } },
    { seq: 3, kind: "boot.stage", at: "2026-01-01T01:00:00.000Z", bootId: "boot-2" },
  ]);
  outbox.close();

  writeSpool(io, [stage("c")]);
  const later = await openOutbox(io, silentLog);
  t.teardown(() => later.close());
  t.equal(later.takeSpooled(), 1, "also by the next start");
  t.equal(later.pending(0, 10).length, 4);
});

t.test("a spool that was begun anew is taken in from its start", async (t) => {
  const io = fakeIo(t.testdir());
  const outbox = await openOutbox(io, silentLog);
  t.teardown(() => outbox.close());
  for (const name of ["a", "b", "c"]) writeSpool(io, [stage(name)]);
  t.equal(outbox.takeSpooled(), 3);
  io.files.remove(spoolDirectory);
  t.equal(outbox.takeSpooled(), 0);
  writeSpool(io, [stage("d")]);
  t.equal(outbox.takeSpooled(), 1);
});

t.test("a damaged file is passed over and told; the others are not lost", async (t) => {
  const io = fakeIo(t.testdir());
  for (const name of ["a", "b", "c"]) writeSpool(io, [stage(name)], { trial: "trial-1" });
  for (const text of ["", "{", '{"v":1}', '{"v":2,"spool":"x","trial":null,"events":[]}', "\0"]) {
    io.files.write(pathOf(2), text);
    const told: string[] = [];
    const log = createLog(io.clock, ({ event }) => told.push(event));
    const events = [...openSpool(io.files, log).after(0)].flatMap((file) => file.events);
    t.match(events, [{ body: { stage: "a" } }, { body: { stage: "c" } }], text);
    t.same(told, ["spool.unreadable"]);
  }
  io.files.write(pathOf(3), "torn");
  t.equal(toldTrial(io.files), "trial-1", "what is known is that of the newest that can be read");
  writeSpool(io, [stage("d")]);
  t.equal(toldTrial(io.files), "trial-1");
  t.same(io.files.list(spoolDirectory).length, 4, "and a damaged one is not written over");
});

t.test("an event of an unknown kind, or one that is too large, holds nothing up", async (t) => {
  const io = fakeIo(t.testdir());
  writeSpool(io, [stage("a"), stage("b")]);
  const text = io.files.readText(pathOf(1)) ?? "";
  io.files.write(pathOf(1), text.replace('"kind":"boot.stage"', '"kind":"not.yet"'));
  const outbox = await openOutbox(io, silentLog);
  t.teardown(() => outbox.close());
  t.equal(outbox.takeSpooled(), 1);
  t.match(outbox.pending(0, 10), [{ body: { stage: "b" } }]);
});

t.test("the spool keeps the newest, and no more than it may", async (t) => {
  const io = fakeIo(t.testdir());
  const write = (n: number, bounds: SpoolBounds) =>
    writeSpool(io, [stage(String(n))], n === 0 ? { trial: "first" } : {}, bounds);
  const kept = () => [...openSpool(io.files, silentLog).after(0)];
  for (let n = 0; n < 8; n++) write(n, { files: 5, bytes: 1_000_000 });
  t.equal(kept().length, 5);
  t.match(kept().at(-1), { number: 8, trial: "first", events: [{ body: { stage: "7" } }] });
  const size = io.files.stat(pathOf(8))?.size ?? 0;
  write(8, { files: 5, bytes: 2 * size });
  t.equal(kept().length, 2);
  write(9, { files: 5, bytes: 1 });
  t.match(kept(), [{ number: 10 }], "the newest stays, whatever its size");
});

t.test("no secret gets into the spool", async (t) => {
  const io = fakeIo(t.testdir());
  const body = { stage: new Secret("canary"), state: "finished", ms: 1 };
  const event = { kind: "boot.stage", body } as unknown as NewEvent;
  t.throws(() => writeSpool(io, [event]));
  t.same(io.files.list(spoolDirectory), []);
});

t.test(
  "up to which change of an update was told stays, and no number is taken twice",
  async (t) => {
    const io = fakeIo(t.testdir());
    t.equal(toldUpdate(io.files), 0);
    writeSpool(io, [stage("a")], { update: 4 });
    writeSpool(io, [stage("b")], { trial: "trial-1" });
    t.equal(toldUpdate(io.files), 4);
    t.equal(toldTrial(io.files), "trial-1");
    // Another process writes, and tells of a change, between its look and its write.
    let isFirst = true;
    const create: typeof io.files.create = (path, text, options) => {
      if (isFirst) writeSpool(io, [stage("c")], { update: 5 });
      isFirst = false;
      return io.files.create(path, text, options);
    };
    writeSpool({ ...io, files: { ...io.files, create } }, [stage("d")], {});
    t.equal(toldUpdate(io.files), 5, "and nothing is told twice");
    const all = [...openSpool(io.files, silentLog).after(0)];
    t.strictSame(
      all.map(({ number, events: [event] }) => [
        number,
        (event?.body as { stage?: string } | undefined)?.stage,
      ]),
      [
        [1, "a"],
        [2, "b"],
        [3, "c"],
        [4, "d"],
      ],
    );
  },
);
