import { sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Target, TargetsMetadata, Update } from "#generated/protocol/trust/targets.ts";
import { trustLimits } from "./limits.ts";
import { isNamedBy } from "./paths.ts";

/** What a node was assigned, and everything it needs to know it again. */
export interface Assignment {
  readonly updateId: string;
  readonly release: AssignedRelease;
  /** As the director says it. */
  readonly update: Update;
  /** Systems that may be fetched in place of being built. */
  readonly closures: readonly AssignedClosure[];
}

/** A release as owners and director agree on it. */
export interface AssignedRelease {
  /** `release/NAME`. */
  readonly path: string;
  readonly name: string;
  readonly number: number;
  readonly length: number;
  readonly sha256: string;
  readonly minimumAgent?: string;
  readonly hardware?: readonly string[];
  readonly platforms?: readonly string[];
}

/** A built system as director and a builder agree on it. */
export interface AssignedClosure {
  /** Digest of the sources that it was built from. */
  readonly inputDigest: string;
  /** Of its canonical manifest. */
  readonly length: number;
  readonly sha256: string;
  readonly toplevel: string;
  /** The role that vouches for it: `targets`, or a builder. */
  readonly by: string;
}

/** The verified metadata that must agree. */
export interface Agreeing {
  /** Of the image role. */
  readonly targets: TargetsMetadata;
  readonly director: TargetsMetadata;
  /** Of builders, by name. */
  readonly delegated: Readonly<Record<string, TargetsMetadata>>;
}

const releasePrefix = "release/";
const closurePrefix = "closure/";

/**
 * What the director assigns, held against what the owners and their builders have signed: both must
 * name the same bytes (Uptane 2.1, section 5.4.4.2, full verification). `null` where it assigns
 * nothing. Throws `trust/malformed`, `trust/limit`, `trust/mismatch`.
 */
export function agree(all: Agreeing): Assignment | null {
  const named = Object.entries(all.director.signed.targets);
  for (const [path] of named) requireDirectorMay(all.targets, path);
  const releases = named.filter(([path]) => path.startsWith(releasePrefix));
  const closures = named.filter(([path]) => path.startsWith(closurePrefix));
  const [first, second] = releases;
  if (second !== undefined) throw malformed(`the director names ${releases.length} releases`);
  if (closures.length > trustLimits.closures) {
    throw new Fault(
      "trust/limit",
      `the director names ${closures.length} systems where at most ${trustLimits.closures} are taken`,
    );
  }
  if (first === undefined) {
    if (closures.length === 0) return null;
    throw malformed("the director names systems and no release");
  }
  const [path, target] = first;
  const update = target.custom?.update;
  if (update === undefined) throw malformed(`the director says no update of ${path}`);
  return {
    updateId: update.id,
    release: agreedRelease(all.targets, path, target),
    update,
    closures: closures.map(([closure, each]) => agreedClosure(all, closure, each)),
  };
}

function requireDirectorMay(targets: TargetsMetadata, path: string): void {
  const known = path.startsWith(releasePrefix) || path.startsWith(closurePrefix);
  if (known && isNamedBy(targets, "director", path)) return;
  throw new Fault("trust/mismatch", `the director may not name ${shown(path)}`);
}

function agreedRelease(targets: TargetsMetadata, path: string, assigned: Target): AssignedRelease {
  const { signed } = targets;
  const target = Object.hasOwn(signed.targets, path) ? signed.targets[path] : undefined;
  if (target === undefined) {
    throw new Fault("trust/mismatch", `${shown(path)}: the owners have signed no such release`);
  }
  requireSame(path, assigned, target);
  const { number, minimumAgent, hardware, platforms } = target.custom ?? {};
  if (number === undefined) throw malformed(`${shown(path)}: the owners give it no number`);
  return {
    path,
    name: path.slice(releasePrefix.length),
    number,
    length: target.length,
    sha256: target.hashes.sha256,
    ...(minimumAgent === undefined ? {} : { minimumAgent }),
    ...(hardware === undefined ? {} : { hardware }),
    ...(platforms === undefined ? {} : { platforms }),
  };
}

/** Whoever of owners and builders names it must name the same; one of them must. */
function agreedClosure(all: Agreeing, path: string, assigned: Target): AssignedClosure {
  const inputDigest = path.slice(closurePrefix.length);
  if (!/^[0-9a-f]{64}$/.test(inputDigest)) throw malformed(`${shown(path)} names no digest`);
  const vouching = [
    ["targets", all.targets] as const,
    ...Object.entries(all.delegated).filter(([name]) => isNamedBy(all.targets, name, path)),
  ].filter(([, { signed }]) => Object.hasOwn(signed.targets, path));
  for (const [, { signed }] of vouching) requireSame(path, assigned, signed.targets[path]);
  const [first] = vouching;
  if (first === undefined) {
    throw new Fault("trust/mismatch", `${shown(path)}: no builder has signed it`);
  }
  const [by, { signed }] = first;
  const toplevel = signed.targets[path]?.custom?.toplevel;
  if (toplevel === undefined) throw malformed(`${shown(path)}: ${by} says no toplevel`);
  return {
    inputDigest,
    length: assigned.length,
    sha256: assigned.hashes.sha256,
    toplevel,
    by,
  };
}

function requireSame(path: string, assigned: Target, target: Target | undefined): void {
  const isSame =
    assigned.length === target?.length && assigned.hashes.sha256 === target.hashes.sha256;
  if (isSame) return;
  throw new Fault("trust/mismatch", `${shown(path)}: the director names other bytes`);
}

/** What the owners may have revoked. */
export interface Allowable {
  readonly release: Pick<Assignment["release"], "path" | "number">;
  readonly closures: readonly Pick<AssignedClosure, "inputDigest">[];
}

/**
 * Whether the owners still allow what is assigned: nothing of it is revoked, and the release is not
 * below the least. Throws `trust/revoked`, `trust/below-minimum`.
 */
export function requireAllowed({ signed }: TargetsMetadata, wanted: Allowable): void {
  const { release, closures } = wanted;
  const paths = [
    release.path,
    ...closures.map(({ inputDigest }) => `${closurePrefix}${inputDigest}`),
  ];
  const revoked = paths.find((path) => signed.revoked?.includes(path) === true);
  if (revoked !== undefined) throw new Fault("trust/revoked", `${shown(revoked)} is revoked`);
  const least = signed.minimumRelease ?? 0;
  if (release.number >= least) return;
  throw new Fault(
    "trust/below-minimum",
    `${shown(release.path)} is number ${release.number}, and the owners allow none below ${least}`,
  );
}

/** A target's bytes against what was signed. Throws `trust/target-hash`. */
export function requireTarget(
  path: string,
  bytes: Uint8Array,
  signed: { readonly length: number; readonly sha256: string },
): void {
  if (bytes.length !== signed.length) {
    throw new Fault(
      "trust/target-hash",
      `${shown(path)}: ${bytes.length} bytes where ${signed.length} are signed`,
    );
  }
  if (sha256(bytes) === signed.sha256) return;
  throw new Fault("trust/target-hash", `${shown(path)}: its SHA-256 is not the signed one`);
}

function malformed(message: string): Fault {
  return new Fault("trust/malformed", message);
}

/** A path that others chose, safe and short enough for a message. */
function shown(path: string): string {
  return JSON.stringify(path.slice(0, 96)).slice(1, -1);
}
