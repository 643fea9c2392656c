import { createPublicKey, type KeyObject } from "node:crypto";
import { Fault, isFault } from "#core/fault.ts";
import { type Io, timestamp } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { EnrolState } from "#generated/agent/enroll/enrol-state.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { EnrollAnswer } from "#generated/protocol/enroll/answer.ts";
import type { EnrollRequest } from "#generated/protocol/enroll/request.ts";
import type { Courier } from "#provisioner/system/fetch/courier.ts";
import type { CredentialStore } from "../secrets/credential-store.ts";
import { checkCertificate, renewalMs, validityOf } from "./certificate.ts";
import { type ClaimKind, claimKinds, collectClaim } from "./claims.ts";
import { newEnrolState, readEnrolState, writeEnrolState } from "./enrol-state.ts";
import { installIdentity, removeIdentity, tellEnrolment } from "./install.ts";
import { type EnrolMachine, isOtherMachine, readMachine } from "./machine.ts";
import { makeNodeKey, openNodeKey, shredNodeKeys } from "./node-keys.ts";
import type { EnrolServer } from "./server.ts";

/** What enrolling needs. */
export interface EnrolDeps {
  readonly io: Io;
  readonly log: Log;
  readonly settings: Settings;
  readonly server: EnrolServer;
  /** Pinned certificate authority, PEM. */
  readonly ca: string;
  /** Who asks the metadata service. */
  readonly metadata: Courier;
  readonly store: Pick<CredentialStore, "protection">;
  /** Whether to renew what is good for longer. */
  readonly renews?: boolean;
  readonly signal: AbortSignal;
}

/** How far it came. */
export type EnrolOutcome =
  | {
      readonly kind: "enrolled";
      readonly node: string;
      readonly fleet: string;
      readonly renewMs: number;
      readonly untilMs: number;
    }
  | { readonly kind: "pending"; readonly code: string; readonly retryMs: number }
  | { readonly kind: "refused"; readonly fault: Fault };

type Current = NonNullable<EnrolState["current"]>;
type Next = NonNullable<EnrolState["next"]>;

/** After these what the node has is worth nothing: it begins anew, as another machine does. */
const startOver: ReadonlySet<string> = new Set(["enroll/cloned", "enroll/revoked"]);
/** After these the key from before proves nothing: a renewal becomes a first claim. */
const claimAnew: ReadonlySet<string> = new Set(["enroll/key-unknown", "enroll/expired-long-ago"]);
const mostRounds = 5;

/**
 * Brings the node to a certificate that is good, as far as it gets: makes a key, claims, waits for a person,
 * installs, renews when half of the time is over. Each step is on disk before the next one, and each
 * can be done again: whoever is killed, or loses the network, goes on where it was. Throws
 * `enroll/unreachable`, `enroll/untrusted`, `enroll/malformed`, which time may heal.
 */
export async function enrol(deps: EnrolDeps): Promise<EnrolOutcome> {
  const { io, log } = deps;
  const machine = readMachine(io.files);
  let state = readEnrolState(io.files) ?? newEnrolState(machine);
  if (isOtherMachine(state.machine, machine)) {
    log.warning("enroll.other-machine", { node: state.current?.node });
    state = forget(io, machine);
  }
  state = { ...state, machine: marksOf(state, machine) };
  let hasStartedOver = false;
  for (let round = 0; round < mostRounds; round++) {
    shredNodeKeys(io, keysOf(state));
    const ready = await prepare(deps, state);
    if (ready.kind === "enrolled") return tell(io, ready.state, ready.outcome);
    const answered = await claim(deps, ready, machine);
    if (answered.kind === "again") state = answered.state;
    else if (answered.kind !== "refused") return tell(io, answered.state, answered.outcome);
    else if (startOver.has(answered.fault.code) && !hasStartedOver) {
      log.warning("enroll.begun-anew", {
        code: answered.fault.code,
        message: answered.fault.message,
      });
      hasStartedOver = true;
      state = forget(io, machine);
    } else return tell(io, refuse(io, answered.state, answered.fault), answered);
  }
  throw new Fault("enroll/unreachable", "the server changes its mind again and again");
}

type Ready =
  | { readonly kind: "enrolled"; readonly state: EnrolState; readonly outcome: EnrolOutcome }
  | (Asking & { readonly kind: "asking" });

/** A key that a certificate is asked for. */
interface Asking {
  readonly state: EnrolState;
  readonly next: Next;
  readonly key: KeyObject;
  /** Of the certificate that is used. */
  readonly previous: KeyObject | undefined;
}

