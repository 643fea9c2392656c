import { Fault } from "#core/fault.ts";
import type { Key } from "#generated/protocol/trust/key.ts";
import type { RootMetadata } from "#generated/protocol/trust/root.ts";
import type { TargetsMetadata } from "#generated/protocol/trust/targets.ts";
import type { Delegation, RoleKeys } from "#protocol/trust/sign/make-metadata.ts";
import type { RootRole } from "#protocol/trust/threshold.ts";

/** A role that has keys: one of the four of the root, the director, or a builder. */
export type FleetRole = RootRole | "director" | `builder-${string}`;

const rootRoles: readonly RootRole[] = ["root", "targets", "snapshot", "timestamp"];

/** Whether the root says whose keys a role has; of the others the image role does. */
export function isRootRole(role: FleetRole): role is RootRole {
  return rootRoles.some((each) => each === role);
}

/** A role by its name. Throws `cli/usage`. */
export function requireRole(name: string): FleetRole {
  const isBuilder = /^builder-[a-z0-9][a-z0-9-]{0,31}$/.test(name);
  if (isBuilder || name === "director" || rootRoles.some((each) => each === name))
    return name as FleetRole;
  const known = [...rootRoles, "director"].join(", ");
  throw new Fault(
    "cli/usage",
    `expected a role (${known} or builder-…), got ${JSON.stringify(name)}`,
  );
}

/** What a root says of its four roles. */
export function rolesOf({ signed }: RootMetadata): Readonly<Record<RootRole, RoleKeys>> {
  const of = (role: RootRole) => roleKeys(signed.roles[role], signed.keys);
  return {
    root: of("root"),
    targets: of("targets"),
    snapshot: of("snapshot"),
    timestamp: of("timestamp"),
  };
}

/** Whom the image role delegates to. */
export function delegationsOf({ signed }: TargetsMetadata): readonly Delegation[] {
  const { keys = {}, roles = [] } = signed.delegations ?? {};
  return roles.map(({ name, paths, ...role }) => ({ name, paths, ...roleKeys(role, keys) }));
}

/** What a delegated role may name. */
export function pathsOf(role: string): readonly string[] {
  return role === "director" ? ["release/*", "closure/*"] : ["closure/*"];
}

function roleKeys(
  { keyids, threshold }: { readonly keyids: readonly string[]; readonly threshold: number },
  keys: Readonly<Record<string, Key>>,
): RoleKeys {
  const held = keyids.flatMap((keyid) => {
    const key = keys[keyid];
    return key === undefined ? [] : [{ keyid, key }];
  });
  return { keys: held, threshold };
}

/** How the keys of a role shall change. */
export interface KeyChange {
  readonly add?: RoleKeys["keys"];
  /** Ids. */
  readonly remove?: readonly string[];
  readonly threshold?: number | undefined;
}

/** The keys of a role as they shall be. Throws `signing/quorum` where the role could sign no more. */
export function changeKeys(role: string, before: RoleKeys, change: KeyChange): RoleKeys {
  const { add = [], remove = [], threshold = before.threshold } = change;
  const kept = before.keys.filter(({ keyid }) => !remove.includes(keyid));
  const added = add.filter(({ keyid }) => !kept.some((each) => each.keyid === keyid));
  return requireQuorum(role, { keys: [...kept, ...added], threshold });
}

/** A role that can sign. Throws `signing/quorum`. */
export function requireQuorum(role: string, keys: RoleKeys): RoleKeys {
  const { length } = keys.keys;
  if (Number.isInteger(keys.threshold) && keys.threshold >= 1 && keys.threshold <= length)
    return keys;
  throw new Fault(
    "signing/quorum",
    `${role}: ${keys.threshold} signatures would be needed of ${length} ${length === 1 ? "key" : "keys"}`,
  );
}
