import { followProof, type Proof } from "./boot-proof.ts";
import {
  committedAs,
  type EndedTrial,
  endedBy,
  withConclusion,
  withEnded,
} from "./ended-trials.ts";
import type { JournalRecord, StepRecord } from "./journal-record.ts";
import { followReleases, noReleases, type Releases } from "./releases.ts";
import { next } from "./transaction.ts";
import type { TransactionState } from "./transaction-state.ts";
import { followUnconcluded, type Unconcluded } from "./unconcluded.ts";

/**
 * What a journal's records come to: everything that is ever asked of them, and of bounded size, so
 * that it can stand for them when they are dropped.
 */
export interface Ledger {
  /** What is open. */
  readonly state: TransactionState;
  /** What has ended, oldest first. */
  readonly ended: readonly EndedTrial[];
  /**
   * Builds whose end is not told, or whose system was left because it is damaged, and after which nothing
   * has looked at all that they may have left.
   */
  readonly unfinishedBuilds: readonly UnfinishedBuild[];
  readonly releases: Releases;
  /** Of the system that was committed last. */
  readonly proof: Proof | null;
  readonly unconcluded: Unconcluded | null;
}

export interface UnfinishedBuild {
  readonly txn: string;
  readonly bootId: string;
  /** Digests of the sources and of the manifest that it was of; of the sources alone where more is not known. */
  readonly subject: string;
}

const mostUnfinishedBuilds = 10;

export const emptyLedger: Ledger = {
  state: { state: "none" },
  ended: [],
  unfinishedBuilds: [],
  releases: noReleases,
  proof: null,
  unconcluded: null,
};

/** What records come to. Pure and total: a record that does not fit changes nothing. */
export function ledgerOf(records: readonly JournalRecord[]): Ledger {
  return records.reduce(follow, emptyLedger);
}

/** The ledger after one more record. */
export function follow(ledger: Ledger, record: JournalRecord): Ledger {
  if (record.kind === "checkpoint") return completed(record.data.ledger);
  const state = next(ledger.state, record);
  const hasEnded = ledger.state.state !== "none" && state.state === "none";
  const trial = hasEnded ? endedBy(ledger.state, record) : undefined;
  const before = trial?.attempt.previous.toplevel ?? null;
  const left = committedAs(ledger.ended, before);
  return {
    state,
    ended:
      trial === undefined ? withConclusion(ledger.ended, record) : withEnded(ledger.ended, trial),
    unfinishedBuilds: withDamaged(followBuilds(ledger.unfinishedBuilds, record), trial),
    releases: followReleases(ledger.releases, record, { state, ended: trial, left }),
    proof: followProof(ledger.proof, record, trial, triedIn(ledger.state) ?? record.bootId),
    unconcluded: followUnconcluded(ledger, record, trial),
  };
}

function triedIn(state: TransactionState): string | undefined {
  return state.state === "none" ? undefined : state.bootId;
}

/** A ledger of a checkpoint, with what was not remembered yet when it was written. */
function completed(ledger: Ledger): Ledger {
  const { proof, unconcluded = null } = ledger;
  if (!proof || Array.isArray(proof.failed)) return { ...ledger, unconcluded };
  return { ...ledger, unconcluded, proof: { ...proof, failed: [] } };
}

/**
 * A build that succeeded has written the store to the disk, whoever wrote to it in this boot, and has
 * looked at every path of its own; what a power cut left of another one is still there. One that failed
 * has left none half-way.
 */
function followBuilds(
  builds: readonly UnfinishedBuild[],
  record: StepRecord,
): readonly UnfinishedBuild[] {
  if (record.step !== "build") return builds;
  const { txn, bootId } = record;
  if (record.kind === "intent") {
    const { sourcesDigest, manifestDigest = null } = record.data;
    const subject = `${sourcesDigest} ${manifestDigest}`;
    return [...builds, { txn, bootId, subject }].slice(-mostUnfinishedBuilds);
  }
  if (!record.data.ok) return builds.filter((build) => build.txn !== txn);
  const own = builds.find((build) => build.txn === txn)?.subject;
  return builds.filter((build) => build.bootId !== bootId && !isOf(build, own));
}

function isOf({ subject }: UnfinishedBuild, own: string | undefined): boolean {
  return own === subject || own?.split(" ")[0] === subject;
}

/** What is damaged counts as never having reached the disk, until a build of the same has looked at it all. */
function withDamaged(
  builds: readonly UnfinishedBuild[],
  trial: EndedTrial | undefined,
): readonly UnfinishedBuild[] {
  if (trial?.outcome !== "committed" || trial.attempt.closure.reason.by !== "repair") return builds;
  const { sourcesDigest } = trial.attempt.previous;
  if (sourcesDigest === null) return builds;
  const damaged = { txn: trial.txn, bootId: "", subject: sourcesDigest };
  return [...builds, damaged].slice(-mostUnfinishedBuilds);
}
