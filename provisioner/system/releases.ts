import { Fault } from "#core/fault.ts";
import type { EndedTrial } from "./ended-trials.ts";
import type { Attempt, StepRecord } from "./journal-record.ts";
import type { Ledger } from "./ledger.ts";
import type { ChangeReason, Closure, DeniedRelease, HeldRelease, Wanted } from "./system.ts";
import type { TransactionState } from "./transaction-state.ts";

/** What the journal knows of releases that did not come to a good end. */
export interface Releases {
  /** Trials that began, newest last, of releases that were not committed since. */
  readonly tries: readonly Try[];
  readonly denied: readonly DeniedRelease[];
}

/** A trial that began. */
export interface Try {
  readonly release: string;
  readonly hardwareProfile: string | null;
  readonly at: string;
}

/** How often and how long a release is held back. */
export interface ReleaseLimits {
  /** So long one that was not healthy is not tried again. */
  readonly denyMs: number;
  /** So many trials of one release may begin within {@link ReleaseLimits.withinMs}. */
  readonly tries: number;
  readonly withinMs: number;
}

/** More than the settings let begin. */
const mostRemembered = 50;

export const noReleases: Releases = { tries: [], denied: [] };

/** The releases after a record that led from one state to another. */
export function followReleases(
  releases: Releases,
  record: StepRecord,
  {
    state,
    ended,
    left,
  }: {
    readonly state: TransactionState;
    readonly ended: EndedTrial | undefined;
    /** The trial by which what ran before that one had been committed. */
    readonly left: EndedTrial | undefined;
  },
): Releases {
  const begins = record.kind === "intent" && (record.step === "try" || record.step === "prepare");
  if (begins && "attempt" in state && state.attempt === record.data) {
    const begun = { ...subjectOf(record.data), at: record.at };
    return { ...releases, tries: [...releases.tries, begun].slice(-mostRemembered) };
  }
  if (record.kind === "intent" && record.step === "conclude" && !record.data.conclusive) {
    return without(releases, (one) => one.transaction === record.txn);
  }
  if (ended === undefined) return releases;
  const after = withEnd(releases, ended);
  const isLeft = ended.outcome === "committed" && ended.attempt.closure.reason.by === "repair";
  return isLeft && left !== undefined ? withLeft(after, ended, left) : after;
}

/** What was left because it is damaged is held back as what was not healthy. */
function withLeft(
  releases: Releases,
  { txn, at, attempt }: EndedTrial,
  left: EndedTrial,
): Releases {
  const { why } = attempt.closure.reason;
  return deny(releases, { ...subjectOf(left.attempt), transaction: txn, at, reasons: [why] });
}

function withEnd(releases: Releases, trial: EndedTrial): Releases {
  const subject = subjectOf(trial.attempt);
  const ofIt = (one: Try | DeniedRelease) => isSame(one, subject);
  if (trial.outcome === "committed") {
    const tries = releases.tries.filter((one) => !ofIt(one));
    return { ...without(releases, ofIt), tries };
  }
  if (!trial.blamed) return releases;
  const { txn: transaction, at, reasons } = trial;
  return deny(releases, { ...subject, transaction, at, reasons });
}

function deny(releases: Releases, denial: DeniedRelease): Releases {
  const others = without(releases, (one) => isSame(one, denial));
  return { ...others, denied: [...others.denied, denial].slice(-mostRemembered) };
}

function without(releases: Releases, drop: (one: DeniedRelease) => boolean): Releases {
  return { ...releases, denied: releases.denied.filter((one) => !drop(one)) };
}

type Subject = Pick<Try, "release" | "hardwareProfile">;

function subjectOf({ closure }: Attempt): Subject {
  const { sourcesDigest, toplevel, reason } = closure;
  return subject(sourcesDigest ?? toplevel, reason);
}

function subject(release: string, { hardwareProfile = null }: ChangeReason): Subject {
  return { release, hardwareProfile };
}

function isSame(one: Subject, other: Subject): boolean {
  return one.release === other.release && one.hardwareProfile === other.hardwareProfile;
}

