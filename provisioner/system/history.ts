import { Fault } from "#core/fault.ts";
import { toBootProof } from "./boot-proof.ts";
import { newTransaction } from "./build.ts";
import { committedAs, type EndedTrial, sourcesOf } from "./ended-trials.ts";
import type { Generation } from "./generations.ts";
import { readJournal } from "./journal.ts";
import type { Ledger } from "./ledger.ts";
import { pinnedGenerations } from "./pinned-generations.ts";
import { isPublished } from "./publish.ts";
import { readGenerationRecord } from "./read-generation-record.ts";
import { heldBack } from "./releases.ts";
import { wantsRestart } from "./restart.ts";
import { isRetrySet } from "./retry-lines.ts";
import type {
  ChangeReason,
  Closure,
  GenerationRecord,
  History,
  Running,
  TrialRecord,
} from "./system.ts";
import { hasAttempt } from "./transaction-state.ts";
import { generationOf, type Work } from "./work.ts";

/** So many trials that never became a generation are shown. */
const maxRolledBack = 50;

/** Generations and trials, oldest first, from the profile's links and the journal. */
export function history(work: Work): History {
  const { ended: trials, proof, releases } = readLedger(work);
  const running = work.machine.running();
  const profile = work.machine.profile();
  const pinned = new Set(pinnedGenerations(work).map(({ generation }) => generation));
  const previous = findPreviousGood(work)?.generation;
  const all = work.machine.generations();
  const runs = generationOf(work, running);
  const generations = all.map((made): GenerationRecord => {
    const trial = trials.findLast(
      (t) => t.generation === made.generation && t.attempt.closure.toplevel === made.toplevel,
    );
    return {
      generation: made.generation,
      toplevel: made.toplevel,
      sourcesDigest: trial?.attempt.closure.sourcesDigest ?? null,
      at: trial?.at ?? new Date(made.madeMs).toISOString(),
      running: made.generation === runs,
      bootDefault: made.generation === profile.generation,
      previousGood: made.generation === previous,
      pinned: pinned.has(made.generation),
      release: releaseOf(work, made.toplevel),
      outcome: trial?.outcome ?? "foreign",
      reason: trial?.attempt.closure.reason ?? null,
      verdict: trial?.verdict ?? null,
      conclusive: trial === undefined ? null : isConclusive(trial),
      reasons: trial === undefined ? [] : reasonsOf(trial),
    };
  });
  const rolledBack = trials
    .filter((trial) => trial.outcome === "rolled-back" && trial.generation === null)
    .slice(-maxRolledBack)
    .map(neverGeneration);
  const byTime = (a: GenerationRecord, b: GenerationRecord) =>
    (a.at ?? "").localeCompare(b.at ?? "", "en");
  return {
    generations: [...generations, ...rolledBack].sort(byTime),
    trials: trials.map(toTrialRecord),
    boot: proof === null ? null : toBootProof(proof),
    denied: heldBack(releases, { limits: work.settings.limits, nowMs: work.io.clock.now() }),
  };
}

function isConclusive({ outcome, blamed }: EndedTrial): boolean {
  return outcome === "committed" || blamed;
}

function reasonsOf({ reasons, verdict, incomplete }: EndedTrial): readonly string[] {
  const why = reasons.length > 0 ? reasons : (verdict?.reasons ?? []);
  return incomplete === undefined ? why : [...why, `not done: ${incomplete}`];
}

/** How a trial ended. */
export function toTrialRecord(trial: EndedTrial): TrialRecord {
  const { txn, outcome, attempt, verdict, generation } = trial;
  const { closure, previous } = attempt;
  return {
    transaction: txn,
    by: closure.reason.by,
    result: outcome,
    toplevel: closure.toplevel,
    generation: outcome === "committed" ? generation : previous.generation,
    verdict,
    reasons: reasonsOf(trial),
    ...(closure.reason.notBuilt === undefined ? {} : { notBuilt: closure.reason.notBuilt }),
    ...(trial.attempt.left === undefined ? {} : { left: trial.attempt.left }),
  };
}

