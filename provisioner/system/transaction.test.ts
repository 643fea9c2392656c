import fc from "fast-check";
import t from "tap";
import type { Attempt, JournalRecord, Step } from "./journal-record.ts";
import type { ChangeReason, Trial, Verdict } from "./system.ts";
import { endedTrials, sourcesOf, transactionState } from "./transaction.ts";

const reason: ChangeReason = { by: "boot", why: "a test", instanceId: null };
const verdict: Verdict = { healthy: true, reasons: [], passes: 3, ms: 1 };
const failure = { code: "system/nix-failed", message: "no" } as const;

function attempt(txn: string): Attempt {
  const closure = {
    transaction: txn,
    toplevel: `/nix/store/${txn}`,
    derivation: null,
    sourcesDigest: `sources of ${txn}`,
    credentials: [],
    reason,
  };
  const previous = { toplevel: "/nix/store/old", generation: 1, sourcesDigest: null };
  return { closure, planDigest: "p", previous, profile: previous };
}

function trial(txn: string): Trial {
  return {
    transaction: txn,
    toplevel: `/nix/store/${txn}`,
    previous: "/nix/store/old",
    sourcesDigest: `sources of ${txn}`,
    bootId: "b",
    planDigest: "p",
    activation: "switched",
    exitCode: 0,
    message: null,
  };
}

/** Data that each step writes, for the transaction. */
function dataOf(txn: string): Readonly<Record<Step, { intent: unknown; result: unknown }>> {
  const activation = { end: "switched", exitCode: 0, message: null, touched: true };
  return {
    build: { intent: { sourcesDigest: "d", reason }, result: attempt(txn).closure },
    try: { intent: attempt(txn), result: trial(txn) },
    arm: { intent: { afterMs: 1 }, result: null },
    activate: { intent: { toplevel: "t" }, result: activation },
    disarm: { intent: null, result: null },
    commit: { intent: { verdict }, result: { generation: 2, incomplete: null } },
    "set-profile": { intent: { toplevel: "t" }, result: null },
    "boot-entry": { intent: { toplevel: "t" }, result: null },
    publish: { intent: { sourcesDigest: "d" }, result: { kept: [] } },
    "roll-back": { intent: { verdict, reasons: [] }, result: { toplevel: "o", reasons: ["why"] } },
    "re-activate": { intent: { toplevel: "o" }, result: activation },
    "reset-profile": { intent: { generation: 1, from: 2 }, result: null },
    abandon: { intent: { why: "a test" }, result: null },
  };
}

type Entry = readonly [step: Step, kind: "intent" | "ok" | "failed", txn?: string];

function records(entries: readonly Entry[]): readonly JournalRecord[] {
  return entries.map(([step, kind, txn = "t1"], index) => {
    const { intent, result } = dataOf(txn)[step];
    const data =
      kind === "intent"
        ? intent
        : kind === "ok"
          ? { ok: true, value: result }
          : { ok: false, failure };
    const head = { v: 1, seq: index + 1, prev: "", bootId: "b", txn, at: `at ${index}`, sum: "" };
    return { ...head, kind: kind === "intent" ? "intent" : "result", step, data } as JournalRecord;
  });
}

const built: readonly Entry[] = [
  ["build", "intent"],
  ["build", "ok"],
];
const trying: readonly Entry[] = [...built, ["try", "intent"], ["activate", "intent"]];
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
    t.match(transactionState(records(entries)), expected);
  });
}

t.test("ended trials are told with how they ended and what they were made from", async (t) => {
  const of = (txn: string, entries: readonly Entry[]) =>
    entries.map(([step, kind]): Entry => [step, kind, txn]);
  const trials = endedTrials(
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

t.test("no sequence of records is without an answer, and none loses a trial", async () => {
  const steps = Object.keys(dataOf("t1")) as Step[];
  const entry = fc.tuple(
    fc.constantFrom(...steps),
    fc.constantFrom("intent" as const, "ok" as const, "failed" as const),
    fc.constantFrom("t1", "t2"),
  );
  const ends = (last: JournalRecord | undefined) =>
    last?.kind === "result" &&
    last.data.ok &&
    ["commit", "roll-back", "abandon"].includes(last.step);
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 30 }), (entries) => {
      const all = records(entries);
      for (let length = 1; length <= all.length; length++) {
        const before = transactionState(all.slice(0, length - 1));
        const after = transactionState(all.slice(0, length));
        const last = all[length - 1];
        const wasTrial = ["trying", "tried", "committing", "rolling-back"].includes(before.state);
        if (wasTrial && after.state === "none" && !ends(last)) return false;
        // From the intent to commit on, only its end or a roll back leads on.
        const onwards = ["committing", "rolling-back", "none"];
        if (before.state === "committing" && !onwards.includes(after.state)) return false;
      }
      return endedTrials(all).every((trial) => trial.attempt.closure.transaction === trial.txn);
    }),
    { numRuns: 2_000 },
  );
});
