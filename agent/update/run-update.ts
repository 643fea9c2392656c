import type { Code } from "#core/codes.ts";
import { durationMs } from "#core/duration.ts";
import { describeFault, Fault, type FaultRecord, isFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { Assignment } from "#protocol/trust/assignment.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import { exitCodeOfFault, exitCodes, type Outcome } from "../outcome.ts";
import {
  type Assigned,
  checkPayload,
  readAssigned,
  readRelease,
  releaseName,
} from "./assignment.ts";
import { checkCompatible, checkDenied, type NodeKind } from "./compatible.ts";
import { followTrial, isTouched, settleByJournal, settleFirstBoot } from "./follow-trial.ts";
import { findInhibitors } from "./inhibitors.ts";
import { dropStaged, type KeptRelease, keepCommitted, readStaged } from "./kept-release.ts";
import { readLedger } from "./ledger.ts";
import { makeFor } from "./make-for.ts";
import { settleKept } from "./settle-kept.ts";
import { isClockTrusted, type Timing, timingOf } from "./timing.ts";
import type { Tracker } from "./tracker.ts";
import { effectOf, isOver } from "./transitions.ts";
import type { Update, UpdateEvent } from "./update-state.ts";
import { forgetWishes, readWish } from "./wishes.ts";

/** What working on an update takes; the command line builds it. */
export interface UpdateDeps {
  readonly io: Io;
  readonly log: Log;
  readonly settings: Settings;
  readonly system: SystemClient;
  readonly tracker: Tracker;
  /** Looks at the signed metadata again, as they lie on the disk. Throws what does not hold. */
  readonly verify: (assigned: Assigned) => Promise<void>;
  readonly nodeKind: () => Promise<NodeKind>;
  /** Brings the document of a release that did not come with the message, and keeps it. */
  readonly bring?: (assignment: Assignment) => Promise<string>;
  /** Goes the way from the release to a healthy generation, or back. */
  readonly make: Make;
  /**
   * Has `look` called whenever what is assigned, or asked by a person, may have changed; gives back what ends that.
   * Without it that is seen at the next step.
   */
  readonly onChange?: (look: () => void) => () => void;
  readonly signal?: AbortSignal;
}

/** Makes the machine what a release asks for; every end is an outcome. */
export type Make = (how: MakeHow) => Promise<Outcome>;

export interface MakeHow {
  /** Follows what is asked of it in the ledger. */
  readonly system: SystemClient;
  readonly release: Pick<KeptRelease, "release" | "document">;
  /** Of this update; `undefined` where another one was assigned meanwhile. */
  readonly assignment: Assignment | undefined;
}

/** How far it came. */
export interface UpdateRun {
  readonly update: Update;
  /** What it waits for; `undefined` where it is over, or there is none. */
  readonly waits?: {
    readonly why: string;
    /** When to look again; `null` where a person, the fleet or a boot comes first. */
    readonly afterMs: number | null;
  };
  /** The last outcome of making it. */
  readonly outcome?: Outcome;
  /** Whether the machine is to be restarted now. */
  readonly restart: boolean;
}

/** So often one is begun that what passes has kept. */
const maxAttempts = 5;
const firstAgainMs = 300_000;
/** So long a release is held back, where the settings do not say it. */
const defaultDenyMs = 86_400_000;
const inhibitedMs = 300_000;

/**
 * Works on the update until it is over or waits: looks at what was assigned, verifies it, waits for its time,
 * makes, tries and commits it or takes it back. Killed anywhere, the next start goes on by ledger and journal.
 * Throws `io/write-failed` and what reading the assignment throws.
 */
export async function runUpdate(d: UpdateDeps): Promise<UpdateRun> {
  let outcome: Outcome | undefined;
  let restart = false;
  for (;;) {
    d.signal?.throwIfAborted();
    const { io, tracker } = d;
    await settleTouched(d);
    const assigned = readAssigned(io.files);
    const update = tracker.update();
    const outside = outsideEvent(io, update, assigned);
    if (outside !== undefined && tracker.happen(outside)) continue;
    if (update.state === "ROLLBACK_FAILED") {
      const waits = await finishRollBack(d);
      if (waits !== undefined)
        return { update: tracker.update(), waits, restart, ...present(outcome) };
      if (tracker.update().state !== update.state) continue;
    }
    if (isOver(update.state)) {
      await settleKept(io, d.system);
      // Of a trial that the journal does not know the record is all that there is.
      if (update.state !== "ROLLBACK_FAILED") dropStaged(io);
      const received = receivedEvent(update, assigned);
      if (received === undefined) {
        forgetWishes(io);
        return { update: tracker.update(), restart, ...present(outcome) };
      }
      forgetOthers(io, received);
      happens(tracker, received);
      continue;
    }
    const step = await goOn(d, update, assigned);
    if (step.outcome !== undefined) outcome = step.outcome;
    restart = step.restart ?? step.outcome?.restart ?? restart;
    if (step.waits !== undefined)
      return { update: tracker.update(), waits: step.waits, restart, ...present(outcome) };
  }
}

/** Of an event that must fit here: one that does not would be asked for again without an end. */
function happens(tracker: Tracker, event: UpdateEvent): void {
  const { state } = tracker.update();
  if (!tracker.happen(event)) throw new Error(`an update in ${state} takes no event ${event.name}`);
}

function present(outcome: Outcome | undefined): Pick<UpdateRun, "outcome"> {
  return outcome === undefined ? {} : { outcome };
}

/** What was asked of another update is not asked of this one. */
function forgetOthers(io: Io, { update }: UpdateEvent): void {
  const names = ["approve", "cancel", "pause"] as const;
  if (!names.some((name) => readWish(io.files, name, update?.updateId ?? null))) forgetWishes(io);
}

/** By the journal, where a process before this one left the trial. */
async function settleTouched({ io, tracker, system }: UpdateDeps): Promise<void> {
  const update = tracker.update();
  if (update.state === "SUCCEEDED") settleFirstBoot(tracker, (await system.history()).trials);
  if (!isTouched(update)) return;
  const [{ trials }, status] = [await system.history(), await system.status()];
  const isOpen = status.transaction === update.transaction && status.state !== "built";
  settleByJournal({ io, tracker }, { trials, isOpen });
}

/** What the fleet or a person wants of an update that is under way. */
function outsideEvent(
  { files }: Io,
  update: Update,
  assigned: Assigned | undefined,
): UpdateEvent | undefined {
  if (isOver(update.state)) return undefined;
  const { updateId } = update;
  const cancel = readWish(files, "cancel", updateId);
  if (cancel !== undefined)
    return { name: "cancel", reason: `called off by ${cancel.by}`, code: "update/canceled" };
  const wanted = assigned?.assignment ?? undefined;
  if (wanted === undefined)
    return { name: "cancel", reason: "the fleet assigns it no longer", code: "update/canceled" };
  if (!isSame(update, wanted)) {
    const what = `${wanted.updateId} with ${wanted.release.path}`;
    return { name: "supersede", reason: `${what} was assigned since` };
  }
  const pause = readWish(files, "pause", updateId);
  if (pause !== undefined && update.state !== "PAUSED")
    return { name: "pause", reason: `by ${pause.by}` };
  return pause === undefined && update.state === "PAUSED" ? { name: "resume" } : undefined;
}

/** The same release under the same id; when and how it may begin is read anew each time. */
function isSame(update: Update, { updateId, release }: Assignment): boolean {
  return update.updateId === updateId && update.release?.sha256 === release.sha256;
}

function receivedEvent(update: Update, assigned: Assigned | undefined): UpdateEvent | undefined {
  const assignment = assigned?.assignment;
  if (assignment == null || isSame(update, assignment)) return undefined;
  const { updateId } = assignment;
  return { name: "received", update: { updateId, release: releaseName(assignment) } };
}

type Step = Pick<UpdateRun, "waits" | "outcome"> & Partial<Pick<UpdateRun, "restart">>;

/** Does what the state asks for. */
async function goOn(d: UpdateDeps, update: Update, assigned: Assigned | undefined): Promise<Step> {
  if (update.state === "PAUSED")
    return { waits: { why: update.reason ?? "paused", afterMs: null } };
  const effect = effectOf(update.state);
  if (effect === "take-back") return takeBack(d);
  if (isTouched(update)) return make(d, assigned);
  if (assigned?.assignment == null) throw new Error("an update that nobody assigned is called off");
  const given = { ...assigned, assignment: assigned.assignment };
  switch (effect) {
    case "examine":
      return examine(d, given);
    case "ask-approval":
      return askApproval(d);
    case "await-time":
      return awaitTime(d, given);
    case "hold":
      return hold(d, given);
    default:
      return make(d, given);
  }
}

type Given = Assigned & { readonly assignment: Assignment };

/**
 * Newer signatures, or a clock that is set, come by themselves; those that lie there are older than what is believed
 * only until the message that said so is stored.
 */
const healedByTime: readonly Code[] = ["trust/clock-untrusted", "trust/expired", "trust/rollback"];

/** Everything that can be said of a release before anything is made of it. */
async function examine(d: UpdateDeps, assigned: Given): Promise<Step> {
  const { io, tracker, system, settings } = d;
  tracker.happen({ name: "verify" });
  try {
    await d.verify(assigned);
    const release = await readRelease(await withDocument(d, assigned));
    checkCompatible(assigned.assignment, await d.nodeKind());
    const { denied } = await system.history();
    checkDenied(assigned.assignment, {
      ...{ records: readLedger(io.files).records, denied, nowMs: io.clock.now() },
      denyMs: durationMs(settings.trial?.denyFor, defaultDenyMs),
    });
    await checkPayload(release);
    await timing(d, assigned.assignment); // whether its windows can be read
  } catch (error) {
    if (!isFault(error)) throw error;
    const passes = healedByTime.includes(error.code) || isPassing(error);
    if (passes) return { waits: { why: error.message, afterMs: firstAgainMs } };
    happens(tracker, { name: "rejected", reason: error.message, code: error.code });
    return {};
  }
  const asks = assigned.assignment.update.approval === true || settings.update?.approval === true;
  happens(tracker, asks ? { name: "asks" } : { name: "verified" });
  return {};
}

/** Why what is assigned counts no more, by what is signed and believed now; `undefined` where it does. */
async function whyNotSigned(d: UpdateDeps, assigned: Assigned): Promise<Fault | undefined> {
  try {
    await d.verify(assigned);
    return undefined;
  } catch (error) {
    if (!isFault(error)) throw error;
    return error;
  }
}

/** Before it goes on after it waited: what was signed may have expired since. Then it is examined anew. */
async function mustBeExamined(d: UpdateDeps, assigned: Assigned): Promise<boolean> {
  const fault = await whyNotSigned(d, assigned);
  if (fault === undefined) return false;
  happens(d.tracker, { name: "verify", reason: fault.message, code: fault.code });
  return true;
}

/** With its document, from wherever that is; without one where nobody may be asked. */
async function withDocument({ bring }: UpdateDeps, assigned: Given): Promise<Given> {
  const { assignment, documents } = assigned;
  const { path } = assignment.release;
  if (documents[path] !== undefined || bring === undefined) return assigned;
  return { ...assigned, documents: { ...documents, [path]: await bring(assignment) } };
}

function askApproval({ io, tracker }: UpdateDeps): Step {
  const wish = readWish(io.files, "approve", tracker.update().updateId);
  if (wish !== undefined) {
    happens(tracker, { name: "approved", reason: `by ${wish.by}` });
    return {};
  }
  return { waits: { why: "a person's approval", afterMs: null } };
}

function timing({ io, settings }: UpdateDeps, { update }: Assignment): Promise<Timing> {
  return isClockTrusted(io).then((clockTrusted) =>
    timingOf({
      ...{ update, clockTrusted, nowMs: io.clock.now() },
      windows: settings.update?.windows ?? [],
      withoutClock: settings.update?.withoutClock ?? "wait",
    }),
  );
}

/** Waits for its time, and for what passes after an attempt that it kept. */
async function awaitTime(d: UpdateDeps, given: Given): Promise<Step> {
  const { io, tracker } = d;
  const found = await mayBegin(d, given.assignment);
  if (found.kind === "expired") {
    tracker.happen({ name: "expire", reason: found.why, code: "update/expired" });
    return {};
  }
  if (found.kind === "later") return { waits: found };
  const { attempt, since, reason, code } = tracker.update();
  // Without a code nothing went wrong with it: its process was killed, or it is made anew.
  const againMs = code === null ? 0 : firstAgainMs * 3 ** Math.max(0, attempt - 1);
  const passedMs = Math.abs(io.clock.now() - Date.parse(since ?? ""));
  if (passedMs < againMs)
    return { waits: { why: reason ?? "it is tried again", afterMs: againMs - passedMs } };
  if (!(await mustBeExamined(d, given))) happens(tracker, { name: "due" });
  return {};
}

/** Made already, and kept from being tried: made again only when it may be. */
async function hold(d: UpdateDeps, given: Given): Promise<Step> {
  const found = await mayBegin(d, given.assignment);
  if (found.kind === "now") return (await mustBeExamined(d, given)) ? {} : make(d, given);
  if (found.kind === "later") return { waits: found };
  d.tracker.happen({ name: "expire", reason: found.why, code: "update/expired" });
  return {};
}

/** Its time, then what keeps it; what is urgent is kept by nothing of the two. */
async function mayBegin(d: UpdateDeps, assignment: Assignment): Promise<Timing> {
  const found = await timing(d, assignment);
  if (found.kind !== "now" || assignment.update.urgent === true) return found;
  const inhibitors = await findInhibitors(d.io, d.settings.update?.inhibit ?? []);
  if (inhibitors.length === 0) return found;
  const why = inhibitors.map((one) => one.why).join("; ");
  return { kind: "later", afterMs: inhibitedMs, why };
}

/** Goes the way of the system, from wherever it was left. */
async function make(d: UpdateDeps, assigned: Assigned | undefined): Promise<Step> {
  const { io, tracker } = d;
  const update = tracker.update();
  const wanted = assigned?.assignment ?? undefined;
  const current = wanted !== undefined && isSame(update, wanted) ? assigned : undefined;
  const staged = readStaged(io.files);
  const isStaged = isTouched(update) && staged !== undefined;
  const release = isStaged ? staged : documentOf(current);
  if (release === undefined) {
    await d.system.recover();
    await settleTouched(d);
    if (isTouched(update) && !isTouched(tracker.update())) return {};
    return { waits: { why: "what it was made from is not there any more", afterMs: inhibitedMs } };
  }
  const assignment = current?.assignment ?? undefined;
  const followed = followTrial(d.system, d);
  const mayTry = () => whyNotNow(d, assignment);
  const endOf = (fault: FaultRecord) => endOfFault(fault, tracker.update());
  const off = new AbortController();
  const stopLooking = d.onChange?.(() => callOff(d, off));
  const calledOff = off.signal;
  const system = makeFor(followed, { io, tracker, release, mayTry, calledOff, endOf });
  try {
    const outcome = await d.make({ system, release, assignment });
    return await afterMake(d, outcome, release);
  } finally {
    stopLooking?.();
  }
}

/** Ends what is made at once where nobody wants it any more. */
function callOff({ io, log, tracker }: UpdateDeps, off: AbortController): void {
  if (off.signal.aborted) return;
  try {
    const outside = outsideEvent(io, tracker.update(), readAssigned(io.files));
    if (outside?.name !== "cancel" && outside?.name !== "supersede") return;
    log.info("update.called-off", { reason: outside.reason });
    off.abort(new Fault("update/held", outside.reason ?? outside.name));
  } catch (error) {
    const { code, message } = describeFault(error);
    log.warning("update.not-looked", { code, message });
  }
}

function documentOf(assigned: Assigned | undefined): MakeHow["release"] | undefined {
  if (assigned?.assignment == null) return undefined;
  const { path } = assigned.assignment.release;
  const document = assigned.documents[path];
  return document === undefined
    ? undefined
    : { release: releaseName(assigned.assignment), document };
}

/** Why it must not be activated now, asked at the last moment before; `undefined` where it may. */
async function whyNotNow(
  d: UpdateDeps,
  assignment: Assignment | undefined,
): Promise<string | undefined> {
  const assigned = readAssigned(d.io.files);
  const outside = outsideEvent(d.io, d.tracker.update(), assigned);
  if (outside !== undefined) return outside.reason ?? outside.name;
  if (assigned === undefined || assignment === undefined) return "it is assigned no longer";
  const fault = await whyNotSigned(d, assigned);
  if (fault !== undefined) return fault.message;
  const found = await mayBegin(d, assignment);
  return found.kind === "now" ? undefined : found.why;
}

/** What an outcome means for an update whose way came to no end of its own. */
async function afterMake(
  d: UpdateDeps,
  outcome: Outcome,
  release: MakeHow["release"],
): Promise<Step> {
  const { io, tracker } = d;
  await settleTouched(d);
  const update = tracker.update();
  const { fault } = outcome;
  if (isOver(update.state)) return { outcome };
  if (outcome.outcome === "rebooting" || outcome.restart)
    return { outcome, waits: { why: "a restart of the machine", afterMs: null } };
  if (isTouched(update)) {
    const why = fault?.message ?? outcome.message;
    return { outcome, waits: { why, afterMs: inhibitedMs } };
  }
  if (fault?.code === "update/held") return { outcome, ...(await waitsWhileHeld(d)) };
  if (fault?.code === "update/canceled") return { outcome };
  if (outcome.outcome === "unchanged" && update.updateId !== null) {
    const transaction = outcome.lastTrial ?? "none";
    keepCommitted(io, { v: 1, updateId: update.updateId, ...release, transaction });
    tracker.happen({ name: "unchanged", reason: outcome.message, ...runs(outcome) });
    return { outcome };
  }
  tracker.happen(endOf(outcome, update));
  return { outcome };
}

/** What a fault means that came before anything was changed. */
function endOfFault(fault: FaultRecord, { attempt }: Update): UpdateEvent {
  const said = { reason: fault.message, code: fault.code };
  return { name: isPassing(fault) && attempt < maxAttempts ? "again" : "failed", ...said };
}

function runs({ toplevel }: Outcome): Pick<UpdateEvent, "toplevel"> {
  return toplevel === null ? {} : { toplevel };
}

/** What keeps it may be an event that the next round takes up. */
async function waitsWhileHeld(d: UpdateDeps): Promise<Step> {
  const assigned = readAssigned(d.io.files);
  if (outsideEvent(d.io, d.tracker.update(), assigned) !== undefined) return {};
  if (assigned?.assignment == null || (await mustBeExamined(d, assigned))) return {};
  const found = await mayBegin(d, assigned.assignment);
  if (found.kind === "later") return { waits: found };
  if (found.kind === "expired")
    d.tracker.happen({ name: "expire", reason: found.why, code: "update/expired" });
  return {};
}

function endOf(outcome: Outcome, update: Update): UpdateEvent {
  const { fault, message } = outcome;
  // Of a change that was begun by somebody else: now it is the update's turn.
  if (outcome.outcome === "committed" || outcome.outcome === "rolled-back")
    return { name: "again" };
  const said = { reason: message, ...(fault === null ? {} : { code: fault.code }) };
  if (outcome.outcome === "invalid" || outcome.outcome === "refused" || outcome.outcome === "held")
    return { name: "rejected", ...said };
  if (fault?.code === "update/closure-differs") return { name: "rejected", ...said };
  return fault === null ? { name: "failed", ...said } : endOfFault(fault, update);
}

function isPassing(fault: Pick<FaultRecord, "code">): boolean {
  return exitCodeOfFault(fault) === exitCodes.tryAgain;
}

/** Goes back to the system from before; no judge is asked. */
async function takeBack(d: UpdateDeps): Promise<Step> {
  const recovery = await d.system.recover();
  await settleTouched(d);
  if (isOver(d.tracker.update().state)) return {};
  if (recovery.state === "restart") {
    d.tracker.note({ name: "restart-back" });
    return { waits: { why: "a restart of the machine", afterMs: null }, restart: true };
  }
  const reason = recovery.fault?.message ?? recovery.details.join("; ");
  d.tracker.note({ name: "stuck", reason, code: "update/roll-back-failed" });
  return {};
}

/**
 * Finishes a way back that was stuck, where that can be done by now; what it waits for where it cannot. The
 * restart that this may take is left to a person: the last one did not help.
 */
async function finishRollBack(d: UpdateDeps): Promise<UpdateRun["waits"]> {
  const { state, fault, details } = await d.system.recover();
  await settleTouched(d);
  if (d.tracker.update().state !== "ROLLBACK_FAILED") return undefined;
  if (fault === null && state !== "restart" && state !== "trial") return undefined;
  if (state === "restart") return { why: "a restart of the machine", afterMs: null };
  return { why: fault?.message ?? details.join("; "), afterMs: inhibitedMs };
}
