import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import t from "tap";
import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import { type FakeIo, fakeIo } from "#core/fake-io.ts";
import { fc } from "#core/fast-check.ts";
import { attempt, dataOf, type Entry, failure, records } from "./fake-records.ts";
import { readJournal } from "./journal.ts";
import {
  firstPrev,
  formatRecord,
  type JournalRecord,
  type Step,
  type StepResult,
} from "./journal-record.ts";
import { emptyLedger, ledgerOf } from "./ledger.ts";
import { type Journal, openJournal } from "./open-journal.ts";

const file = "/var/lib/firstlight/journal/journal.jsonl";
t.setTimeout(240_000);

const never = { rotateBytes: Number.POSITIVE_INFINITY };
const always = { rotateBytes: 0 };

function write(journal: Journal, [step, kind, txn = "t1"]: Entry): void {
  const { intent, result } = dataOf(txn)[step];
  const data =
    kind === "ok" ? { ok: true as const, value: result } : { ok: false as const, failure };
  if (kind === "intent") journal.intent(txn, step, intent as never);
  else journal.result(txn, step, data as StepResult<Step>);
}

function change(txn: string, end: "commit" | "roll-back"): readonly Entry[] {
  const steps: readonly Entry[] = [
    ["build", "intent"],
    ["build", "ok"],
    ["try", "intent"],
    ["try", "ok"],
    [end, "intent"],
    [end, "ok"],
  ];
  return steps.map(([step, kind]) => [step, kind, txn]);
}

const many = (count: number) =>
  Array.from({ length: count }, (_, n) => change(`t${n}`, n % 3 === 0 ? "roll-back" : "commit"));

t.test("a journal that has grown is replaced by what it comes to, and goes on", async (t) => {
  const io = fakeIo(t.testdir());
  const first = openJournal(io, file, never);
  for (const entry of many(6).flat()) write(first, entry);
  write(first, ["build", "intent", "open"]);
  const before = readJournal(io.files, file);
  const second = openJournal(io, file, always);
  t.same(second.ledger, before.ledger);
  t.same(second.notes, [], "nothing was wrong with it");
  const after = readJournal(io.files, file);
  t.equal(after.records.length, 1);
  t.match(after.records[0], {
    kind: "checkpoint",
    seq: before.records.length + 1,
    data: { replaces: { keptAs: `${file}.1`, digest: sha256(before.good), damage: null } },
  });
  t.equal(io.files.readText(`${file}.1`), before.good, "and what it stands for is kept");
  const lastLine = before.good.trimEnd().split("\n").at(-1) ?? "";
  t.equal(after.records[0]?.prev, sha256(lastLine), "the chain goes on");
  write(second, ["build", "ok", "open"]);
  t.match(readJournal(io.files, file).ledger.state, { state: "built", txn: "open" });
  t.match(readJournal(io.files, file).records.at(-1), { seq: before.records.length + 2 });
});

t.test("wherever it is rotated, and however often, a journal comes to the same", async () => {
  const entry = fc.tuple(
    fc.constantFrom(...(Object.keys(dataOf("t")) as Step[])),
    fc.constantFrom("intent" as const, "ok" as const, "failed" as const),
    fc.constantFrom("t1", "t2"),
  );
  const part = fc.array(
    fc.oneof(
      entry.map((one) => [one]),
      fc.nat(9).map((n) => change(`c${n}`, "commit")),
    ),
    {
      maxLength: 6,
    },
  );
  let roots = 0;
  const directory = t.testdir();
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      roots += 1;
      const plain = fakeIo(path.join(directory, `plain-${roots}`));
      const turned = fakeIo(path.join(directory, `turned-${roots}`));
      for (const entries of parts) {
        const one = openJournal(plain, file, never);
        const other = openJournal(turned, file, always);
        for (const each of entries.flat()) {
          write(one, each as Entry);
          write(other, each as Entry);
        }
      }
      const [one, other] = [plain, turned].map((io) => readJournal(io.files, file));
      return canonicalJson(one?.ledger) === canonicalJson(other?.ledger);
    }),
    { numRuns: 40 },
  );
});

