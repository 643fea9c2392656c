import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { FleetKey } from "#generated/fleet/trust/fleet-key.ts";
import type { KeyPair } from "#protocol/trust/sign/key-pair.ts";
import type { RoleKeys } from "#protocol/trust/sign/make-metadata.ts";
import { type Keeping, makeKey } from "./key-store.ts";
import { signingPlaces } from "./places.ts";
import { digestOfSigned, readKeyFiles, readRepository } from "./read-repository.ts";
import type { Repository, StagedRole } from "./repository.ts";
import { pathsOf, requireQuorum } from "./roles.ts";
import { localSigner } from "./signer.ts";
import { nextRoot, nextTargets, publishReady, signStaged, stage, waitsFor } from "./stage.ts";

/** Keys of a role, by their names. */
export interface NamedRole {
  readonly names: readonly string[];
  readonly threshold: number;
}

/** How a fleet begins. */
export interface FleetPlan {
  readonly fleet: string;
  readonly root: NamedRole;
  readonly targets: NamedRole;
  /** By the name of the role, `builder-…`. */
  readonly builders: Readonly<Record<string, NamedRole>>;
  /** Directory of the online keys. */
  readonly online: string;
  readonly nowMs: number;
  readonly rootDays: number;
  readonly targetsDays: number;
  /** How keys are kept that are not there yet; asked only where there is one. */
  keepNew(): Promise<Keeping>;
}

/** Roles whose keys a server has. */
const onlineRoles = ["director", "snapshot", "timestamp"] as const;

/**
 * Makes the signing repository of a fleet. Keys that are there under their names are taken, the others
 * are made; what the made ones may sign they sign at once, and what is missing then waits. A run that was
 * killed is gone on with by the next one. Throws `signing/exists`, `signing/quorum`, and as
 * {@link makeKey}.
 */
export async function initFleet(
  io: Pick<Io, "files" | "exec">,
  directory: string,
  plan: FleetPlan,
): Promise<Repository> {
  const { files } = io;
  const places = signingPlaces(directory);
  if (files.stat(places.settings) !== undefined)
    throw new Fault("signing/exists", `${places.settings}: there is a fleet in this directory`);
  const made = new Map<string, KeyPair>();
  const known = readKeyFiles(files, directory);
  let keeping: Keeping | undefined;
  const keyNamed = async (name: string, kept?: Keeping): Promise<FleetKey> => {
    const there = known.get(name);
    if (there !== undefined) return there;
    keeping = kept === undefined ? (keeping ?? (await plan.keepNew())) : keeping;
    const { key, pair } = await makeKey(io, directory, {
      name,
      keeping: kept ?? (keeping as Keeping),
    });
    known.set(name, key);
    if (pair !== undefined) made.set(key.keyid, pair);
    return key;
  };
  const keysOf = async (role: string, { names, threshold }: NamedRole): Promise<RoleKeys> => {
    requireQuorum(role, { keys: names.map((keyid) => ({ keyid, key: noKey })), threshold });
    const keys: FleetKey[] = [];
    for (const name of names) keys.push(await keyNamed(name));
    return { keys, threshold };
  };
  files.write(places.ignored, "/online/\n", { mode: 0o644 });
  const [root, targets] = [await keysOf("root", plan.root), await keysOf("targets", plan.targets)];
  const builders: [string, RoleKeys][] = [];
  for (const [role, named] of Object.entries(plan.builders)) {
    builders.push([role, await keysOf(role, named)]);
  }
  const online: FleetKey[] = [];
  for (const role of onlineRoles) {
    online.push(await keyNamed(role, { kept: "online", online: plan.online }));
  }
  const single = (index: number) => ({ keys: online.slice(index, index + 1), threshold: 1 });
  const begun = { roots: [], targets: [], staged: {} };
  const [rootSpan, targetsSpan] = [plan.rootDays, plan.targetsDays].map((days) => ({
    nowMs: plan.nowMs,
    days,
  })) as [{ nowMs: number; days: number }, { nowMs: number; days: number }];
  const first = nextRoot(
    begun,
    () => ({ root, targets, snapshot: single(1), timestamp: single(2) }),
    rootSpan,
  );
  const delegations = [["director", single(0)] as const, ...builders].map(([name, keys]) => ({
    name,
    paths: pathsOf(name),
    ...keys,
  }));
  const image = nextTargets(begun, (before) => ({ ...before, delegations }), targetsSpan);
  // What an earlier run has published it had signed by keys that are still there.
  stage(files, { directory }, { role: "root", signed: first });
  stage(files, { directory }, { role: "targets", signed: image });
  files.create(places.settings, prettyJson({ v: 1, fleet: plan.fleet }), { mode: 0o644 });
  const repository = readRepository(files, directory);
  const signed = await signWith(io, repository, made);
  return publishReady(files, signed, targetsSpan).repository;
}

/** A key's place in a count. */
const noKey = { keytype: "ed25519", scheme: "ed25519", keyval: { public: "" } } as const;

async function signWith(
  { files }: Pick<Io, "files">,
  repository: Repository,
  pairs: ReadonlyMap<string, KeyPair>,
): Promise<Repository> {
  let signed = repository;
  for (const role of ["root", "targets"] satisfies StagedRole[]) {
    const metadata = signed.staged[role];
    if (metadata === undefined) continue;
    const digest = digestOfSigned(metadata);
    for (const pair of pairs.values()) {
      if (!waitsFor(signed, role, pair.keyid)) continue;
      signed = await signStaged(files, signed, { role, signer: localSigner(pair), digest });
    }
  }
  return signed;
}