/** What is used is installed; a key that asks is there, where one has to. */
async function prepare(
  { io, store, settings, renews = false }: EnrolDeps,
  before: EnrolState,
): Promise<Ready> {
  let state = before;
  const previous = state.current
    ? await openNodeKey(io, state.current.fingerprint, store)
    : undefined;
  if (state.current !== null && previous === undefined) {
    state = writeEnrolState(io, { ...state, current: null }); // its key cannot be opened here any more
    removeIdentity(io);
  }
  const { current } = state;
  if (current !== null && previous !== undefined) {
    installIdentity(io, current.certificate, previous);
    const isDue = renews || io.clock.now() >= renewalMs(current.certificate, current.fingerprint);
    if (state.next === null && !isDue)
      return { kind: "enrolled", state, outcome: enrolled(current) };
  }
  const waiting = state.next && (await openNodeKey(io, state.next.fingerprint, store));
  if (state.next !== null && waiting !== undefined && waiting !== null)
    return { kind: "asking", state, next: state.next, key: waiting, previous };
  const fingerprint = await makeNodeKey(io, store, settings.fleet?.enroll?.key);
  const why = current === null ? "enroll" : "renew";
  const next: Next = { fingerprint, why, step: "key-made", code: null };
  state = writeEnrolState(io, { ...state, next });
  const key = await openNodeKey(io, fingerprint, store);
  if (key === undefined)
    throw new Fault("enroll/state-unreadable", "the key that was just made cannot be opened again");
  return { kind: "asking", state, next, key, previous };
}

type Answered =
  | {
      readonly kind: "enrolled" | "pending";
      readonly state: EnrolState;
      readonly outcome: EnrolOutcome;
    }
  | { readonly kind: "again"; readonly state: EnrolState }
  | { readonly kind: "refused"; readonly state: EnrolState; readonly fault: Fault };

/** Asks by each claim that the machine has, until one is taken. */
async function claim(deps: EnrolDeps, asking: Asking, machine: EnrolMachine): Promise<Answered> {
  const { settings, log, server } = deps;
  const { key, previous, next } = asking;
  const isRenewal = next.why === "renew" && asking.state.current !== null && previous !== undefined;
  const kinds = isRenewal ? (["key"] as const) : kindsFor(next, settings);
  const lacking: string[] = [];
  let refusal: Fault | undefined;
  let state = asking.state;
  for (const kind of kinds) {
    const challenge = await server.challenge(next.fingerprint);
    const collected =
      kind === "key" ? previousClaim(state) : await collectOrLack(kind, challenge, deps);
    if ("lacks" in collected) {
      lacking.push(`${kind}: ${collected.lacks}`);
      continue;
    }
    state = sent(deps.io, state);
    const publicKey = publicPem(key);
    const request: EnrollRequest = { v: 1, challenge, publicKey, machine, claim: collected.claim };
    const keys = { key, ...(kind === "key" ? { previous } : {}) };
    const answer = await answerTo(server.claim(request, keys));
    const taken = take(deps, { ...asking, state }, answer);
    if (taken.kind !== "refused") return taken;
    log.warning("enroll.refused", { kind, code: taken.fault.code, message: taken.fault.message });
    if (startOver.has(taken.fault.code)) return taken;
    if (isRenewal && claimAnew.has(taken.fault.code))
      return { kind: "again", state: asFirst(deps.io, state) };
    refusal ??= taken.fault;
  }
  // Whatever else there is by then is tried as well, the next time.
  if (next.step === "pending") state = asFirst(deps.io, state);
  const none = () =>
    new Fault("enroll/no-claim", `nothing to be enrolled by: ${lacking.join("; ")}`);
  return { kind: "refused", state, fault: refusal ?? none() };
}

/** Who waits for a person asks by nothing else meanwhile. */
function kindsFor({ step }: Next, { fleet }: Settings): readonly ClaimKind[] {
  return step === "pending" ? ["code"] : (fleet?.enroll?.via ?? claimKinds);
}

/** A metadata service that is away must not keep the node from its other ways. */
async function collectOrLack(kind: ClaimKind, challenge: string, deps: EnrolDeps) {
  try {
    return await collectClaim(kind, challenge, deps);
  } catch (error) {
    if (!isFault(error, "enroll/unreachable")) throw error;
    return { lacks: error.message };
  }
}