t.test("what is remembered is bounded: the newest of either end", async (t) => {
  const { ended } = ledgerOf(records(many(400).flat()));
  const counts = Map.groupBy(ended, ({ outcome }) => outcome);
  t.equal(counts.get("committed")?.length, 100);
  t.equal(counts.get("rolled-back")?.length, 50);
  t.equal(ended.at(-1)?.txn, "t399");
  const builds = Array.from({ length: 40 }, (_, n): Entry => ["build", "intent", `b${n}`]);
  t.equal(ledgerOf(records(builds)).unfinishedBuilds.length, 10);
});

t.test("a journal stays bounded, and so does what lies beside it", async (t) => {
  const io = fakeIo(t.testdir());
  const host = path.join(io.files.root, file);
  const rotateBytes = 10_000;
  let rotations = 0;
  for (const entries of many(30)) {
    const journal = openJournal(io, file, { rotateBytes });
    const before = statSync(host, { throwIfNoEntry: false })?.size ?? 0;
    for (const entry of entries) write(journal, entry);
    const { size } = statSync(host);
    const checkpoint = readFileSync(host, "utf8").indexOf("\n");
    const change = size - before;
    t.ok(size <= checkpoint + rotateBytes + change, `${size} bytes`);
    if (readJournal(io.files, file).records.length === entries.length + 1) rotations += 1;
  }
  t.ok(rotations > 5, `${rotations} rotations`);
  t.same(readdirSync(path.dirname(host)).sort(), ["journal.jsonl", "journal.jsonl.1"]);
});

/** Opens, dying at each effect in turn, and then once more unharmed. */
function diesEverywhere(
  prepare: (root: string) => void,
  directory: string,
  open: (io: FakeIo) => unknown,
): readonly FakeIo[] {
  const survivors: FakeIo[] = [];
  for (let dieAt = 1; ; dieAt++) {
    const root = path.join(directory, `at-${dieAt}`);
    prepare(root);
    let died = false;
    const onEffect = (number: number) => {
      if (number < dieAt) return;
      died = true;
      throw new Error("died");
    };
    try {
      open(fakeIo(root, {}, { onEffect }));
    } catch (error) {
      if (!died) throw error;
    }
    if (!died) return survivors;
    const survivor = fakeIo(root);
    open(survivor);
    survivors.push(survivor);
  }
}

t.test("a death at any effect of the rotation loses nothing", async (t) => {
  let expected = emptyLedger;
  const survivors = diesEverywhere(
    (root) => {
      const io = fakeIo(root);
      const journal = openJournal(io, file, never);
      for (const entry of many(4).flat()) write(journal, entry);
      write(journal, ["try", "intent", "open"]);
      expected = readJournal(io.files, file).ledger;
    },
    t.testdir(),
    (io) => openJournal(io, file, always),
  );
  t.equal(survivors.length, 2, "two effects");
  for (const { files } of survivors) {
    t.same(readJournal(files, file).ledger, expected);
    t.same(files.list(path.dirname(file)), ["journal.jsonl", "journal.jsonl.1"]);
  }
});

/** Ways of damage in the middle, each of a journal's text. */
const damages: readonly {
  readonly name: string;
  readonly spoil: (text: string) => string | Uint8Array;
  /** So many of the five changes are still known. */
  readonly known: number;
}[] = [
  {
    name: "a flipped bit",
    spoil: (text) => {
      const bytes = Buffer.from(text);
      const middle = bytes.length >> 1;
      bytes[middle] = (bytes[middle] ?? 0) ^ 1;
      return bytes;
    },
    known: 2,
  },
  {
    name: "a line that is gone",
    spoil: (text) => text.split("\n").toSpliced(13, 1).join("\n"),
    known: 2,
  },
  {
    name: "a hole of zeros",
    spoil: (text) => `${text.slice(0, 4000)}${"\0".repeat(4096)}${text.slice(8096)}`,
    known: 1,
  },
  { name: "a beginning that is gone", spoil: (text) => text.slice(200), known: 0 },
  {
    name: "bytes that are no text",
    spoil: (text) => Buffer.concat([Buffer.from([0xff, 0xfe, 10]), Buffer.from(text)]),
    known: 0,
  },
];

