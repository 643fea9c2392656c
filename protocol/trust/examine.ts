import { canonicalJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { SnapshotMetadata } from "#generated/protocol/trust/snapshot.ts";
import type { TargetsMetadata } from "#generated/protocol/trust/targets.ts";
import type { TimestampMetadata } from "#generated/protocol/trust/timestamp.ts";
import type { NodeAddress } from "../topics.ts";
import { type Assignment, agree, requireAllowed, requireTarget } from "./assignment.ts";
import { trustLimits } from "./limits.ts";
import { asSnapshot, asTargets, asTimestamp, type Metadata } from "./metadata.ts";
import type { Offer } from "./offer.ts";
import { followRoots } from "./root-chain.ts";
import {
  delegatedSigners,
  isVouchedFor,
  requireThreshold,
  type Signers,
  signersOf,
} from "./threshold.ts";
import { raiseFloor, requireFresh, type TimeContext } from "./time.ts";
import type { TrustedState } from "./trusted.ts";

/** What is known beside what was signed. */
export interface TrustContext extends TimeContext {
  /** This node. */
  readonly node: NodeAddress;
}

/** What came of looking at an offer. */
export interface Examination {
  /** To be stored, also where the offer was refused: what was good of it. */
  readonly trusted: TrustedState;
  /** Whether that differs from what was believed before. */
  readonly changed: boolean;
  /** What the node shall become; `null` where that is nothing, or the offer said nothing of it. */
  readonly assignment: Assignment | null;
  /** Whether the offer said at all what the node shall become. */
  readonly complete: boolean;
  /** Why the offer was refused. */
  readonly fault?: Fault;
}

/**
 * Looks at an offer as TUF's client workflow has it (TUF 1.0, section 5; Uptane 2.1, section 5.4).
 * Pure. The root chain is believed link by link, the time as soon as a timestamp is verified; the
 * timestamp itself, snapshot, targets, director and builders only together and where they agree, so that a
 * set for another node leaves no versions behind. What they assign may still be refused: an examination
 * with a fault never has an assignment. Throws nothing but defects.
 */
export function examine(trusted: TrustedState, offered: Offer, context: TrustContext): Examination {
  const progress = { trusted };
  const ended = (rest: Omit<Examination, "trusted" | "changed">): Examination => ({
    trusted: progress.trusted,
    changed:
      progress.trusted !== trusted && canonicalJson(progress.trusted) !== canonicalJson(trusted),
    ...rest,
  });
  try {
    for (const state of followRoots(trusted, offered.root ?? [], context)) progress.trusted = state;
    if (offered.timestamp === undefined) return ended({ assignment: null, complete: false });
    requireFresh(progress.trusted.root.signed, "root", progress.trusted, context);
    const timestamp = verifyTimestamp(progress.trusted, offered.timestamp, context);
    progress.trusted = raiseFloor(progress.trusted, timestamp.signed.issued, context);
    const set = verifySet(progress.trusted, { timestamp, offered, context });
    const assignment = agree(set);
    progress.trusted = believed(progress.trusted, set);
    if (assignment !== null) requireAllowed(set.targets, assignment);
    requireDocuments(offered.documents ?? {}, assignment);
    return ended({ assignment, complete: true });
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    return ended({ assignment: null, complete: false, fault });
  }
}

/** What builders said that are not in the set stays, as long as their keys vouch for it: it is a floor. */
function believed(trusted: TrustedState, set: VerifiedSet): TrustedState {
  const kept = Object.entries(trusted.delegated).filter(([name, known]) =>
    isVouchedFor(known, delegatedSigners(set.targets, name)),
  );
  return { ...trusted, ...set, delegated: { ...Object.fromEntries(kept), ...set.delegated } };
}

/** Sections 5.4.2 to 5.4.4. */
function verifyTimestamp(
  trusted: TrustedState,
  offered: unknown,
  context: TimeContext,
): TimestampMetadata {
  const timestamp = asTimestamp(offered);
  requireThreshold(timestamp, signersOf(trusted.root, "timestamp"));
  requireNotOlder("timestamp", timestamp, trusted.timestamp);
  const snapshotOf = ({ signed }: TimestampMetadata) => signed.meta["snapshot.json"].version;
  // Where the snapshot was forgotten with its keys, what a timestamp said of its version counts no more.
  const known = trusted.snapshot === undefined ? undefined : trusted.timestamp;
  if (known !== undefined && snapshotOf(timestamp) < snapshotOf(known)) {
    throw new Fault(
      "trust/rollback",
      `timestamp ${timestamp.signed.version} names snapshot ${snapshotOf(timestamp)}, and ${snapshotOf(known)} was named before`,
    );
  }
  const { issued, expires } = timestamp.signed;
  if (issued !== undefined && issued >= expires) {
    throw new Fault("trust/malformed", `timestamp: issued at ${issued}, expires at ${expires}`);
  }
  requireFresh(timestamp.signed, "timestamp", trusted, context);
  return timestamp;
}

/** Metadata that belongs together and was verified as one. */
interface VerifiedSet {
  readonly timestamp: TimestampMetadata;
  readonly snapshot: SnapshotMetadata;
  readonly targets: TargetsMetadata;
  readonly director: TargetsMetadata;
  readonly delegated: Readonly<Record<string, TargetsMetadata>>;
}

interface SetInput {
  readonly timestamp: TimestampMetadata;
  readonly offered: Offer;
  readonly context: TrustContext;
}

function verifySet(trusted: TrustedState, { timestamp, offered, context }: SetInput): VerifiedSet {
  const snapshot = verifySnapshot(trusted, { timestamp, offered, context });
  const targets = asTargets(offered.targets, "targets");
  requireThreshold(targets, signersOf(trusted.root, "targets"));
  requireVersion("targets", targets, snapshot);
  requireNotOlder("targets", targets, trusted.targets);
  requireFresh(targets.signed, "targets", trusted, context);
  const director = verifyDirector(trusted, { targets, snapshot, offered, context });
  const delegated = verifyBuilders(trusted, { targets, snapshot, offered, context });
  requireNoneGone(trusted, { targets, snapshot });
  return { timestamp, snapshot, targets, director, delegated };
}

/** Section 5.5. That what a snapshot named before is still there is looked at once the delegations are known. */
function verifySnapshot(
  trusted: TrustedState,
  { timestamp, offered, context }: SetInput,
): SnapshotMetadata {
  const snapshot = asSnapshot(offered.snapshot);
  requireThreshold(snapshot, signersOf(trusted.root, "snapshot"));
  const { version } = timestamp.signed.meta["snapshot.json"];
  if (snapshot.signed.version !== version) {
    throw new Fault(
      "trust/mismatch",
      `snapshot ${snapshot.signed.version} came, and the timestamp names ${version}`,
    );
  }
  requireNotOlder("snapshot", snapshot, trusted.snapshot);
  requireMetaNotOlder("targets.json", snapshot, trusted.snapshot);
  requireFresh(snapshot.signed, "snapshot", trusted, context);
  return snapshot;
}

interface DelegatedInput {
  readonly targets: TargetsMetadata;
  readonly snapshot: SnapshotMetadata;
  readonly offered: Offer;
  readonly context: TrustContext;
}

function verifyDirector(
  trusted: TrustedState,
  { targets, snapshot, offered, context }: DelegatedInput,
): TargetsMetadata {
  const director = asTargets(offered.director, "director");
  const signers = delegatedSigners(targets, "director");
  if (signers === undefined) throw mismatch("the owners have delegated to no director");
  requireThreshold(director, signers);
  requireNode("director", director.signed.node, context.node);
  requireVersion("director", director, snapshot);
  // Where its keys were changed, what they signed before counts for nothing: versions begin anew.
  if (isKeptDirector(trusted, targets)) {
    requireNotOlder("director", director, trusted.director);
    requireMetaNotOlder("director.json", snapshot, trusted.snapshot);
  }
  requireFresh(director.signed, "director", trusted, context);
  return director;
}

function isKeptDirector({ director }: TrustedState, targets: TargetsMetadata): boolean {
  return director === undefined || isVouchedFor(director, delegatedSigners(targets, "director"));
}

function verifyBuilders(
  trusted: TrustedState,
  { targets, snapshot, offered, context }: DelegatedInput,
): Readonly<Record<string, TargetsMetadata>> {
  requireBuildersNotOlder(trusted, { targets, snapshot });
  const verified: [string, TargetsMetadata][] = [];
  for (const [name, value] of Object.entries(offered.delegated ?? {})) {
    const shown = JSON.stringify(name.slice(0, 64));
    const signers = delegatedSigners(targets, name);
    if (signers === undefined || !name.startsWith("builder-")) {
      throw mismatch(`the owners have delegated to no builder ${shown}`);
    }
    const builder = asTargets(value, name);
    requireThreshold(builder, signers);
    requireVersion(name, builder, snapshot);
    const known = knownBuilder(trusted, name);
    if (known !== undefined && isVouchedFor(known, signers)) requireNotOlder(name, builder, known);
    requireFresh(builder.signed, name, trusted, context);
    verified.push([name, builder]);
  }
  return Object.fromEntries(verified);
}

/** Section 5.5.5, for every builder that was named before, whether it is offered this time or not. */
function requireBuildersNotOlder(
  trusted: TrustedState,
  { targets, snapshot }: Pick<DelegatedInput, "targets" | "snapshot">,
): void {
  for (const file of Object.keys(trusted.snapshot?.signed.meta ?? {})) {
    const role = file.replace(/\.json$/, "");
    if (!role.startsWith("builder-")) continue;
    const signers = delegatedSigners(targets, role);
    if (signers === undefined || !isKeptBuilder(trusted, { role, signers })) continue;
    requireMetaNotOlder(file, snapshot, trusted.snapshot);
  }
}

/**
 * Whether versions of a builder go on. Where nothing of it was taken yet, its keys are compared: enough of
 * those that signed before still count.
 */
function isKeptBuilder(
  trusted: TrustedState,
  { role, signers }: { readonly role: string; readonly signers: Signers },
): boolean {
  const known = knownBuilder(trusted, role);
  if (known !== undefined) return isVouchedFor(known, signers);
  const before =
    trusted.targets === undefined ? undefined : delegatedSigners(trusted.targets, role);
  const left = signers.keyids.filter((keyid) => before?.keyids.includes(keyid));
  return left.length >= signers.threshold;
}

function knownBuilder({ delegated }: TrustedState, name: string): TargetsMetadata | undefined {
  return Object.hasOwn(delegated, name) ? delegated[name] : undefined;
}

/** Section 5.5.5: what a snapshot named is in the next one too, unless its delegation is gone. */
function requireNoneGone(
  trusted: TrustedState,
  { targets, snapshot }: Pick<DelegatedInput, "targets" | "snapshot">,
): void {
  for (const file of Object.keys(trusted.snapshot?.signed.meta ?? {})) {
    if (Object.hasOwn(snapshot.signed.meta, file)) continue;
    const role = file.replace(/\.json$/, "");
    if (delegatedSigners(targets, role) === undefined) continue;
    throw new Fault("trust/rollback", `the snapshot does not name ${shownFile(file)} any more`);
  }
}

function requireNotOlder(what: string, offered: Metadata, known: Metadata | undefined): void {
  if (known === undefined || offered.signed.version > known.signed.version) return;
  if (offered.signed.version < known.signed.version) {
    throw new Fault(
      "trust/rollback",
      `${what} ${offered.signed.version} came, and ${known.signed.version} is known`,
    );
  }
  if (canonicalJson(offered.signed) === canonicalJson(known.signed)) return;
  throw mismatch(`${what} ${offered.signed.version} is known with another content`);
}

function requireMetaNotOlder(
  file: string,
  offered: SnapshotMetadata,
  known: SnapshotMetadata | undefined,
): void {
  const before = metaVersion(known, file) ?? 0;
  const now = metaVersion(offered, file);
  if (now === undefined) {
    const code = before > 0 ? "trust/rollback" : "trust/mismatch";
    throw new Fault(code, `the snapshot does not name ${file}`);
  }
  if (now >= before) return;
  throw new Fault("trust/rollback", `the snapshot names ${file} ${now}, and ${before} is known`);
}

function requireVersion(role: string, { signed }: Metadata, snapshot: SnapshotMetadata): void {
  const named = metaVersion(snapshot, `${role}.json`);
  if (named === signed.version) return;
  throw mismatch(
    named === undefined
      ? `the snapshot does not name ${role}.json`
      : `${role} ${signed.version} came, and the snapshot names ${named}`,
  );
}

function metaVersion(snapshot: SnapshotMetadata | undefined, file: string): number | undefined {
  const meta = snapshot?.signed.meta ?? {};
  return Object.hasOwn(meta, file) ? meta[file]?.version : undefined;
}

/** Whether signed words are for this node. Throws `trust/malformed`, `trust/other-node`. */
export function requireNode(what: string, named: NodeAddress | undefined, node: NodeAddress): void {
  if (named === undefined) throw new Fault("trust/malformed", `${what}: it names no node`);
  if (named.fleet === node.fleet && named.node === node.node) return;
  const shown = `${JSON.stringify(named.node)} of ${JSON.stringify(named.fleet)}`;
  throw new Fault("trust/other-node", `${what}: it is for the node ${shown}`);
}

/** Documents that came along are those that were assigned, byte for byte. */
function requireDocuments(
  documents: Readonly<Record<string, string>>,
  assignment: Assignment | null,
): void {
  const entries = Object.entries(documents);
  if (entries.length > trustLimits.documents) {
    throw new Fault("trust/limit", `more than ${trustLimits.documents} documents`);
  }
  for (const [path, text] of entries) {
    if (path !== assignment?.release.path) {
      throw new Fault("trust/target-hash", `${shownFile(path)}: a document that is not assigned`);
    }
    requireTarget(path, Buffer.from(text, "utf8"), assignment.release);
  }
}

function mismatch(message: string): Fault {
  return new Fault("trust/mismatch", message);
}

function shownFile(name: string): string {
  return JSON.stringify(name.slice(0, 96));
}
