import type { EndedTrial } from "./ended-trials.ts";
import type { Attempt, StepRecord, SystemLink } from "./journal-record.ts";
import type { BootProof } from "./system.ts";

/** A {@link BootProof}, with the boot in which its system was tried. */
export interface Proof extends BootProof {
  /** Not that of the end of the commit: a power cut may lie between, and then the next boot is the first. */
  readonly bootId: string;
  /** Systems that were booted, were not well, and were left since: nobody goes back to them unasked. */
  readonly failed: readonly string[];
}

const mostFailed = 20;

/** So often a system that is booted and not well is looked at. */
const mostFailures = 3;

/** The proof after a record, and after the trial that it ended, which was made in the boot `triedIn`. */
export function followProof(
  proof: Proof | null,
  record: StepRecord,
  ended: EndedTrial | undefined,
  triedIn: string,
): Proof | null {
  if (ended?.outcome === "committed" && ended.generation !== null) {
    const { txn, attempt, generation } = ended;
    return proofAfter(proof, { txn, attempt, generation, bootId: triedIn });
  }
  const isProof = record.step === "prove" && record.kind === "result" && record.data.ok;
  if (!isProof || proof === null || record.txn !== proof.transaction) return proof;
  return record.data.value.healthy
    ? { ...proof, proved: true }
    : { ...proof, failures: proof.failures + 1 };
}

/** A commit, as far as it matters for what is proved. */
export interface ProofSubject {
  readonly txn: string;
  readonly attempt: Attempt;
  readonly generation: number;
  readonly bootId: string;
}

/**
 * The proof after a commit. A system that was tried by a restart has been booted, and so has the one
 * that was good before, and one that was booted in place of a first boot; what was good stays known.
 */
export function proofAfter(
  before: Proof | null,
  { txn, attempt, generation, bootId }: ProofSubject,
): Proof {
  const { closure, once, left } = attempt;
  const { toplevel } = closure;
  const failed = failedAfter(before, attempt);
  if (before?.toplevel === toplevel && before.proved) return { ...before, generation, failed };
  return {
    transaction: txn,
    toplevel,
    generation,
    // Another kernel that was started by this one says nothing of the boot loader.
    proved:
      left !== undefined || (once === null ? wasGood(before, toplevel) : once.loader !== "kexec"),
    failures: 0,
    previousGood: goodBefore(before, attempt, generation),
    bootId,
    failed,
  };
}

/** What a commit leaves behind as failed: a system that was booted and not well, or whose first boot was left. */
function failedAfter(before: Proof | null, { closure, left }: Attempt): readonly string[] {
  const wasSick = before !== null && before.failures > 0 && !before.proved;
  const failed = [
    ...(before?.failed ?? []),
    ...(wasSick ? [before.toplevel] : []),
    ...(left === undefined ? [] : [left]),
  ];
  return [...new Set(failed)].filter((system) => system !== closure.toplevel).slice(-mostFailed);
}

/**
 * The system that was good by a boot of its own when this one was tried. An attempt of an earlier version
 * does not say it: then a boot default that somebody made since, and that is not what was booted, is not known
 * as that.
 */
function goodBefore(
  before: Proof | null,
  { closure, profile, booted, left, back }: Attempt,
  generation: number,
): SystemLink {
  if (back !== undefined) return back;
  if (before !== null && !before.proved) return before.previousGood;
  if (left !== undefined) return { toplevel: closure.toplevel, generation };
  if (booted === undefined || profile.toplevel === before?.toplevel) return profile;
  if (before !== null) return { toplevel: before.toplevel, generation: before.generation };
  return booted.generation === null ? profile : booted; // without one the loader has no entry of it
}

/** Whether a system would be proved by a commit alone: it is what was good last. */
export function isGoodAgain(before: Proof | null, toplevel: string): boolean {
  return wasGood(before, toplevel) || (before?.proved === true && before.toplevel === toplevel);
}

/** Whether a system is the one that an unproved one is gone back from. */
function wasGood(before: Proof | null, toplevel: string): boolean {
  return before !== null && !before.proved && before.previousGood.toplevel === toplevel;
}

/** What is to be proved in this boot: the committed system, where the machine was booted with it since. */
export function unproved(
  proof: Proof | null,
  now: { readonly booted: string | null; readonly running: string | null; readonly bootId: string },
): BootProof | null {
  if (proof === null || proof.proved || proof.failures >= mostFailures) return null;
  const { toplevel, bootId } = proof;
  const isBooted = now.bootId !== bootId && now.booted === toplevel && now.running === toplevel;
  return isBooted ? toBootProof(proof) : null;
}

/** Without what only the journal needs. */
export function toBootProof({ bootId: _, failed: __, ...proof }: Proof): BootProof {
  return proof;
}
