import { followProof, type Proof } from "./boot-proof.ts";
import { type EndedTrial, endedBy, withEnded } from "./ended-trials.ts";
import type { JournalRecord, StepRecord } from "./journal-record.ts";
import { followReleases, noReleases, type Releases } from "./releases.ts";
import { next } from "./transaction.ts";
import type { TransactionState } from "./transaction-state.ts";

/**
 * What a journal's records come to: everything that is ever asked of them, and of bounded size, so
 * that it can stand for them when they are dropped.
 */
export interface Ledger {
  /** What is open. */
  readonly state: TransactionState;
  /** What has ended, oldest first. */
  readonly ended: readonly EndedTrial[];
  /** Builds that began since the last one that succeeded, and whose end is not told. */
  readonly unfinishedBuilds: readonly UnfinishedBuild[];
  readonly releases: Releases;
  /** Of the system that was committed last. */
  readonly proof: Proof | null;
}

export interface UnfinishedBuild {
  readonly txn: string;
  readonly bootId: string;
}

const mostUnfinishedBuilds = 10;

export const emptyLedger: Ledger = {
  state: { state: "none" },
  ended: [],
  unfinishedBuilds: [],
  releases: noReleases,
  proof: null,
};

/** What records come to. Pure and total: a record that does not fit changes nothing. */
export function ledgerOf(records: readonly JournalRecord[]): Ledger {
  return records.reduce(follow, emptyLedger);
}

/** The ledger after one more record. */
export function follow(ledger: Ledger, record: JournalRecord): Ledger {
  if (record.kind === "checkpoint") return record.data.ledger;
  const state = next(ledger.state, record);
  const hasEnded = ledger.state.state !== "none" && state.state === "none";
  const trial = hasEnded ? endedBy(ledger.state, record) : undefined;
  return {
    state,
    ended: trial === undefined ? ledger.ended : withEnded(ledger.ended, trial),
    unfinishedBuilds: followBuilds(ledger.unfinishedBuilds, record),
    releases: followReleases(ledger.releases, record, { state, ended: trial }),
    proof: followProof(ledger.proof, record, trial),
  };
}

/** A build that succeeded has looked at every path; one that failed has left none half-way. */
function followBuilds(
  builds: readonly UnfinishedBuild[],
  { step, kind, data, txn, bootId }: StepRecord,
): readonly UnfinishedBuild[] {
  if (step !== "build") return builds;
  if (kind === "intent") return [...builds, { txn, bootId }].slice(-mostUnfinishedBuilds);
  return data.ok ? [] : builds.filter((build) => build.txn !== txn);
}
