import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { RootMetadata } from "#generated/protocol/trust/root.ts";
import type { Target, TargetsMetadata } from "#generated/protocol/trust/targets.ts";
import { canonicalBytes } from "#protocol/trust/canonical.ts";
import {
  type Delegation,
  type ImageTargets,
  makeRoot,
  makeTargets,
  type RoleKeys,
} from "#protocol/trust/sign/make-metadata.ts";
import {
  isVouchedFor,
  type RootRole,
  type Signers,
  signersOf,
  verifiedSigners,
} from "#protocol/trust/threshold.ts";
import { signingPlaces } from "./places.ts";
import { digestOfSigned } from "./read-repository.ts";
import { newest, type Repository, type StagedRole } from "./repository.ts";
import { delegationsOf, rolesOf } from "./roles.ts";
import type { Signer } from "./signer.ts";

const dayMs = 24 * 3_600_000;

/** When something is made, and for how long it counts. */
export interface Span {
  readonly nowMs: number;
  readonly days: number;
}

/** The roles of a root that is to be signed next. */
export type Roles = Readonly<Record<RootRole, RoleKeys>>;

/** What waits is signed by this many keys of a role, of so many that must. */
export interface Missing {
  /** `root`, `targets`, or `root as it was before`. */
  readonly role: string;
  readonly have: number;
  readonly need: number;
  /** Ids of keys that could still sign. */
  readonly open: readonly string[];
}

/** Content of the next root: what waits already, or else the newest, changed. Pure. */
export function nextRoot(
  { roots, staged }: Pick<Repository, "roots" | "staged">,
  change: (roles: Roles | undefined) => Roles,
  { nowMs, days }: Span,
): RootMetadata["signed"] {
  const before = staged.root ?? newest(roots);
  const version = (newest(roots)?.signed.version ?? 0) + 1;
  const roles = change(before === undefined ? undefined : rolesOf(before));
  return makeRoot({ version, expiresMs: nowMs + days * dayMs }, { roles, issuedMs: nowMs });
}

/** Content of the next targets metadata of the image role: what waits already, or else the newest, changed. Pure. */
export function nextTargets(
  { targets, staged }: Pick<Repository, "targets" | "staged">,
  change: (image: ImageTargets) => ImageTargets,
  { nowMs, days }: Span,
): TargetsMetadata["signed"] {
  const before = staged.targets ?? newest(targets);
  const version = (newest(targets)?.signed.version ?? 0) + 1;
  const image = before === undefined ? { targets: {}, delegations: [] } : imageOf(before);
  return makeTargets({ version, expiresMs: nowMs + days * dayMs }, change(image));
}

/** What targets metadata of the image role says. */
export function imageOf(metadata: TargetsMetadata): ImageTargets {
  const { targets, minimumRelease, revoked } = metadata.signed;
  return {
    targets,
    delegations: delegationsOf(metadata),
    ...(minimumRelease === undefined ? {} : { minimumRelease }),
    ...(revoked === undefined ? {} : { revoked }),
  };
}

/** The delegations with one changed, or added at the end. */
export function withDelegation(
  delegations: readonly Delegation[],
  changed: Delegation,
): readonly Delegation[] {
  const isThere = delegations.some(({ name }) => name === changed.name);
  if (!isThere) return [...delegations, changed];
  return delegations.map((each) => (each.name === changed.name ? changed : each));
}

/** The targets with one more. Throws `signing/exists` where another content has its name. */
export function withTarget(
  targets: Readonly<Record<string, Target>>,
  path: string,
  target: Target,
): Readonly<Record<string, Target>> {
  const known = Object.hasOwn(targets, path) ? targets[path] : undefined;
  if (known !== undefined && known.hashes.sha256 !== target.hashes.sha256)
    throw new Fault("signing/exists", `${path}: it is there with another content`);
  return { ...targets, [path]: target };
}

/** Puts content aside to be signed; signatures of what waited before are signatures of something else, and go. */
export function stage(
  files: Files,
  { directory }: Pick<Repository, "directory">,
  { role, signed }: { readonly role: StagedRole; readonly signed: object },
): void {
  const file = `${signingPlaces(directory).staged}/${role}.json`;
  files.write(file, prettyJson({ signed, signatures: [] }), { mode: 0o644 });
}

/** Whose signatures are missing until what waits counts; empty when nothing is. */
export function missingOf(
  repository: Pick<Repository, "roots" | "staged">,
  role: StagedRole,
): readonly Missing[] {
  return groupsOf(repository, role)
    .map(({ signers, name, metadata }) => missing(name, signers, metadata))
    .filter(({ have, need }) => have < need);
}

function groupsOf(
  { roots, staged }: Pick<Repository, "roots" | "staged">,
  role: StagedRole,
): readonly {
  readonly name: string;
  readonly signers: Signers;
  readonly metadata: RootMetadata | TargetsMetadata;
}[] {
  const last = newest(roots);
  const metadata = staged[role];
  if (metadata === undefined) return [];
  if (role === "targets") {
    const root = staged.root ?? last;
    return root === undefined
      ? []
      : [{ name: "targets", signers: signersOf(root, "targets"), metadata }];
  }
  const own = { name: "root", signers: signersOf(staged.root as RootMetadata, "root"), metadata };
  if (last === undefined) return [own];
  const before = {
    name: `root ${last.signed.version}`,
    signers: signersOf(last, "root"),
    metadata,
  };
  return [before, own];
}

