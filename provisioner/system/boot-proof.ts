import type { EndedTrial } from "./ended-trials.ts";
import type { StepRecord } from "./journal-record.ts";
import type { BootProof } from "./system.ts";

/** A {@link BootProof}, with the boot in which its system was committed. */
export interface Proof extends BootProof {
  readonly bootId: string;
  /** Systems that were booted, were not well, and were left since: nobody goes back to them unasked. */
  readonly failed: readonly string[];
}

const mostFailed = 20;

/** So often a system that is booted and not well is looked at. */
const mostFailures = 3;

/** The proof after a record, and after the trial that it ended. */
export function followProof(
  proof: Proof | null,
  record: StepRecord,
  ended: EndedTrial | undefined,
): Proof | null {
  if (ended?.outcome === "committed" && ended.generation !== null) {
    return committed(proof, { ended, generation: ended.generation, bootId: record.bootId });
  }
  const isProof = record.step === "prove" && record.kind === "result" && record.data.ok;
  if (!isProof || proof === null || record.txn !== proof.transaction) return proof;
  return record.data.value.healthy
    ? { ...proof, proved: true }
    : { ...proof, failures: proof.failures + 1 };
}

/** A system that was tried by a restart has been booted; what was good before it stays known. */
function committed(
  before: Proof | null,
  {
    ended,
    generation,
    bootId,
  }: { readonly ended: EndedTrial; readonly generation: number; readonly bootId: string },
): Proof {
  const { closure, profile, once } = ended.attempt;
  const { toplevel } = closure;
  if (before?.toplevel === toplevel && before.proved) return { ...before, generation };
  const previousGood = before !== null && !before.proved ? before.previousGood : profile;
  const left = before !== null && before.failures > 0 && !before.proved ? [before.toplevel] : [];
  const failed = [...(before?.failed ?? []), ...left].filter((system) => system !== toplevel);
  return {
    transaction: ended.txn,
    toplevel,
    generation,
    // Another kernel that was started by this one says nothing of the boot loader.
    proved: once !== null && once.loader !== "kexec",
    failures: 0,
    previousGood,
    bootId,
    failed: [...new Set(failed)].slice(-mostFailed),
  };
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
