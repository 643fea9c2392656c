import {
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import t, { type Test } from "tap";
import { type FakeIo, fakeIo } from "#core/fake-io.ts";
import { createLog, type LogRecord, silentLog } from "#core/log.ts";
import { Secret } from "#core/secret.ts";
import type { NewEvent } from "#protocol/events.ts";
import { takeLinkLock } from "./link-lock.ts";
import { type Outbox, type OutboxOptions, openOutbox } from "./outbox.ts";
import { linkDirectory, moveAside, outboxFile } from "./outbox-file.ts";

const stage = (name: string): NewEvent => ({
  kind: "boot.stage",
  body: { stage: name, state: "finished", ms: 1 },
});
const finding = (message: string): NewEvent => ({
  kind: "finding",
  body: { document: "user-data", path: "", level: "note", code: "spec/invalid", message },
});

async function open(
  t: Test,
  io: FakeIo,
  options: OutboxOptions = {},
  records: LogRecord[] = [],
): Promise<Outbox> {
  const outbox = await openOutbox(
    io,
    createLog(io.clock, (record) => records.push(record)),
    options,
  );
  t.teardown(() => outbox.close());
  return outbox;
}

const kinds = (outbox: Outbox) => outbox.pending(0, 1000).map((event) => event.kind);
const seqs = (outbox: Outbox) => outbox.pending(0, 100_000).map((event) => event.seq);

t.test(
  "events wait in order, with all that their envelope needs, until they are acknowledged",
  async (t) => {
    const io = fakeIo(
      t.testdir({ proc: { sys: { kernel: { random: { boot_id: "boot-1\n" } } } } }),
    );
    const outbox = await open(t, io);
    t.same(outbox.append(stage("discover"), stage("build")), [1, 2]);
    t.same(outbox.append(finding("x")), [3]);
    t.match(outbox.pending(0, 1)[0], {
      seq: 1,
      kind: "boot.stage",
      bootId: "boot-1",
      at: "2026-01-01T00:00:00.000Z",
    });
    t.same(
      outbox.pending(1, 10).map(({ body }) => body),
      [stage("build").body, finding("x").body],
    );
    outbox.acknowledge(2);
    t.same(seqs(outbox), [3]);
    t.equal(outbox.acknowledged(), 2);
    outbox.acknowledge(1);
    t.equal(outbox.acknowledged(), 2, "an old ack changes nothing");
    t.throws(
      () => outbox.acknowledge(4),
      { code: "link/message-refused" },
      "an ack for what was never sent",
    );
  },
);

t.test("numbers and sessions grow over restarts, even when nothing waits", async (t) => {
  const io = fakeIo(t.testdir());
  const first = await open(t, io);
  first.append(stage("a"), stage("b"));
  first.acknowledge(2);
  t.equal(first.nextSession(), 1);
  const stream = first.stream();
  first.close();
  const second = await open(t, io);
  t.same(second.append(stage("c")), [3]);
  t.equal(second.nextSession(), 2);
  t.equal(second.stream(), stream);
  t.equal(second.acknowledged(), 2);
});

t.test("every write is an effect, named before it is done", async (t) => {
  const io = fakeIo(t.testdir());
  const outbox = await open(t, io);
  outbox.append(stage("a"), finding("x"));
  outbox.nextSession();
  outbox.acknowledge(1);
  t.same(io.effects, [
    "mkdir /var/lib/firstlight-agent",
    "outbox create",
    "outbox tables",
    "outbox append boot.stage finding",
    "outbox session",
    "outbox acknowledge 1",
  ]);
});

t.test("a program that dies at an effect has not written, and the next one goes on", async (t) => {
  const root = t.testdir();
  for (let deadly = 1; ; deadly++) {
    const io = fakeIo(path.join(root, String(deadly)));
    let count = 0;
    const dying = {
      ...io,
      effect: (name: string) => {
        count += 1;
        if (count === deadly) throw new Error(`died at ${name}`);
      },
    };
    let survived = false;
    try {
      const outbox = await openOutbox(dying, silentLog);
      try {
        outbox.append(stage("a"), stage("b"));
        outbox.acknowledge(1);
        survived = true;
      } finally {
        outbox.close();
      }
    } catch {}
    const next = await open(t, fakeIo(path.join(root, String(deadly))));
    t.match(seqs(next).join(), /^(1,2|2|)$/, `died at effect ${deadly}: all of a batch or nothing`);
    if (survived) break;
  }
});

t.test("a secret or an oversized event is refused, and nothing of its batch is kept", async (t) => {
  const outbox = await open(t, fakeIo(t.testdir()));
  const secret = {
    kind: "finding",
    body: { message: new Secret("hunter2") },
  } as unknown as NewEvent;
  t.throws(() => outbox.append(stage("a"), secret), { code: "secret/serialised" });
  const keys = Array.from({ length: 5_000 }, (_, i) => [`key${i}`, "x".repeat(100)]);
  const wide = { kind: "finding", body: Object.fromEntries(keys) } as unknown as NewEvent;
  t.throws(() => outbox.append(stage("a"), wide), { code: "link/event-too-large" });
  t.same(seqs(outbox), []);
});

t.test("a body that says too much is shortened, not lost", async (t) => {
  const outbox = await open(t, fakeIo(t.testdir()));
  outbox.append(finding("x".repeat(1_000_000)));
  t.match(outbox.pending(0, 1)[0]?.body, { message: /^x{4000}x*… \(1000000 characters\)$/ });
});

t.test(
  "a full outbox thins stages first, then the oldest, and one gap says exactly how many",
  async (t) => {
    const outbox = await open(t, fakeIo(t.testdir()), { maxEvents: 20 });
    for (let i = 0; i < 10; i++) outbox.append(finding(`f${i}`), stage(`s${i}`));
    t.equal(outbox.size().events, 20, "full, nothing dropped yet");
    const lost = new Set<number>();
    let last = 20;
    for (let i = 0; i < 40; i++) {
      [last = 0] = outbox.append(finding(`g${i}`));
      const waiting = outbox.pending(0, 100);
      const gap = waiting.find((event) => event.kind === "gap");
      if (gap !== undefined) last = Math.max(last, gap.seq);
      const there = new Set(waiting.map((event) => event.seq));
      for (let seq = 1; seq <= last; seq++) if (!there.has(seq)) lost.add(seq);
      t.ok(waiting.length <= 20, "never more than the bound");
      t.equal(
        (gap?.body as { dropped: number } | undefined)?.dropped,
        lost.size,
        `after ${i + 1} more`,
      );
      t.equal(
        waiting.filter((event) => event.kind === "gap").length,
        1,
        "a newer gap replaces the older",
      );
    }
    const body = outbox.pending(0, 100).find((event) => event.kind === "gap")?.body as {
      byKind: Record<string, number>;
      firstSeq: number;
      lastSeq: number;
      dropped: number;
    };
    t.equal(body.byKind["boot.stage"], 10, "every stage went");
    t.equal(
      Object.values(body.byKind).reduce((sum, count) => sum + count, 0),
      body.dropped,
    );
    t.equal(body.lastSeq, Math.max(...lost));
    t.equal(body.firstSeq, Math.min(...lost));
  },
);

t.test("stages go before anything else", async (t) => {
  const outbox = await open(t, fakeIo(t.testdir()), { maxEvents: 10 });
  outbox.append(
    ...Array.from({ length: 6 }, (_, i) => finding(`f${i}`)),
    ...Array.from({ length: 5 }, (_, i) => stage(`s${i}`)),
  );
  t.same(kinds(outbox), [...Array(6).fill("finding"), ...Array(2).fill("boot.stage"), "gap"]);
});

t.test(
  "how things ended stays when all else has gone, up to where a disk has an end",
  async (t) => {
    const outbox = await open(t, fakeIo(t.testdir()), { maxEvents: 10 });
    const ended = (transaction: string): NewEvent => ({
      kind: "trial.finished",
      body: { transaction, by: "boot", result: "committed", toplevel: "/nix/store/x" } as never,
    });
    for (let i = 0; i < 30; i++) outbox.append(ended(`t${i}`), stage(`s${i}`), finding(`f${i}`));
    t.equal(kinds(outbox).filter((kind) => kind === "trial.finished").length, 30);
    t.ok(outbox.size().events < 35, "beside them there is nearly nothing");
    for (let i = 30; i < 100; i++) outbox.append(ended(`t${i}`));
    t.ok(outbox.size().events <= 41, `${outbox.size().events} events`);
    const gap = outbox.pending(0, 100).find(({ kind }) => kind === "gap")?.body as {
      readonly byKind: Readonly<Record<string, number>>;
    };
    const left = kinds(outbox).filter((kind) => kind === "trial.finished").length;
    t.equal(gap.byKind["trial.finished"], 100 - left, "what went is counted");
  },
);

t.test("bytes are bounded as events are", async (t) => {
  const outbox = await open(t, fakeIo(t.testdir()), { maxBytes: 40_000 });
  for (let i = 0; i < 50; i++) {
    outbox.append(finding("x".repeat(4_000)));
    t.ok(outbox.size().bytes <= 40_000);
  }
  t.match(outbox.pending(0, 100).at(-1)?.kind, /^(gap|finding)$/);
  t.equal(kinds(outbox).filter((kind) => kind === "gap").length, 1);
});

t.test("what another process writes is noticed, and what this one writes is not", async (t) => {
  const io = fakeIo(t.testdir());
  const daemon = await open(t, io);
  t.equal(daemon.changed(), false);
  daemon.append(stage("own"));
  t.equal(daemon.changed(), false);
  const boot = await open(t, io);
  boot.append(stage("other"));
  t.equal(daemon.changed(), true);
  t.equal(daemon.changed(), false);
  t.same(seqs(daemon), [1, 2]);
});

t.test("a damaged database is moved aside and said so, and the boot goes on", async (t) => {
  const cases: readonly (readonly [string, (file: string) => void, RegExp])[] = [
    [
      "no database",
      (file) =>
        writeFileSync(file, "hello, this is not a database at all, but a text\n".repeat(50)),
      /not a database/,
    ],
    [
      "foreign tables",
      (file) => {
        const database = new DatabaseSync(file);
        database.exec("CREATE TABLE event (x); PRAGMA user_version = 1;");
        database.close();
      },
      /no such/,
    ],
    [
      "a newer format",
      (file) => {
        const database = new DatabaseSync(file);
        database.exec("PRAGMA user_version = 2;");
        database.close();
      },
      /newer/,
    ],
    ["a link", (file) => symlinkSync("/etc/hostname", file), /link/],
    ["a directory", (file) => mkdirSync(file), /directory/],
  ];
  for (const [name, damage, message] of cases) {
    await t.test(name, async (t) => {
      const root = t.testdir({ var: { lib: { "firstlight-agent": {} } } });
      damage(path.join(root, outboxFile));
      const records: LogRecord[] = [];
      const outbox = await open(t, fakeIo(root), {}, records);
      t.match(records, [{ level: "error", event: "outbox.damaged", fields: { message } }]);
      outbox.append(stage("a"));
      t.same(kinds(outbox), ["outbox.damaged", "boot.stage"]);
      const body = outbox.pending(0, 1)[0]?.body as { file: string; message: string };
      t.match(body.message, message);
      t.ok(readdirSync(path.join(root, linkDirectory)).includes(path.basename(body.file)));
    });
  }
});

t.test("damage that shows only later is met the same way, under a new stream", async (t) => {
  const root = t.testdir();
  const io = fakeIo(root);
  const before = await open(t, io);
  before.append(...Array.from({ length: 200 }, (_, i) => finding(`${i} ${"x".repeat(500)}`)));
  const stream = before.stream();
  before.close();
  const file = path.join(root, outboxFile);
  const { size } = statSync(file);
  const bytes = Buffer.alloc(size - 8192, 0xa5);
  const fd = openSync(file, "r+");
  writeSync(fd, bytes, 0, bytes.length, 8192);
  closeSync(fd);
  const outbox = await open(t, io);
  t.same(
    outbox.pending(0, 1000).map((event) => event.kind),
    ["outbox.damaged"],
  );
  t.not(outbox.stream(), stream);
  t.same(outbox.append(stage("a")), [2]);
});

t.test("a process that had the old database open goes over to the new one", async (t) => {
  const root = t.testdir();
  const io = fakeIo(root);
  const daemon = await open(t, io);
  daemon.append(stage("old"));
  moveAside(io, outboxFile);
  const boot = await open(t, io);
  boot.append(stage("new"));
  t.equal(daemon.changed(), true);
  t.match(daemon.pending(0, 10), [{ body: { stage: "new" } }]);
});

t.test("of what was moved aside, a few are kept", async (t) => {
  const root = t.testdir({ var: { lib: { "firstlight-agent": {} } } });
  const io = fakeIo(root);
  for (let i = 0; i < 6; i++) {
    io.clock.advance(1000);
    writeFileSync(path.join(root, outboxFile), "not a database, surely not a database".repeat(20));
    (await openOutbox(io, silentLog)).close();
  }
  t.equal(
    readdirSync(path.join(root, linkDirectory)).filter((name) => name.includes("damaged")).length,
    3,
  );
});

t.test("a disk that fails is a fault, not a crash", async (t) => {
  const root = t.testdir({ var: { lib: "a file where a directory should be" } });
  await t.rejects(openOutbox(fakeIo(root), silentLog), {
    code: /^(link\/outbox-failed|io\/write-failed)$/,
  });
});

t.test("database and journals are 0600", async (t) => {
  const root = t.testdir();
  const outbox = await open(t, fakeIo(root));
  outbox.append(stage("a"));
  const directory = path.join(root, linkDirectory);
  t.same(readdirSync(directory), ["outbox.db", "outbox.db-shm", "outbox.db-wal"]);
  for (const name of readdirSync(directory)) {
    t.equal(statSync(path.join(directory, name)).mode & 0o777, 0o600, name);
  }
});

t.test(
  "root opens nothing that belongs to the network side's user",
  { skip: process.geteuid?.() !== 0 && "needs root" },
  async (t) => {
    const root = t.testdir({ var: { lib: { "firstlight-agent": {} } } });
    const directory = path.join(root, linkDirectory);
    chownSync(directory, 4242, 4243);
    await t.rejects(openOutbox(fakeIo(root), silentLog), { code: "link/outbox-foreign" });
    await t.rejects(takeLinkLock(fakeIo(root)), { code: "link/outbox-foreign" });
    t.same(readdirSync(directory), []);
  },
);

t.test("the database keeps a write-ahead journal", async (t) => {
  const io = fakeIo(t.testdir());
  const outbox = await open(t, io);
  outbox.append(stage("a"));
  const database = new DatabaseSync(io.files.hostPath(outboxFile));
  t.same({ ...database.prepare("PRAGMA journal_mode").get() }, { journal_mode: "wal" });
  database.close();
});
