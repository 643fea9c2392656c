import t from "tap";
import { fc } from "#core/fast-check.ts";
import { sourcesOf } from "./ended-trials.ts";
import { dataOf, type Entry, failure, records, verdict } from "./fake-records.ts";
import type { Step, StepRecord } from "./journal-record.ts";
import { ledgerOf } from "./ledger.ts";
import { next } from "./transaction.ts";
import { hasAttempt, type StateName, type TransactionState } from "./transaction-state.ts";
import { answerOf, beginnings, eventOf, stateNames } from "./transitions.ts";

const stateAfter = (all: readonly StepRecord[]) => ledgerOf(all).state;

const built: readonly Entry[] = [
  ["build", "intent"],
  ["build", "ok"],
];
const trying: readonly Entry[] = [...built, ["try", "intent"], ["activate", "intent"]];
const waiting: readonly Entry[] = [...built, ["prepare", "intent"], ["prepare", "ok"]];
const tried: readonly Entry[] = [...trying, ["activate", "ok"], ["try", "ok"]];
const committing: readonly Entry[] = [...tried, ["commit", "intent"]];
const rollingBack: readonly Entry[] = [...tried, ["roll-back", "intent"]];

const states: readonly (readonly [string, readonly Entry[], object])[] = [
  ["nothing", [], { state: "none" }],
  ["a build that runs", [["build", "intent"]], { state: "building", txn: "t1" }],
  [
    "a build that failed",
    [
      ["build", "intent"],
      ["build", "failed"],
    ],
    { state: "none" },
  ],
  ["a build", built, { state: "built", closure: { transaction: "t1" } }],
  ["an abandoned build", [...built, ["abandon", "intent"], ["abandon", "ok"]], { state: "none" }],
  ["a trial that is to be booted", waiting.slice(0, -1), { state: "preparing", touched: false }],
  ["a trial that waits for a restart", waiting, { state: "waiting", touched: false }],
  [
    "a trial that was booted",
    [...waiting, ["restart", "intent"], ["resume", "intent"], ["resume", "ok"]],
    { state: "tried", touched: true },
  ],
  [
    "a way back that takes a restart",
    [...waiting, ["resume", "ok"], ["roll-back", "intent"], ["restart", "intent"]],
    { state: "rolling-back", restarts: 1 },
  ],
  ["a trial before its activation", trying.slice(0, 3), { state: "trying", touched: false }],
  ["a trial during its activation", trying, { state: "trying", touched: true }],
  ["a trial that failed", [...trying, ["try", "failed"]], { state: "trying", touched: true }],
  ["a trial", tried, { state: "tried", trial: { transaction: "t1" } }],
  ["a commit", committing, { state: "committing", failures: [] }],
  [
    "a commit that failed once",
    [...committing, ["boot-entry", "failed"], ["commit", "failed"], ["commit", "intent"]],
    { state: "committing", failures: [failure] },
  ],
  ["a finished commit", [...committing, ["commit", "ok"]], { state: "none" }],
  ["a roll back", rollingBack, { state: "rolling-back", touched: true, verdict }],
  [
    "a roll back whose old system runs",
    [...rollingBack, ["re-activate", "ok"]],
    { state: "rolling-back", touched: false },
  ],
  [
    "a commit that goes back",
    [...committing, ["commit", "failed"], ["roll-back", "intent"]],
    { state: "rolling-back" },
  ],
  ["a finished roll back", [...rollingBack, ["roll-back", "ok"]], { state: "none" }],
  [
    "a record of another transaction",
    [...tried, ["roll-back", "intent", "t2"]],
    { state: "tried" },
  ],
];

for (const [name, entries, expected] of states) {
  t.test(`${name} leads to its state`, async (t) => {
    t.match(stateAfter(records(entries)), expected);
  });
}

t.test("ended trials are told with how they ended and what they were made from", async (t) => {
  const of = (txn: string, entries: readonly Entry[]) =>
    entries.map(([step, kind]): Entry => [step, kind, txn]);
  const { ended: trials } = ledgerOf(
    records([
      ...of("t1", [...committing, ["commit", "ok"]]),
      ...of("t2", [...rollingBack, ["roll-back", "ok"]]),
      ...of("t3", [...rollingBack, ["reset-profile", "intent"], ["roll-back", "ok"]]),
    ]),
  );
  t.match(trials, [
    { txn: "t1", outcome: "committed", generation: 2, verdict },
    { txn: "t2", outcome: "rolled-back", generation: null, reasons: ["why"] },
    { txn: "t3", outcome: "rolled-back", generation: 2 },
  ]);
  t.equal(sourcesOf(trials, "/nix/store/t1"), "sources of t1");
  t.equal(sourcesOf(trials, "/nix/store/t2"), null, "it was rolled back");
});