/** What runs, and whether it and the boot default were made from these sources; no process. */
export function runs(work: Work, release: string): Running {
  const toplevel = work.machine.running();
  const profile = work.machine.profile();
  const { ended: trials, state, proof } = readLedger(work);
  const last = lastCommitted(trials);
  const { closure, planDigest = null } = last?.attempt ?? {};
  const same =
    toplevel !== null &&
    closure !== undefined &&
    isOf(closure, release) &&
    closure.toplevel === toplevel &&
    profile.toplevel === toplevel;
  const chosen = same ? null : chosenByPerson(work, trials);
  return {
    runs: same,
    planDigest: same ? planDigest : null,
    generation: profile.generation,
    toplevel,
    sourcesDigest: sourcesOf(trials, toplevel),
    bootProved: proof?.toplevel === profile.toplevel ? proof.proved : null,
    restart: wantsRestart(state, work.machine.bootId),
    chosen,
    incomplete: undoneOf(work, last),
    overruled: chosen !== null && isOverruled(trials, release, toplevel),
    retries: isRetrySet(work.io.files),
    lastTrial: trials.at(-1)?.txn ?? null,
  };
}

/** What the commit of the boot default left undone, as far as nobody has done it since. */
function undoneOf({ io, paths, machine }: Work, last: EndedTrial | undefined): string | null {
  const { attempt, incomplete = null } = last ?? {};
  if (attempt === undefined || attempt.closure.toplevel !== machine.profile().toplevel) return null;
  return isPublished(io.files, paths, attempt.closure.sourcesDigest) ? null : incomplete;
}

/** Whether a system is the one that is asked for: by the digest of its sources, or by its store path. */
function isOf({ sourcesDigest, toplevel }: Closure, release: string): boolean {
  return sourcesDigest === release || toplevel === release;
}

/** What asks for what the datasource, or the fleet, asks for. */
const byItself: readonly ChangeReason["by"][] = ["boot", "apply", "update"];

/** What a person runs in place of what was committed last, or went back to. */
export function chosenByPerson(work: Work, trials: readonly EndedTrial[]): string | null {
  const { machine } = work;
  const running = machine.running();
  const last = lastCommitted(trials);
  if (running === null || last === undefined) return null;
  const { toplevel, reason } = last.attempt.closure;
  const byHand = defaultByHand(work, last);
  if (byHand !== null) return byHand;
  if (running === toplevel) {
    if (reason.by === "repair") return chosenBeforeRepair(work, trials);
    return byItself.includes(reason.by) ? null : `${reason.by}: ${reason.why}`;
  }
  const name = nameOf(work, running);
  if (machine.booted() === running && machine.profile().toplevel !== running) {
    return `${name} was chosen when the machine was booted`;
  }
  return `${name} was activated by hand`;
}

/** Another system that somebody made the boot default since; a power cut may take it back to what it was before. */
function defaultByHand(work: Work, { attempt }: EndedTrial): string | null {
  const { toplevel } = work.machine.profile();
  const { state } = readLedger(work);
  const open = hasAttempt(state) ? state.attempt.closure.toplevel : null;
  const known = [attempt.closure.toplevel, attempt.profile.toplevel, open];
  if (toplevel === null || known.includes(toplevel)) return null;
  if (work.machine.running() !== attempt.closure.toplevel) return null;
  return `${nameOf(work, toplevel)} was made the boot default by hand`;
}

/** A repair goes back because it must: what had been chosen of the system that it left still counts. */
function chosenBeforeRepair(work: Work, trials: readonly EndedTrial[]): string | null {
  const committed = trials.filter(({ outcome }) => outcome === "committed");
  const before = committed.findLastIndex(({ attempt }) => attempt.closure.reason.by !== "repair");
  const left = committed[before + 1]?.attempt.previous.toplevel ?? null;
  const { toplevel, reason } = committed[before]?.attempt.closure ?? {};
  if (reason === undefined) return null;
  if (left !== null && left !== toplevel) return `${nameOf(work, left)} was activated by hand`;
  return byItself.includes(reason.by) ? null : `${reason.by}: ${reason.why}`;
}

function nameOf(work: Work, toplevel: string): string {
  const generation = generationOf(work, toplevel);
  return generation === null ? toplevel : `generation ${generation}`;
}

/**
 * Whether what a person chose came after the last trial of a release. Where that was committed and what ran
 * before it runs, this is not to be known: a power cut in the middle of the commit looks the same.
 */
function isOverruled(
  trials: readonly EndedTrial[],
  release: string,
  running: string | null,
): boolean {
  const last = trials.findLastIndex(({ attempt }) => isOf(attempt.closure, release));
  if (last === -1) return false;
  const isLeft = trials.slice(last + 1).some(({ outcome }) => outcome === "committed");
  return isLeft || trials[last]?.attempt.previous.toplevel !== running;
}

function lastCommitted(trials: readonly EndedTrial[]): EndedTrial | undefined {
  return trials.findLast((trial) => trial.outcome === "committed");
}

