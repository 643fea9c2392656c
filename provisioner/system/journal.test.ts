import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { fc } from "#core/fast-check.ts";
import { isFault } from "#core/fault.ts";
import { readJournal } from "./journal.ts";
import { formatRecord } from "./journal-record.ts";
import { openJournal } from "./open-journal.ts";
import type { ChangeReason } from "./system.ts";

const file = "/var/lib/firstlight/journal/journal.jsonl";
const reason: ChangeReason = { by: "boot", why: "first boot of i-1 · “x”", instanceId: "i-1" };

/** A journal of a few transactions on a machine of its own. */
function machine(root: string) {
  const io = fakeIo(root);
  const journal = openJournal(io, file);
  for (const txn of ["t1", "t2", "t3"]) {
    journal.intent(txn, "build", { sourcesDigest: "d".repeat(64), reason });
    const failure = { code: "system/build-failed", message: "no luck" } as const;
    journal.result(txn, "build", { ok: false, failure });
  }
  const host = path.join(root, file);
  return { io, host, text: readFileSync(host, "utf8") };
}

t.test("what was read before is not believed of a journal that has changed since", async (t) => {
  const { io, host, text } = machine(t.testdir());
  const read = (content: string) => {
    writeFileSync(host, content);
    return readJournal(io.files, file).records.length;
  };
  const lines = text.split("\n");
  t.equal(read(text), 6);
  t.equal(read(`${lines.slice(0, 4).join("\n")}\n`), 4, "it became shorter");
  t.equal(read(text), 6, "and longer again");
  for (const at of [5, text.length / 2, text.length - 20].map(Math.floor)) {
    read(text);
    const changed = `${text.slice(0, at)}${text[at] === "1" ? "2" : "1"}${text.slice(at + 1)}`;
    const seen = () => read(changed);
    if (at < text.length - 20) t.throws(seen, { code: "system/journal-damaged" });
    else t.equal(seen(), 5, "the last line alone is taken for torn");
  }
});

t.test("records are numbered, chained and on disk before anything else happens", async (t) => {
  const { io } = machine(t.testdir());
  const { records, torn } = readJournal(io.files, file);
  t.equal(torn, null);
  t.same(
    records.map(({ seq, kind, ...rest }) => [seq, "txn" in rest && rest.txn, kind]),
    [
      [1, "t1", "intent"],
      [2, "t1", "result"],
      [3, "t2", "intent"],
      [4, "t2", "result"],
      [5, "t3", "intent"],
      [6, "t3", "result"],
    ],
  );
  t.same(records[0]?.data, { sourcesDigest: "d".repeat(64), reason });
  t.ok(
    io.effects.every((effect) => effect === `append ${file}`),
    "one append each",
  );
});

t.test("wherever a power cut tears the last line, the records before it stand", async (t) => {
  const { io, host, text } = machine(t.testdir());
  const lastLine = text.slice(0, -1).lastIndexOf("\n") + 1;
  for (let length = 0; length < text.length; length++) {
    writeFileSync(host, text.slice(0, length));
    const { records, good, torn } = readJournal(io.files, file);
    const whole = text.slice(0, length).split("\n").length - 1;
    t.equal(records.length, whole, `${length} bytes`);
    t.equal(good + (torn ?? ""), text.slice(0, length));
  }
  writeFileSync(host, `${text.slice(0, lastLine)}${"\0".repeat(300)}\n`);
  t.equal(readJournal(io.files, file).records.length, 5, "zeros of an unwritten block");
});

t.test("a torn line is kept aside, said, and the journal goes on behind it", async (t) => {
  const { io, host, text } = machine(t.testdir());
  const torn = text.slice(0, 40);
  appendFileSync(host, torn);
  const journal = openJournal(io, file);
  t.match(journal.notes, [/last line was unfinished.*kept as .*torn-7-/]);
  const aside = readdirSync(path.dirname(host)).find((name) => name.includes(".torn-"));
  t.equal(readFileSync(path.join(path.dirname(host), aside ?? ""), "utf8"), torn);
  journal.intent("t4", "abandon", { why: "a test" });
  t.equal(readJournal(io.files, file).records.length, 7);
  t.same(openJournal(io, file).notes, [], "said once");
});

