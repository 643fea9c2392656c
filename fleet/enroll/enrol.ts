import { randomBytes, X509Certificate } from "node:crypto";
import { Fault } from "#core/fault.ts";
import type { EnrollAnswer } from "#generated/protocol/enroll/answer.ts";
import type { Challenge } from "#generated/protocol/enroll/challenge.ts";
import type { ChallengeAsk } from "#generated/protocol/enroll/challenge-ask.ts";
import { validate as isChallengeAsk } from "#generated/protocol/enroll/challenge-ask.validate.js";
import type { EnrollRequest } from "#generated/protocol/enroll/request.ts";
import { validate as isRequest } from "#generated/protocol/enroll/request.validate.js";
import type { Submission } from "#generated/protocol/enroll/submission.ts";
import { validate as isSubmission } from "#generated/protocol/enroll/submission.validate.js";
import { isRequestSigned, keyFingerprint, readNodeKey } from "#protocol/enroll/node-key.ts";
import { readMessage } from "#protocol/enroll/read-message.ts";
import type { Authority } from "./authority.ts";
import { isChallengeGood, makeChallenge } from "./challenges.ts";
import { judgeMachine } from "./judge-machine.ts";
import { networkOf } from "./peer-pace.ts";
import { proveClaim } from "./prove-claim.ts";
import type { AdmissionAnswer, CertificateRecord, EnrolStore, KnownKey } from "./store.ts";
import type { Ways } from "./ways/ways.ts";

/** What the enrolment server is made of. */
export interface EnrolDeps {
  readonly store: EnrolStore;
  readonly authority: Authority;
  readonly ways: Ways;
  readonly certificateDays: number;
  /** How long after its certificate a key still renews it. */
  readonly renewExpiredMs: number;
  readonly now: () => number;
}

/** Half an hour to walk to the console and back. */
const pendingMs = 1_800_000;
const mostPending = 500;
const mostPendingOfPeer = 20;
const retryPendingSeconds = 10;
/** Without letters that look like others (Crockford's Base32). */
const codeLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A challenge for one key. Throws `enroll/malformed`. */
export async function answerChallenge({ store, now }: EnrolDeps, body: string): Promise<Challenge> {
  const { key } = readMessage<ChallengeAsk>(body, isChallengeAsk, "the request");
  return { v: 1, challenge: makeChallenge(await store.secret(), key, now()) };
}

/**
 * What a node gets for its request. A refusal is an answer; a request that is none throws
 * `enroll/malformed`, and one that cannot be decided on now `enroll/busy`.
 */
export async function answerClaim(
  deps: EnrolDeps,
  body: string,
  peer: string,
): Promise<EnrollAnswer> {
  try {
    return await decide(deps, readSigned(body), peer);
  } catch (error) {
    if (!(error instanceof Fault) || !error.code.startsWith("enroll/")) throw error;
    if (error.code === "enroll/busy" || error.code === "enroll/malformed") throw error;
    return { v: 1, kind: "refused", code: error.code, message: error.message };
  }
}

/** A request that its key has signed. */
export interface SignedRequest {
  readonly request: EnrollRequest;
  readonly submission: Submission;
  readonly publicKey: ReturnType<typeof readNodeKey>;
  readonly fingerprint: string;
}

function readSigned(body: string): SignedRequest {
  const submission = readMessage<Submission>(body, isSubmission, "the submission");
  const request = readMessage<EnrollRequest>(submission.request, isRequest, "the request");
  const publicKey = readNodeKey(request.publicKey);
  if (!isRequestSigned(submission.request, submission.signature, publicKey))
    throw new Fault("enroll/proof-wrong", "the request is not signed by its own key");
  return { request, submission, publicKey, fingerprint: keyFingerprint(publicKey) };
}

async function decide(deps: EnrolDeps, signed: SignedRequest, peer: string): Promise<EnrollAnswer> {
  const { store, now } = deps;
  const { request, fingerprint } = signed;
  const secret = await store.secret();
  if (!isChallengeGood(request.challenge, { secret, fingerprint, nowMs: now() }))
    throw new Fault(
      "enroll/challenge-stale",
      "the challenge is too old, or was made for another key",
    );
  // The same key again: an answer that was lost on its way, whatever the claim is.
  const known = await store.key(fingerprint);
  if (known !== undefined) return renew(deps, signed, known);
  if (request.claim.kind === "key") return renew(deps, signed, await previousKey(deps, signed));
  return admit(deps, signed, peer);
}

/** What is known of the key from before, which has signed the request as well. */
async function previousKey(
  { store }: EnrolDeps,
  { request, submission }: SignedRequest,
): Promise<KnownKey> {
  const { claim } = request;
  const known = claim.kind === "key" ? await store.key(claim.previous) : undefined;
  if (known === undefined)
    throw new Fault("enroll/key-unknown", "the key from before has no certificate here");
  const { publicKey } = new X509Certificate(known.certificate.pem);
  if (!isRequestSigned(submission.request, submission.previousSignature ?? "", publicKey))
    throw new Fault("enroll/proof-wrong", "the request is not signed by the key from before");
  return known;
}