const anEvent = fc.tuple(
  fc.constantFrom(...(Object.keys(dataOf("t1")) as Step[])),
  fc.constantFrom("intent" as const, "ok" as const, "failed" as const),
  fc.constantFrom("t1", "t2", "t3"),
);

t.test("every pair of state and event has an answer that `next` gives", async (t) => {
  const ways: Readonly<Record<StateName, readonly Entry[]>> = {
    none: [],
    building: built.slice(0, 1),
    built,
    preparing: waiting.slice(0, -1),
    waiting,
    trying,
    tried,
    committing,
    "rolling-back": rollingBack,
  };
  for (const name of stateNames) {
    const state = stateAfter(records(ways[name]));
    t.equal(state.state, name);
    for (const step of Object.keys(dataOf("t1")) as Step[]) {
      for (const kind of ["intent", "ok", "failed"] as const) {
        const [event] = records([[step, kind]]);
        if (event === undefined) continue;
        const answer = answerOf(name, eventOf(event));
        const after = next(state, event);
        if (answer === "misfit") t.equal(after, state, `${name}: ${eventOf(event)} fits nowhere`);
        else t.equal(after.state, answer, `${name}: ${eventOf(event)}`);
        if (name === "none" || beginnings.has(eventOf(event))) continue;
        const [foreign] = records([[step, kind, "t2"]]);
        t.equal(foreign && next(state, foreign), state, `${name}: ${eventOf(event)} of another`);
      }
    }
  }
});

/** A machine that does what the journal says of it; good is what it was committed to, or came with. */
interface World {
  readonly good: string;
  readonly bootDefault: string;
}

/** What a record that fits means for the boot default; a roll back ends only once it is set back. */
function live(world: World, before: TransactionState, record: StepRecord): World {
  const event = eventOf(record);
  if (!hasAttempt(before)) return world;
  const { toplevel } = before.attempt.closure;
  switch (event) {
    case "set-profile begins": // it may have been done, whatever its result says
    case "boot-entry begins":
      return { ...world, bootDefault: toplevel };
    case "reset-profile done":
    case "roll-back done":
      return { ...world, bootDefault: world.good };
    case "commit done":
      return { good: toplevel, bootDefault: toplevel };
    default:
      return world;
  }
}

t.test("no sequence of events loses the last good generation", async () => {
  fc.assert(
    fc.property(fc.array(anEvent, { maxLength: 60 }), (entries) => {
      let state: TransactionState = { state: "none" };
      let world: World = { good: "/nix/store/old", bootDefault: "/nix/store/old" };
      for (const record of records(entries)) {
        const after = next(state, record);
        const fits = answerOf(state.state, eventOf(record)) !== "misfit";
        const own = state.state === "none" || state.txn === record.txn;
        if (fits && own) world = live(world, state, record);
        state = after;
        // Only a trial that was judged healthy, and is on its way to stay or back, may be booted.
        const allowed =
          state.state === "committing" || state.state === "rolling-back"
            ? [world.good, state.attempt.closure.toplevel]
            : [world.good];
        if (!allowed.includes(world.bootDefault)) return false;
      }
      return true;
    }),
    { numRuns: 5_000 },
  );
});

t.test("a trial ends by its commit or its roll back, and by nothing else", async () => {
  const ends = (last: StepRecord | undefined) =>
    last?.kind === "result" && last.data.ok && ["commit", "roll-back"].includes(last.step);
  fc.assert(
    fc.property(fc.array(anEvent, { maxLength: 60 }), (entries) => {
      const all = records(entries);
      let before: TransactionState = { state: "none" };
      for (const record of all) {
        const after = next(before, record);
        if (hasAttempt(before) && after.state === "none" && !ends(record)) return false;
        if (hasAttempt(before) && hasAttempt(after) && after.txn !== before.txn) return false;
        // From the intent to commit on, only its end or a roll back leads on.
        const onwards = ["committing", "rolling-back", "none"];
        if (before.state === "committing" && !onwards.includes(after.state)) return false;
        if (before.state === "rolling-back" && after.state === "committing") return false;
        before = after;
      }
      return ledgerOf(all).ended.every((trial) => trial.attempt.closure.transaction === trial.txn);
    }),
    { numRuns: 2_000 },
  );
});