/**
 * The closure of a generation that exists: by number, or the newest one before the current that is
 * another system. Throws `system/generation-unknown`.
 */
export function closureOfGeneration(
  work: Work,
  number: number | null,
  reason: ChangeReason,
): { readonly closure: Closure; readonly judging: unknown } {
  const { toplevel } = number === null ? previousGood(work) : byNumber(work, number);
  return closureOf(work, toplevel, reason);
}

/** The closure of a system that was committed, or that firstlight did not make, and what judged it. */
export function closureOf(
  work: Work,
  toplevel: string,
  reason: ChangeReason,
): { readonly closure: Closure; readonly judging: unknown } {
  const attempt = committedAs(readTrials(work), toplevel)?.attempt;
  const closure = {
    transaction: newTransaction(work),
    toplevel,
    derivation: attempt?.closure.derivation ?? null,
    sourcesDigest: attempt?.closure.sourcesDigest ?? null,
    credentials: attempt?.closure.credentials ?? [],
    reason,
  };
  return { closure, judging: attempt?.judging ?? null };
}

function byNumber({ machine }: Work, number: number): Generation {
  const found = machine.generations().find((made) => made.generation === number);
  if (found !== undefined && machine.inStore(found.toplevel)) return found;
  throw noGeneration(machine, `there is no generation ${number} to go to`);
}

function noGeneration(machine: Work["machine"], message: string): Fault {
  if (machine.generations().length > 0) return new Fault("system/generation-unknown", message);
  return new Fault("system/generation-unknown", "there is no generation yet", {
    hint: "`firstlight apply` makes the first one",
  });
}

function previousGood(work: Work): Generation {
  const found = findPreviousGood(work);
  if (found !== undefined) return found;
  throw noGeneration(work.machine, "there is no earlier generation to go to");
}

/**
 * The newest generation before the current one that is another system, was not rolled back, was not left
 * because it is damaged and did not fail in a boot of its own.
 */
export function findPreviousGood(work: Work): Generation | undefined {
  const { machine } = work;
  const running = machine.running();
  const current = machine.profile().generation ?? Number.POSITIVE_INFINITY;
  const { ended, proof } = readLedger(work);
  const failed = new Set(proof?.failed);
  return machine
    .generations()
    .findLast(
      (made) =>
        made.generation < current &&
        made.toplevel !== running &&
        !failed.has(made.toplevel) &&
        !ended.some((trial) => isRolledBack(trial, made)) &&
        !isDamaged(ended, made) &&
        machine.inStore(made.toplevel),
    );
}

/** Whether a trial made this generation and was taken back; numbers can come again. */
export function isRolledBack(
  { outcome, generation, attempt }: EndedTrial,
  made: Generation,
): boolean {
  return (
    outcome === "rolled-back" &&
    generation === made.generation &&
    attempt.closure.toplevel === made.toplevel
  );
}

/** Whether a system was left because it is damaged, and was not committed again since. */
function isDamaged(trials: readonly EndedTrial[], { toplevel }: Generation): boolean {
  const last = trials.findLast(
    ({ outcome, attempt: { closure, previous } }) =>
      outcome === "committed" &&
      (closure.toplevel === toplevel ||
        (closure.reason.by === "repair" && previous.toplevel === toplevel)),
  );
  return last !== undefined && last.attempt.closure.toplevel !== toplevel;
}

/** The system that was good by a boot of its own, while the one after it is not proved; `null` when there is none. */
export function provedBefore(work: Work): string | null {
  const { proof } = readLedger(work);
  return proof === null || proof.proved ? null : proof.previousGood.toplevel;
}

function releaseOf({ storeFiles }: Work, toplevel: string): string | null {
  const record = readGenerationRecord(storeFiles, toplevel);
  return record === undefined || record === "unreadable" ? null : record.release;
}

function neverGeneration(trial: EndedTrial): GenerationRecord {
  const { attempt, at, verdict } = trial;
  const { toplevel, sourcesDigest, reason } = attempt.closure;
  return {
    generation: null,
    toplevel,
    sourcesDigest,
    at,
    running: false,
    bootDefault: false,
    previousGood: false,
    pinned: false,
    release: null,
    outcome: "rolled-back",
    reason,
    verdict,
    conclusive: isConclusive(trial),
    reasons: reasonsOf(trial),
  };
}

/** Every trial that has ended, oldest first. */
export function readTrials(work: Work): readonly EndedTrial[] {
  return readLedger(work).ended;
}

function readLedger({ io, paths }: Work): Ledger {
  return readJournal(io.files, paths.journal).ledger;
}