for (const { name, spoil, known } of damages) {
  t.test(`${name}: the journal is set aside, and a new one says so`, async (t) => {
    const root = t.testdir();
    const io = fakeIo(root);
    const journal = openJournal(io, file, never);
    for (const entry of many(5).flat()) write(journal, entry);
    write(journal, ["try", "intent", "open"]);
    const whole = readJournal(io.files, file).ledger;
    const spoilt = Buffer.from(spoil(readFileSync(path.join(root, file), "utf8")));
    writeFileSync(path.join(root, file), spoilt);

    t.throws(() => openJournal(io, file), { code: "system/journal-damaged" });
    t.same(readFileSync(path.join(root, file)), spoilt, "without leave it stays as it is");

    const mended = openJournal(io, file, { mend: true });
    t.match(mended.damage, /^line /);
    t.match(mended.notes, [
      /was damaged \(line .*set aside as .*\.damaged-.*what runs is left alone/,
    ]);
    t.equal(mended.ledger.state.state, "none");
    const { records, ledger } = readJournal(io.files, file);
    t.equal(records.length, 1);
    const [first] = records;
    if (first?.kind !== "checkpoint") return t.fail("expected a checkpoint");
    t.match(first.data.replaces, { digest: sha256(spoilt), damage: mended.damage });
    const kept = io.files.read(first.data.replaces.keptAs) ?? new Uint8Array();
    t.ok(Buffer.from(kept).equals(spoilt), "what was set aside is the whole of it");
    t.same(ledger.ended, whole.ended.slice(0, known), "what the good part knew is known");
    write(mended, ["build", "intent", "next"]);
    t.match(openJournal(io, file).ledger.state, { state: "building", txn: "next" });
  });
}

t.test("a death while a damaged journal is set aside is done again", async (t) => {
  const survivors = diesEverywhere(
    (root) => {
      const io = fakeIo(root);
      const journal = openJournal(io, file, never);
      for (const entry of many(2).flat()) write(journal, entry);
      const text = io.files.readText(file) ?? "";
      io.files.write(file, text.replace('"seq":3', '"seq":4'));
    },
    t.testdir(),
    (io) => openJournal(io, file, { mend: true }),
  );
  t.equal(survivors.length, 2, "two effects");
  for (const { files } of survivors) {
    const [first] = readJournal(files, file).records;
    t.match(first, { kind: "checkpoint", data: { replaces: { damage: /^line 3/ } } });
    t.equal(files.list(path.dirname(file)).length, 2, "kept once");
  }
});

t.test("what is kept of damaged journals is bounded too", async (t) => {
  const io = fakeIo(t.testdir());
  for (let round = 0; round < 8; round++) {
    io.files.write(file, `no line of a journal ${round}\nand one more\n`);
    openJournal(io, file, { mend: true });
    io.files.append(file, `torn ${round}`);
    openJournal(io, file);
  }
  const kinds = Map.groupBy(
    io.files.list(path.dirname(file)),
    (name) => /\.(damaged|torn)-/.exec(name)?.[1] ?? "journal",
  );
  const count = (kind: string) => kinds.get(kind)?.length;
  t.same([count("journal"), count("damaged"), count("torn")], [1, 3, 3]);
});

t.test("a file that is too large to be a journal is moved away", async (t) => {
  const root = t.testdir();
  const io = fakeIo(root);
  const host = path.join(root, file);
  mkdirSync(path.dirname(host), { recursive: true });
  writeFileSync(host, "");
  const { truncateSync } = await import("node:fs");
  truncateSync(host, 64 * 1024 * 1024 + 1); // a hole: it takes no space
  t.throws(() => openJournal(io, file), { code: "system/journal-damaged" });
  const journal = openJournal(io, file, { mend: true });
  t.match(journal.damage, /larger than/);
  t.equal(statSync(`${host}.damaged-1-large`).size, 64 * 1024 * 1024 + 1);
  write(journal, ["build", "intent"]);
});

t.test("a journal of version 1 is read and goes on", async (t) => {
  const root = t.testdir();
  const io = fakeIo(root);
  const host = path.join(root, file);
  mkdirSync(path.dirname(host), { recursive: true });
  copyFileSync(path.join(import.meta.dirname, "fixtures/journal-v1.jsonl"), host);
  const { records, ledger } = readJournal(io.files, file);
  t.equal(records.length, 40);
  t.match(
    ledger.ended.map(({ outcome, generation }) => [outcome, generation]),
    [
      ["committed", 2],
      ["rolled-back", null],
    ],
  );
  t.match(ledger.state, { state: "tried", touched: true, bootId: "boot-1" });
  const journal = openJournal(io, file);
  const { txn } = ledger.state as { txn: string };
  write(journal, ["roll-back", "intent", txn]);
  write(journal, ["roll-back", "ok", txn]);
  t.equal(openJournal(io, file).ledger.state.state, "none");
  const versions = readFileSync(host, "utf8").trimEnd().split("\n");
  t.same(
    versions.map((line) => (JSON.parse(line) as { v: number }).v),
    [...Array.from({ length: 40 }, () => 1), 2, 2],
  );
  const rotated = openJournal(io, file, always);
  t.equal(rotated.ledger.ended.length, 3);
});

t.test("what version 1 came to know last is read: fetched systems, and repairs", async (t) => {
  const io = fakeIo(t.testdir());
  const { reason } = attempt("t1").closure;
  const told = [
    { step: "repair", kind: "intent", data: { subjects: ["/nix/store/x"] } },
    {
      step: "repair",
      kind: "result",
      data: { ok: true, value: { repaired: [], unrepaired: ["/nix/store/x"] } },
    },
    {
      step: "build",
      kind: "intent",
      data: { sourcesDigest: null, manifestDigest: "m", reason },
    },
  ];
  let prev = firstPrev;
  for (const [index, more] of told.entries()) {
    const head = { v: 1, seq: index + 1, prev, bootId: "b", txn: "t1", at: "at" };
    const line = formatRecord({ ...head, ...more });
    prev = sha256(line);
    io.files.append(file, `${line}\n`);
  }
  const building = { state: "building", txn: "t1", sourcesDigest: null, manifestDigest: "m" };
  t.match(readJournal(io.files, file).ledger.state, building);
  const journal = openJournal(io, file, always);
  t.match(journal.ledger.state, building, "also behind a checkpoint");
  write(journal, ["build", "ok"]);
  t.match(openJournal(io, file).ledger.state, { state: "built", txn: "t1" });
});

t.test("what a power cut left of a build is doubted until the same is built", (t) => {
  const left = (...builds: readonly (readonly [txn: string, bootId: string, of: string])[]) => {
    const told = builds.flatMap(([txn, bootId, of]) =>
      records([
        ["build", "intent", txn],
        ...(txn.startsWith("ok") ? [["build", "ok", txn] as Entry] : []),
      ]).map((record) =>
        record.kind === "intent" && record.step === "build"
          ? { ...record, bootId, data: { ...record.data, sourcesDigest: of } }
          : { ...record, bootId },
      ),
    );
    return ledgerOf(told as readonly JournalRecord[]).unfinishedBuilds.map(({ txn }) => txn);
  };
  const cut = ["cut", "boot-1", "a"] as const;
  t.same(left(cut), ["cut"]);
  t.same(left(cut, ["ok", "boot-2", "b"]), ["cut"], "another system has other paths");
  t.same(left(cut, ["ok", "boot-2", "b"], ["ok-2", "boot-3", "a"]), []);
  t.same(left(cut, ["ok", "boot-1", "b"]), [], "it wrote the whole store to the disk");
  t.same(left(cut, ["killed", "boot-2", "b"], ["ok", "boot-2", "c"]), ["cut"]);
  t.end();
});

t.test("a checkpoint that knows of no failed systems has none", (t) => {
  const proof = {
    ...{ transaction: "t1", toplevel: "/nix/store/a", generation: 2, proved: false, failures: 0 },
    ...{ previousGood: { toplevel: null, generation: null }, bootId: "b" },
  };
  const checkpoint = { kind: "checkpoint", data: { ledger: { ...emptyLedger, proof } } };
  t.match(ledgerOf([checkpoint as unknown as JournalRecord]).proof, { ...proof, failed: [] });
  t.end();
});