function missing(
  role: string,
  signers: Signers,
  metadata: RootMetadata | TargetsMetadata,
): Missing {
  const signed = new Set(metadata.signatures.map(({ keyid }) => keyid));
  return {
    role,
    have: verifiedSigners(metadata, signers).length,
    need: signers.threshold,
    open: signers.keyids.filter((keyid) => !signed.has(keyid)),
  };
}

/** Whether the signature of a key would count for what waits, and is not there yet. */
export function waitsFor(
  repository: Pick<Repository, "roots" | "staged">,
  role: StagedRole,
  keyid: string,
): boolean {
  const groups = groupsOf(repository, role);
  return groups.some(
    ({ signers, metadata }) =>
      signers.keyids.includes(keyid) && !metadata.signatures.some((each) => each.keyid === keyid),
  );
}

/**
 * Signs what waits with one more key, and keeps the signature. `digest` is what was shown of it. Throws
 * `signing/nothing-waits`, `signing/unconfirmed`, `signing/signer-failed`.
 */
export async function signStaged(
  files: Files,
  repository: Repository,
  request: { readonly role: StagedRole; readonly signer: Signer; readonly digest: string },
): Promise<Repository> {
  const { role, signer, digest } = request;
  const metadata = repository.staged[role];
  if (metadata === undefined || !waitsFor(repository, role, signer.keyid))
    throw new Fault("signing/nothing-waits", `${role}: nothing waits for a signature of this key`);
  if (digestOfSigned(metadata) !== digest)
    throw new Fault("signing/unconfirmed", `${role}: its digest is ${digestOfSigned(metadata)}`);
  const sig = await signer.sign(canonicalBytes(metadata.signed));
  const signatures = [...metadata.signatures, { keyid: signer.keyid, sig }].toSorted((a, b) =>
    a.keyid < b.keyid ? -1 : 1,
  );
  const next = { signed: metadata.signed, signatures };
  const file = `${signingPlaces(repository.directory).staged}/${role}.json`;
  files.write(file, prettyJson(next), { mode: 0o644 });
  return { ...repository, staged: { ...repository.staged, [role]: next } };
}

/** What was published by {@link publishReady}. */
export interface Published {
  readonly role: StagedRole;
  readonly version: number;
}

/**
 * Publishes what has all of its signatures: a root first, for the targets need it. Each is made at once
 * and never changed again; what a kill leaves waiting beside it is known as published. Where the keys of
 * a new root do not vouch for the newest targets, the same content waits to be signed anew.
 */
export function publishReady(
  files: Files,
  repository: Repository,
  span: Span,
): { readonly repository: Repository; readonly published: readonly Published[] } {
  const { metadata: place, staged: stagedPlace } = signingPlaces(repository.directory);
  const published: Published[] = [];
  let { roots, targets, staged } = repository;
  const put = (role: StagedRole, metadata: RootMetadata | TargetsMetadata) => {
    const { version } = metadata.signed;
    const file = `${place}/${version}.${role}.json`;
    const text = prettyJson(metadata);
    // Somebody else may have published this version since it was read: what nodes have seen stays.
    if (!files.create(file, text, { mode: 0o644 }) && files.readText(file) !== text)
      throw new Fault(
        "signing/exists",
        `${file}: it was published meanwhile, with another content`,
        {
          hint: "look at what it holds, stage what is still wanted and have it signed",
        },
      );
    files.remove(`${stagedPlace}/${role}.json`);
    published.push({ role, version });
  };
  const { root } = staged;
  if (root !== undefined && missingOf({ roots, staged }, "root").length === 0) {
    put("root", root);
    roots = [...roots, root];
    staged = { ...staged, root: undefined };
  }
  const last = newest(roots);
  const image = staged.targets;
  const isImageReady =
    image !== undefined && last !== undefined && isVouchedFor(image, signersOf(last, "targets"));
  if (isImageReady) {
    put("targets", image);
    targets = [...targets, image];
    staged = { ...staged, targets: undefined };
  }
  const next = { ...repository, roots, targets, staged };
  return { repository: stageAgain(files, next, span), published };
}

/** After a change of the targets' keys: the same, for the new ones to sign. */
function stageAgain(files: Files, repository: Repository, span: Span): Repository {
  const { roots, targets, staged } = repository;
  const [root, image] = [newest(roots), newest(targets)];
  if (root === undefined || image === undefined || staged.targets !== undefined) return repository;
  if (isVouchedFor(image, signersOf(root, "targets"))) return repository;
  const signed = nextTargets(repository, (same) => same, span);
  stage(files, repository, { role: "targets", signed });
  return { ...repository, staged: { ...staged, targets: { signed, signatures: [] } } };
}
