import { describeFault, type Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { NodeAddress } from "#protocol/topics.ts";
import { examine } from "#protocol/trust/examine.ts";
import type { Offer } from "#protocol/trust/offer.ts";
import { delegatedSigners, isVouchedFor, signersOf } from "#protocol/trust/threshold.ts";
import { type TrustedState, trustedFromRoot } from "#protocol/trust/trusted.ts";
import { newestTrust, offerOf } from "./assign.ts";
import { namer, oneLine } from "./describe-staged.ts";
import { type Check, inspectRepository } from "./read-repository.ts";
import { newest, type Repository } from "./repository.ts";
import { delegationsOf, rolesOf } from "./roles.ts";
import { missingOf } from "./stage.ts";

/** What an auditor is told. */
export interface Audit {
  /** Every file that was looked at, and what is wrong with it. */
  readonly checks: readonly Check[];
  /** What holds, line by line. */
  readonly lines: readonly string[];
  /** What does not hold as it should, though nothing was tampered with. */
  readonly warnings: readonly string[];
}

const dayMs = 24 * 3_600_000;

/** Looks at everything in a signing repository. Changes nothing. Throws `signing/no-repository`. */
export function auditRepository(files: Files, directory: string, nowMs: number): Audit {
  const { repository, checks } = inspectRepository(files, directory);
  const isWhole = checks.every(({ fault }) => fault === undefined);
  return {
    checks: checks.map(({ file, fault }) => ({
      file: oneLine(file),
      ...(fault === undefined ? {} : { fault: oneLine(fault) }),
    })),
    lines: linesOf(repository).map(oneLine),
    warnings: [
      ...endsOf(repository, nowMs),
      ...doubles(repository),
      ...waiting(repository),
      // What a node would say of a set makes sense only where every part of it was read.
      ...(isWhole ? nodesOf(files, repository, nowMs) : []),
    ].map(oneLine),
  };
}

function linesOf({ roots, targets, nodes, keys }: Repository): readonly string[] {
  const [root, image] = [newest(roots), newest(targets)];
  const nameOf = namer(keys);
  const say = (role: string, held: { keys: readonly { keyid: string }[]; threshold: number }) =>
    `${role}: ${held.threshold} of ${held.keys.map(({ keyid }) => nameOf(keyid)).join(", ")}`;
  const chain =
    roots.length > 1
      ? `root 1 to ${roots.length}: each signed by the keys of the one before and by its own`
      : "root 1: signed by its own keys";
  return [
    ...(root === undefined ? [] : [chain]),
    ...(root === undefined
      ? []
      : Object.entries(rolesOf(root)).map(([role, held]) => say(role, held))),
    ...(image === undefined ? [] : delegationsOf(image).map((held) => say(held.name, held))),
    ...(image === undefined
      ? []
      : [`targets ${image.signed.version}: ${Object.keys(image.signed.targets).length} targets`]),
    `${nodes.size} ${nodes.size === 1 ? "node has" : "nodes have"} a message`,
  ];
}

function endsOf({ roots, targets }: Repository, nowMs: number): readonly string[] {
  return [newest(roots), newest(targets)].flatMap((metadata) => {
    if (metadata === undefined) return [];
    const { _type: type, version, expires } = metadata.signed;
    const leftMs = Date.parse(expires) - nowMs;
    if (leftMs > 30 * dayMs) return [];
    const how = leftMs <= 0 ? "expired" : "expires";
    return [`${type} ${version} ${how} at ${expires}: sign a new one (fleet renew ${type})`];
  });
}

/** A key in two offline roles is one theft for both. */
function doubles({ roots, keys }: Repository): readonly string[] {
  const root = newest(roots);
  if (root === undefined) return [];
  const roles = rolesOf(root);
  const nameOf = namer(keys);
  const both = roles.root.keys.filter(({ keyid }) =>
    roles.targets.keys.some((each) => each.keyid === keyid),
  );
  const single = [...Object.entries(roles)]
    .filter(([role, { threshold }]) => (role === "root" || role === "targets") && threshold === 1)
    .map(([role]) => `${role}: one stolen key is enough (threshold 1)`);
  const fragile = roles.root.keys.length === roles.root.threshold;
  return [
    ...both.map(({ keyid }) => `${nameOf(keyid)} signs for root and targets`),
    ...single,
    ...(fragile
      ? ["root: one lost key is enough to lose the fleet: there is no key to spare"]
      : []),
  ];
}

function waiting(repository: Repository): readonly string[] {
  const nameOf = namer(repository.keys);
  return (["root", "targets"] as const).flatMap((role) =>
    missingOf(repository, role).map(
      ({ role: of, have, need, open }) =>
        `${role} ${repository.staged[role]?.signed.version} waits: ${have} of ${need} signatures of ${of}; may sign: ${open.map(nameOf).join(", ") || "nobody"}`,
    ),
  );
}

function nodesOf(files: Files, repository: Repository, nowMs: number): readonly string[] {
  const [root, image] = [newest(repository.roots), newest(repository.targets)];
  if (root === undefined || image === undefined) return [];
  if (!isVouchedFor(image, signersOf(root, "targets")))
    return [
      "targets: the keys of the newest root have not signed them yet: no node takes a message",
    ];
  const trusted = newestTrust(repository);
  return [...repository.nodes].flatMap(([node, set]) => {
    const address = { fleet: repository.fleet, node };
    const offer = offerOf(files, repository, set);
    const { fault } = examine(trusted, offer, { nowMs, clockTrusted: true, node: address });
    if (fault === undefined) return [];
    const isOld =
      set.snapshot.signed.meta["targets.json"]?.version !== image.signed.version ||
      !isVouchedFor(set.director, delegatedSigners(image, "director"));
    const why = isOld ? "made before the newest targets" : fault.message;
    return [`${node}: its message is of no use now (${why}): fleet renew nodes ${node}`];
  });
}

/** What came of a message, step by step. */
export interface MessageAudit {
  readonly lines: readonly string[];
  readonly trusted: TrustedState;
  readonly fault?: Fault;
}

/**
 * Looks at a message as the node would that knows no more than this root, and says what it saw on the
 * way. Pure.
 */
export function auditMessage(
  root: unknown,
  offer: Offer,
  { node, nowMs }: { readonly node: NodeAddress; readonly nowMs: number },
): MessageAudit {
  const begun = trustedFromRoot(root);
  const context = { nowMs, clockTrusted: true, node };
  const { trusted, assignment, complete, fault } = examine(begun, offer, context);
  const first = begun.root.signed.version;
  const last = trusted.root.signed.version;
  const { timestamp, snapshot, targets, director } = trusted;
  const told = [timestamp, snapshot, targets, director].flatMap((metadata, index) =>
    metadata === undefined
      ? []
      : [
          `${["timestamp", "snapshot", "targets", "director"][index]} ${metadata.signed.version}: enough signatures; until ${metadata.signed.expires}`,
        ],
  );
  const closures = assignment?.closures ?? [];
  return {
    lines: [
      `root ${first}: the one to begin with, signed by its own keys`,
      ...(last > first ? [`root ${first + 1} to ${last}: each signed by both sets of keys`] : []),
      ...told,
      ...(complete && assignment === null ? ["assigned: nothing"] : []),
      ...(assignment === null
        ? []
        : [
            `for ${node.node} of ${node.fleet}: director and owners name the same ${assignment.release.length} bytes of ${assignment.release.path}, sha256 ${assignment.release.sha256}`,
            ...closures.map(({ toplevel, by }) => `system ${toplevel}, by the word of ${by}`),
            `update ${assignment.updateId}`,
          ]),
      ...(offer.timestamp === undefined ? ["it holds roots only: another message follows"] : []),
      ...(fault === undefined ? [] : [`REFUSED ${describeFault(fault).message}`]),
    ].map(oneLine),
    trusted,
    ...(fault === undefined ? {} : { fault }),
  };
}