/** Whether a release is the one that is asked for; on whatever hardware where that is not known. */
export function isWanted(one: Subject, { sourcesDigest, hardwareProfile }: Wanted): boolean {
  const isOfHardware = hardwareProfile === undefined || one.hardwareProfile === hardwareProfile;
  return one.release === sourcesDigest && isOfHardware;
}

/**
 * Throws `system/release-denied` for a release that was not healthy here, `system/release-looping` for
 * one that began too often without an end. What a person asks for is always tried. A time that lies
 * ahead counts as one that is past: a clock that was wrong holds nothing back for years.
 */
export function checkRelease(
  { tries, denied }: Releases,
  asked: { readonly release: string; readonly reason: ChangeReason },
  { limits, nowMs }: { readonly limits: ReleaseLimits; readonly nowMs: number },
): void {
  const { release, reason } = asked;
  if (isOfPerson(reason)) return;
  const wanted = subject(release, reason);
  const since = (at: string) => Math.abs(nowMs - Date.parse(at));
  const denial = denied.find((one) => isSame(one, wanted) && since(one.at) < limits.denyMs);
  if (denial !== undefined) {
    throw new Fault(
      "system/release-denied",
      `this release was taken back in ${denial.transaction} (${denial.reasons.join("; ")}); it is not tried again before ${untilOf(denial, limits)}`,
    );
  }
  const recent = tries.filter((one) => isSame(one, wanted) && since(one.at) < limits.withinMs);
  if (recent.length < limits.tries) return;
  throw new Fault(
    "system/release-looping",
    `${recent.length} trials of this release began since ${recent[0]?.at}, and none came to a good end`,
  );
}

/**
 * Throws `system/release-denied` for a system that was booted and was not well, or did not come up, and was
 * left for that within the time for which a release is held back: whatever it was made from, and whoever has
 * forgotten that. What a person asks for is always tried, and so is what damage leads back to.
 */
export function checkSystem(
  { proof, ended }: Pick<Ledger, "proof" | "ended">,
  { toplevel, reason }: Pick<Closure, "toplevel" | "reason">,
  { limits, nowMs }: { readonly limits: ReleaseLimits; readonly nowMs: number },
): void {
  if (isOfPerson(reason) || reason.by === "repair") return;
  if (proof === null || !proof.failed.includes(toplevel)) return;
  const leaving = leavingOf(ended, toplevel);
  if (leaving === undefined || Math.abs(nowMs - Date.parse(leaving.at)) >= limits.denyMs) return;
  const { txn, attempt } = leaving;
  const why = attempt.left === toplevel ? attempt.closure.reason.why : "it was booted and not well";
  throw new Fault(
    "system/release-denied",
    `${toplevel} was left in ${txn} (${why}); it is not tried again before ${untilOf(leaving, limits)}`,
  );
}

/** The commit by which a system was left, after the last one of its own where that is known. */
function leavingOf(ended: readonly EndedTrial[], toplevel: string): EndedTrial | undefined {
  const committed = ended.filter(({ outcome }) => outcome === "committed");
  const own = committed.findLastIndex(({ attempt }) => attempt.closure.toplevel === toplevel);
  const since = committed.slice(own + 1);
  const first = own === -1 ? undefined : since[0];
  return since.find(({ attempt }) => attempt.left === toplevel) ?? first;
}

function isOfPerson({ by }: ChangeReason): boolean {
  return by === "apply" || by === "rollback";
}

/** So many trials of a release have begun and come to no good end, this one among them. */
export function triesOf({ tries }: Releases, attempt: Attempt): number {
  return tries.filter((one) => isSame(one, subjectOf(attempt))).length;
}

/** The releases that are held back now. */
export function heldBack(
  { denied }: Releases,
  { limits, nowMs }: { readonly limits: ReleaseLimits; readonly nowMs: number },
): readonly HeldRelease[] {
  const held = denied.filter((one) => Math.abs(nowMs - Date.parse(one.at)) < limits.denyMs);
  return held.map((one) => ({ ...one, until: untilOf(one, limits) }));
}

function untilOf({ at }: Pick<DeniedRelease, "at">, { denyMs }: ReleaseLimits): string {
  return new Date(Date.parse(at) + denyMs).toISOString();
}