/** A certificate for a key that takes the place of a known one, or for the known one itself. */
async function renew(
  deps: EnrolDeps,
  signed: SignedRequest,
  known: KnownKey,
): Promise<EnrollAnswer> {
  const { store, now, renewExpiredMs, certificateDays } = deps;
  const { node, certificate } = known;
  const { machine } = signed.request;
  const nowMs = now();
  if (node.notBeforeMs !== null && certificate.issuedMs < node.notBeforeMs)
    throw new Fault("enroll/revoked", `what ${node.name} had was revoked`);
  const judgement = judgeMachine(known, machine);
  if (judgement.kind === "contested") await store.contest(node.name, judgement.why);
  if (judgement.kind === "contested") throw new Fault("enroll/contested", judgement.why);
  if (judgement.kind === "copy") throw new Fault("enroll/cloned", judgement.why);
  const expiredMs = nowMs - certificate.notAfterMs;
  if (expiredMs > renewExpiredMs) {
    const until = new Date(certificate.notAfterMs).toISOString();
    throw new Fault("enroll/expired-long-ago", `the certificate was good until ${until}`);
  }
  const isRepeated = certificate.fingerprint === signed.fingerprint;
  if (isRepeated && nowMs - certificate.issuedMs < (certificateDays * dayMs) / 2) {
    await store.see(node.name, machine, nowMs);
    return answerWith(deps, certificate);
  }
  const renewed = issue(deps, signed, node.name);
  const previous = certificate.fingerprint;
  if (await store.renew({ certificate: renewed, previous, machine }))
    return answerWith(deps, renewed);
  throw new Fault("enroll/busy", `${node.name} is being renewed by another request`);
}

const dayMs = 24 * 3_600_000;

/** A first certificate, for what the claim proves. */
async function admit(deps: EnrolDeps, signed: SignedRequest, peer: string): Promise<EnrollAnswer> {
  const { store, now, ways } = deps;
  const { request, fingerprint } = signed;
  const { machine, challenge, claim } = request;
  const nowMs = now();
  const pending =
    claim.kind === "code" && ways.code !== undefined
      ? await waitFor(deps, { fingerprint, machine, peer, nowMs })
      : undefined;
  if (pending?.answer === "none")
    return { v: 1, kind: "pending", code: pending.code, retryAfterSeconds: retryPendingSeconds };
  const context = { machine, challenge, nowMs, pending };
  const proved = await proveClaim(claim, context, { ways, fleet: deps.authority.fleet });
  const certificate = issue(deps, signed, proved.node);
  const { way, once, nonce, replaces } = proved;
  const admission = { certificate, machine, way, once, nonce, replaces };
  const answer = await store.admit(admission);
  if (answer === "admitted") return answerWith(deps, certificate);
  throw refusalOf(answer, proved.node);
}

function refusalOf(answer: Exclude<AdmissionAnswer, "admitted">, node: string): Fault {
  switch (answer) {
    case "once-used":
      return new Fault(
        "enroll/instance-used",
        "the instance was enrolled before, with another key",
      );
    case "node-taken":
      return new Fault("enroll/node-taken", `another key has the name ${node}`);
    case "token-unknown":
      return new Fault("enroll/token-unknown", "the token is not on the list of this server");
    case "token-used":
      return new Fault("enroll/token-used", "the token was used by another key");
  }
}

interface Waiting {
  readonly fingerprint: string;
  readonly machine: EnrollRequest["machine"];
  readonly peer: string;
  readonly nowMs: number;
}

async function waitFor({ store }: EnrolDeps, { nowMs, ...who }: Waiting) {
  const expiresMs = nowMs + pendingMs;
  const limits = { nowMs, most: mostPending, mostOfPeer: mostPendingOfPeer };
  const peer = networkOf(who.peer);
  const asked = { ...who, peer, code: newCode(), expiresMs, answer: "none", node: null } as const;
  const pending = await store.wait(asked, limits);
  if (pending === undefined) throw new Fault("enroll/busy", "too many nodes wait for a person");
  return pending;
}

/** 40 bits: nobody guesses what a person is about to approve. */
function newCode(): string {
  const letters = [...randomBytes(8)].map((byte) => codeLetters[byte & 31]).join("");
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}

function issue(
  deps: EnrolDeps,
  { publicKey, fingerprint }: SignedRequest,
  node: string,
): CertificateRecord {
  const { authority, certificateDays: days, now } = deps;
  const issuedMs = now();
  const { pem, serial } = authority.issueNode({ node, publicKey, nowMs: issuedMs, days });
  return { serial, node, fingerprint, pem, issuedMs, notAfterMs: issuedMs + days * dayMs };
}

function answerWith({ authority }: EnrolDeps, { node, pem }: CertificateRecord): EnrollAnswer {
  return { v: 1, kind: "certificate", node, fleet: authority.fleet, certificate: pem };
}
