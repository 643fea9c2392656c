import { isGoodAgain } from "./boot-proof.ts";
import { needsFirstBoot, noBack } from "./first-boot.ts";
import type { SystemLink } from "./journal-record.ts";
import type { Ledger } from "./ledger.ts";
import { generationOf, type Work } from "./work.ts";

/** Where no system is left that a first boot could go back to. */
const nothing: SystemLink = { toplevel: null, generation: null };

type Known = Pick<Ledger, "proof" | "ended">;

/**
 * The system that the first boot of another one goes back to, before that is tried: what was booted, else
 * what was proved last, else the boot default. None that failed, or that is still to have a first boot of
 * its own, and only one that a generation has and that is in the store: of another the loader has no entry.
 * Both are `null` where none is left.
 */
export function firstBootBack(work: Work, toplevel: string, known: Known): SystemLink {
  const { machine } = work;
  const { proof } = known;
  const proved = proof?.proved === false ? proof.previousGood.toplevel : proof?.toplevel;
  const wanted = [machine.booted(), proved, machine.profile().toplevel];
  for (const system of wanted) {
    if (system == null || system === toplevel || isDoubtful(system, known)) continue;
    const generation = generationOf(work, system);
    if (generation !== null && machine.inStore(system)) return { toplevel: system, generation };
  }
  return nothing;
}

/** Whether a system failed, or was committed after the one that was proved last. */
function isDoubtful(system: string, { proof, ended }: Known): boolean {
  if (proof === null) return false;
  if (proof.failed.includes(system)) return true;
  if (proof.proved) return false;
  const { toplevel, generation: since } = proof.previousGood;
  if (system === proof.toplevel) return true;
  // One that kexec started may be what was booted, and has met no boot loader.
  return ended.some(
    ({ outcome, attempt, generation }) =>
      outcome === "committed" &&
      attempt.closure.toplevel === system &&
      system !== toplevel &&
      (generation ?? 0) > (since ?? 0),
  );
}

/** Why the first boot of a system has nothing to go back to; `null` where it has, or where none is to come. */
export function whyNoBack(work: Work, toplevel: string, known: Known): string | null {
  if (isGoodAgain(known.proof, toplevel) || !needsFirstBoot(work, toplevel)) return null;
  const { toplevel: back } = firstBootBack(work, toplevel, known);
  return back === null ? noBack : null;
}
