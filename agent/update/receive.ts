import { prettyJson } from "#core/canonical-json.ts";
import { describeFault, Fault, isFault } from "#core/fault.ts";
import { type Io, timestamp } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { NodeAddress } from "#protocol/topics.ts";
import { type Assignment, requireAllowed } from "#protocol/trust/assignment.ts";
import { verifyCommand } from "#protocol/trust/command.ts";
import { examine, type TrustContext } from "#protocol/trust/examine.ts";
import { readCommandMessage, readOffer } from "#protocol/trust/read-offer.ts";
import { knownNowMs } from "#protocol/trust/time.ts";
import { type TrustedState, type TrustedVersions, versionsOf } from "#protocol/trust/trusted.ts";
import { keepAssigned, readAssigned } from "./assigned-file.ts";
import { isClockSet } from "./clock-set.ts";
import { commandStore } from "./command-store.ts";
import { type TrustedStore, trustedStore } from "./trusted-store.ts";

/** Why the last offer was refused, for `trust show`; gone with the boot, so that no flood wears a disk. */
export const refusalFile = "/run/firstlight/trust-refusal.json";

/** Signed bytes as somebody brought them: the link, or a person with a stick. */
export interface Submission {
  readonly topic: "desired" | "cmd";
  /** The whole message. */
  readonly bytes: Uint8Array;
}

/** What became of them; with that the broker may forget them. */
export interface SubmitAnswer {
  /**
   * `assigned`: there is something new to become. `nothing`: nothing is wanted now. `unchanged`: as
   * before. `command`: it is remembered, and carried out once. `refused`: nothing of it counts but what
   * `trusted` says.
   */
  readonly kind: "assigned" | "nothing" | "unchanged" | "refused" | "command";
  readonly updateId?: string;
  /** Of a command. */
  readonly command?: { readonly id: string; readonly name: string; readonly isNew: boolean };
  /** Of a command that was carried out before: what came of it. */
  readonly answer?: unknown;
  /** Why it was refused. */
  readonly code?: string;
  readonly message?: string;
  /** What is believed now. */
  readonly trusted: TrustedVersions;
}

/** What the root side knows of itself. */
export interface ReceiveDeps {
  readonly io: Io;
  readonly log: Log;
  /** `undefined` as long as the node has no name. */
  readonly node: NodeAddress | undefined;
  /** The file that the settings name. */
  readonly rootFile: string | undefined;
}

const none: TrustedVersions = { root: 0, timestamp: 0, snapshot: 0, targets: 0, director: 0 };

/**
 * Looks at signed bytes and stores what is good of them, before it answers: what is believed, then
 * what is assigned. Starts no process and changes nothing else. A refusal is an answer; it throws only
 * where something could not be stored (`io/…`), and then the same bytes have to come again.
 */
export async function receive(submission: Submission, deps: ReceiveDeps): Promise<SubmitAnswer> {
  const { io, log } = deps;
  const store = trustedStore(io, deps.rootFile);
  try {
    const { trusted, from, damaged } = store.read();
    for (const { file, why } of damaged) log.warning("trust.damaged", { file, why });
    if (deps.node === undefined) {
      throw new Fault("trust/not-enrolled", "this node has no name yet");
    }
    const context = {
      nowMs: io.clock.now(),
      clockTrusted: isClockSet(io.files),
      node: deps.node,
    };
    return submission.topic === "cmd"
      ? takeCommand(submission.bytes, { ...deps, trusted, context })
      : takeOffer(submission.bytes, {
          ...deps,
          trusted,
          context,
          store,
          isWhole: from === "state",
        });
  } catch (error) {
    if (!(error instanceof Fault) || !error.code.startsWith("trust/")) throw error;
    return refused(error, submission, deps);
  }
}

interface Known extends ReceiveDeps {
  readonly trusted: TrustedState;
  readonly context: TrustContext;
}

interface OfferDeps extends Known {
  readonly store: TrustedStore;
  /** Whether both places where trust lies are as they should be. */
  readonly isWhole: boolean;
}

function takeOffer(
  bytes: Uint8Array,
  { io, log, trusted, context, store, isWhole, rootFile }: OfferDeps,
): SubmitAnswer {
  const offer = readOffer(bytes);
  const found = examine(trusted, offer, context);
  const versions = versionsOf(found.trusted);
  if (found.changed || (found.fault === undefined && !isWhole)) {
    store.write(found.trusted);
    log.info("trust.advanced", { ...versions });
  }
  if (found.fault !== undefined) {
    withdrawForbidden(found.trusted, { io, log });
    return refused(found.fault, { topic: "desired" }, { io, log, rootFile }, versions);
  }
  if (!found.complete || !keepAssigned(io, offer, found.assignment)) {
    return { kind: "unchanged", ...updateOf(found.assignment), trusted: versions };
  }
  const kind = found.assignment === null ? "nothing" : "assigned";
  log.info(`update.${kind}`, { ...updateOf(found.assignment) });
  return { kind, ...updateOf(found.assignment), trusted: versions };
}

/**
 * What was assigned before goes when the owners' newest word forbids it, though the offer that brought that word
 * was refused: what has not begun yet must not begin.
 */
function withdrawForbidden(
  { targets }: TrustedState,
  { io, log }: Pick<ReceiveDeps, "io" | "log">,
): void {
  const assignment = readAssigned(io.files)?.assignment ?? null;
  if (assignment === null || targets === undefined) return;
  try {
    requireAllowed(targets, assignment);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    keepAssigned(io, {}, null);
    log.warning("update.withdrawn", { ...updateOf(assignment), code: error.code });
  }
}

function updateOf(assignment: Assignment | null): { readonly updateId?: string } {
  return assignment === null ? {} : { updateId: assignment.updateId };
}

function takeCommand(bytes: Uint8Array, { io, log, trusted, context }: Known): SubmitAnswer {
  const command = verifyCommand(trusted, readCommandMessage(bytes), context);
  const { isNew, taken } = commandStore(io).take(command, knownNowMs(trusted, context));
  const { id, name } = command;
  if (isNew) log.info("command.taken", { id, name });
  return {
    kind: "command",
    command: { id, name, isNew },
    ...(taken.answer === null ? {} : { answer: taken.answer }),
    trusted: versionsOf(trusted),
  };
}

function refused(
  fault: Fault,
  { topic }: Pick<Submission, "topic">,
  { io, log, rootFile }: Pick<ReceiveDeps, "io" | "log" | "rootFile">,
  versions?: TrustedVersions,
): SubmitAnswer {
  const { code, message } = describeFault(fault);
  log.warning("trust.refused", { topic, code, message });
  // A node of no fleet has nothing to show, and whoever sends it things shall leave no trace.
  if (code !== "trust/not-enrolled") {
    noteRefusal(io, { v: 1, topic, code, message, at: timestamp(io.clock) });
  }
  return { kind: "refused", code, message, trusted: versions ?? knownVersions(io, rootFile) };
}

/** What {@link refusalFile} holds. */
export interface Refusal {
  readonly v: 1;
  readonly topic: Submission["topic"];
  readonly code: string;
  readonly message: string;
  readonly at: string;
}

/** That it cannot be noted is no reason to ask for the same bytes again. */
function noteRefusal({ files }: Io, refusal: Refusal): void {
  try {
    files.write(refusalFile, prettyJson(refusal), { mode: 0o644 });
  } catch (error) {
    if (!isFault(error, "io/write-failed")) throw error;
  }
}

function knownVersions(io: Io, rootFile: string | undefined): TrustedVersions {
  try {
    return versionsOf(trustedStore(io, rootFile).read().trusted);
  } catch {
    return none;
  }
}
