import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { type FakeIo, fakeIo } from "#core/fake-io.ts";
import { openLedger, readLedger } from "./ledger.ts";
import { ledgerFile } from "./places.ts";
import { answerOf } from "./transitions.ts";
import type { UpdateEvent } from "./update-state.ts";

const release = (number: number) => ({
  ...{ path: `release/edge-${number}`, name: `edge-${number}`, number, sha256: "0".repeat(64) },
});
const received = (number: number): UpdateEvent => ({
  name: "received",
  update: { updateId: `u-${number}`, release: release(number) },
});

function ledgerIn(t: Test): { readonly io: FakeIo; readonly file: string } {
  const root = t.testdir();
  return { io: fakeIo(root), file: path.join(root, ledgerFile) };
}

t.test("each line proves itself and the one before, and the next process goes on", async (t) => {
  const { io } = ledgerIn(t);
  const first = openLedger(io);
  t.match(first.update(), { state: "IDLE", seq: 0 });
  for (const event of [received(1), { name: "verify" } as const]) first.append(event);
  t.equal(first.append({ name: "tried" }).effects.length, 0, "a misfit writes nothing");
  const second = openLedger(io);
  t.match(second.update(), { state: "VERIFYING", updateId: "u-1", seq: 2, records: 2 });
  second.append({ name: "rejected", reason: "no", code: "update/incompatible" });
  const { records, damage } = readLedger(io.files);
  t.equal(damage, null);
  t.match(
    records.map(({ seq, from, update: { state } }) => [seq, from, state]),
    [
      [1, "IDLE", "RECEIVED"],
      [2, "RECEIVED", "VERIFYING"],
      [3, "VERIFYING", "REJECTED"],
    ],
  );
  for (const { from, event, update } of records) t.equal(answerOf(from, event), update.state);
  t.match(second.update(), { reason: "no", code: "update/incompatible" });
});

t.test("a line that a power cut left is cut off, wherever it was cut", async (t) => {
  const { io, file } = ledgerIn(t);
  const ledger = openLedger(io);
  ledger.append(received(1));
  const good = readFileSync(file, "utf8");
  ledger.append({ name: "verify" });
  const line = readFileSync(file, "utf8").slice(good.length);
  for (const length of [1, 20, line.length - 2, line.length - 1]) {
    writeFileSync(file, good + line.slice(0, length));
    const again = openLedger(io);
    t.match(again.update(), { state: "RECEIVED" }, `${length} bytes`);
    t.equal(again.damage, null);
    again.append({ name: "verify" });
    t.match(readLedger(io.files), { damage: null, records: { length: 2 } });
  }
});

t.test("damage before the end is kept beside, and a new ledger goes on counting", async (t) => {
  const { io, file } = ledgerIn(t);
  const ledger = openLedger(io);
  for (const event of [received(1), { name: "verify" }, { name: "verified" }] as const)
    ledger.append(event);
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace('"event":"verify"', '"event":"verifx"'));
  const again = openLedger(io);
  t.match(again.damage, /line 2 does not prove itself/);
  t.match(again.update(), { state: "IDLE", seq: 1 });
  again.append(received(2));
  t.match(readLedger(io.files), { damage: null, update: { updateId: "u-2", seq: 2 } });
  t.match(readFileSync(`${file}.damaged`, "utf8"), "verifx");
  appendFileSync(file, text);
  t.match(readLedger(io.files).damage, /does not follow/);
});

t.test("it loses its oldest updates, and no number twice", async (t) => {
  const { io, file } = ledgerIn(t);
  const ledger = openLedger(io);
  let most = 0;
  for (let number = 1; number <= 400; number++) {
    ledger.append(received(number));
    ledger.append({ name: "verify" });
    ledger.append({ name: "rejected", reason: "x".repeat(300) });
    most = Math.max(most, statSync(file).size);
  }
  t.ok(most < 600 * 1024, `${most} bytes`);
  const { records, damage, update } = readLedger(io.files);
  t.equal(damage, null);
  t.match(update, { updateId: "u-400", seq: 1200 });
  t.ok(records.length >= 16 * 3 && records.length < 1200, `${records.length} records`);
  t.equal(records.at(-1)?.seq, (records[0]?.seq ?? 0) + records.length - 1);
});