t.test("a write that fails half-way is mended before the next one", async (t) => {
  const { io, host } = machine(t.testdir());
  let broken = true;
  const files = {
    ...io.files,
    append: (name: string, data: string | Uint8Array) => {
      if (!broken) return io.files.append(name, data);
      appendFileSync(host, String(data).slice(0, 50));
      throw new Error("no space");
    },
  };
  const journal = openJournal({ ...io, files }, file);
  t.throws(() => journal.intent("t4", "abandon", { why: "full" }), { message: "no space" });
  broken = false;
  journal.intent("t4", "abandon", { why: "not full any more" });
  const { records, torn } = readJournal(io.files, file);
  t.equal(torn, null);
  t.match(records.at(-1), { seq: 7, data: { why: "not full any more" } });
});

t.test("no flipped bit is believed", async (t) => {
  const { io, host, text } = machine(t.testdir());
  const bytes = Buffer.from(text);
  const intact = readJournal(io.files, file).records;
  const lastLine = Buffer.from(text.slice(0, text.slice(0, -1).lastIndexOf("\n") + 1)).length;
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(7), (place, bit) => {
      const flipped = Buffer.from(bytes);
      flipped[place] = (flipped[place] ?? 0) ^ (1 << bit);
      writeFileSync(host, flipped);
      try {
        const { records, torn } = readJournal(io.files, file);
        const cut = intact.slice(0, -1);
        return (
          place >= lastLine - 1 && torn !== null && JSON.stringify(records) === JSON.stringify(cut)
        );
      } catch (error) {
        return isFault(error, "system/journal-damaged");
      }
    }),
    { numRuns: 500 },
  );
});

t.test("a damaged newline takes no whole record with it", async (t) => {
  const { io, host, text } = machine(t.testdir());
  const at = text.slice(0, -1).lastIndexOf("\n");
  for (const damagedText of [
    `${text.slice(0, at)}J${text.slice(at + 1)}`,
    `${text.slice(0, -1)}J`,
    `${text.slice(0, at)}J${text.slice(at + 1, -9)}`,
  ]) {
    writeFileSync(host, damagedText);
    t.throws(() => readJournal(io.files, file), { code: "system/journal-damaged" });
    t.throws(() => openJournal(io, file), { code: "system/journal-damaged" });
    t.equal(readFileSync(host, "utf8"), damagedText, "and the file is left as it is");
  }
  writeFileSync(host, `${text.slice(0, -1)}${"\0".repeat(3)}`);
  t.equal(readJournal(io.files, file).torn?.endsWith("\0"), true, "zeros are of a power cut");
});

t.test("records dropped, doubled or swapped in the middle are noticed", async (t) => {
  const { io, host, text } = machine(t.testdir());
  const lines = text.trimEnd().split("\n");
  const [a = "", b = "", c = "", ...rest] = lines;
  const cases = {
    dropped: [a, c, ...rest],
    doubled: [a, a, b, c, ...rest],
    swapped: [b, a, c, ...rest],
  };
  for (const [name, changed] of Object.entries(cases)) {
    writeFileSync(host, `${changed.join("\n")}\n`);
    t.throws(() => readJournal(io.files, file), { code: "system/journal-damaged" }, name);
  }
  writeFileSync(host, `${lines.slice(0, 2).join("\n")}\n${lines.slice(3).join("\n")}\n`);
  t.throws(() => openJournal(io, file), { code: "system/journal-damaged" });
  t.equal(readFileSync(host, "utf8").split("\n").length, 6, "and the file is left as it is");
});

t.test("arbitrary bytes are refused with a code or cut off, never believed", async (t) => {
  const { io, host } = machine(t.testdir());
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      writeFileSync(host, noise);
      try {
        return readJournal(io.files, file).records.length === 0;
      } catch (error) {
        return isFault(error, "system/journal-damaged");
      }
    }),
  );
});

t.test("a record of a newer version or an unknown step stops with what to do", async (t) => {
  const { io, host, text } = machine(t.testdir());
  const last = JSON.parse(text.trimEnd().split("\n").at(-1) ?? "");
  const { sum: _, ...fields } = last;
  for (const change of [{ v: 3 }, { step: "levitate" }, { kind: "checkpoint", v: 3 }]) {
    const line = formatRecord({ ...fields, ...change });
    writeFileSync(host, `${text.trimEnd().split("\n").slice(0, -1).join("\n")}\n${line}\n`);
    t.throws(() => readJournal(io.files, file), { code: "system/journal-newer" });
  }
});