/** A claim that the server cannot read must not keep the node from its other ways either. */
async function answerTo(answer: Promise<EnrollAnswer>): Promise<EnrollAnswer> {
  try {
    return await answer;
  } catch (error) {
    if (!isFault(error, "enroll/malformed")) throw error;
    return { v: 1, kind: "refused", code: error.code, message: error.message };
  }
}

function previousClaim({ current }: EnrolState): { readonly claim: EnrollRequest["claim"] } {
  return { claim: { kind: "key", previous: current?.fingerprint ?? "" } };
}

function take(
  { io, ca, log }: EnrolDeps,
  { state, next, key }: Asking,
  answer: EnrollAnswer,
): Answered {
  switch (answer.kind) {
    case "pending": {
      const { code, retryAfterSeconds } = answer;
      if (next.code !== code) log.info("enroll.pending", { code });
      const pending: Next = { ...next, step: "pending", code };
      const written = next.code === code ? state : writeEnrolState(io, { ...state, next: pending });
      const outcome = { kind: "pending", code, retryMs: retryAfterSeconds * 1000 } as const;
      return { kind: "pending", state: written, outcome };
    }
    case "refused":
      // The server's own code: an old node may not know it, and only passes it on.
      return {
        kind: "refused",
        state,
        fault: new Fault(answer.code as Fault["code"], answer.message),
      };
    case "certificate": {
      const { certificate, node, fleet } = answer;
      const wanted = next.why === "renew" ? (state.current?.node ?? node) : node;
      checkCertificate(certificate, { key, node: wanted, ca });
      const current: Current = { fingerprint: next.fingerprint, node, fleet, certificate };
      const written = writeEnrolState(io, { ...state, current, next: null, refused: null });
      installIdentity(io, certificate, key);
      shredNodeKeys(io, [current.fingerprint]);
      log.info("enroll.enrolled", { node, fleet, why: next.why });
      return { kind: "enrolled", state: written, outcome: enrolled(current) };
    }
  }
}

function sent(io: Io, state: EnrolState): EnrolState {
  if (state.next?.step !== "key-made") return state;
  return writeEnrolState(io, { ...state, next: { ...state.next, step: "claim-sent" } });
}

/** The key stays, and what it is claimed by is another thing. */
function asFirst(io: Io, state: EnrolState): EnrolState {
  if (state.next === null) return state;
  return writeEnrolState(io, {
    ...state,
    next: { ...state.next, why: "enroll", step: "key-made", code: null },
  });
}

function refuse(io: Io, state: EnrolState, { code, message }: Fault): EnrolState {
  const { refused } = state;
  if (refused?.code === code && refused.message === message) return state;
  return writeEnrolState(io, { ...state, refused: { code, message, at: timestamp(io.clock) } });
}

/** Nothing of what another machine had is used, or kept. The keys go with the next round. */
function forget(io: Io, machine: EnrolMachine): EnrolState {
  const state = writeEnrolState(io, newEnrolState(machine));
  removeIdentity(io);
  return state;
}

/** What was not known when the keys were made is filled in. */
function marksOf({ machine }: EnrolState, is: EnrolMachine): EnrolState["machine"] {
  return {
    instanceId: machine.instanceId ?? is.instanceId,
    hardware: machine.hardware ?? is.hardware,
  };
}

function keysOf({ current, next }: EnrolState): readonly string[] {
  return [current, next].flatMap((each) => each?.fingerprint ?? []);
}

function publicPem(key: KeyObject): string {
  return createPublicKey(key).export({ type: "spki", format: "pem" }) as string;
}

function enrolled({ node, fleet, certificate, fingerprint }: Current): EnrolOutcome {
  const { untilMs } = validityOf(certificate);
  return { kind: "enrolled", node, fleet, renewMs: renewalMs(certificate, fingerprint), untilMs };
}

/** Says how far it came, and returns it. */
function tell<T extends EnrolOutcome>(io: Io, { current, refused }: EnrolState, outcome: T): T {
  const iso = (ms: number) => new Date(ms).toISOString();
  const of = current && enrolled(current);
  const times = of?.kind === "enrolled" ? of : undefined;
  tellEnrolment(io, {
    v: 1,
    state: outcome.kind,
    node: current?.node ?? null,
    fleet: current?.fleet ?? null,
    until: times === undefined ? null : iso(times.untilMs),
    renews: times === undefined ? null : iso(times.renewMs),
    code: outcome.kind === "pending" ? outcome.code : null,
    refused: refused && { code: refused.code, message: refused.message },
  });
  return outcome;
}
