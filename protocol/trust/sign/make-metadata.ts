import { sha256 } from "#core/canonical-json.ts";
import type { CommandMetadata } from "#generated/protocol/trust/command.ts";
import type { Role } from "#generated/protocol/trust/role.ts";
import type { RootMetadata } from "#generated/protocol/trust/root.ts";
import type { SnapshotMetadata } from "#generated/protocol/trust/snapshot.ts";
import type { Target, TargetsMetadata } from "#generated/protocol/trust/targets.ts";
import type { TimestampMetadata } from "#generated/protocol/trust/timestamp.ts";
import type { NodeAddress } from "../../topics.ts";
import { timeText } from "../metadata.ts";
import type { RootRole } from "../threshold.ts";
import type { KeyPair } from "./key-pair.ts";

/** What is signed, made here in one place: of what kind it is, and by which version of TUF. */
const specVersion = "1.0.34";

/** Version and end of a piece of metadata. */
export interface Standing {
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly expiresMs: number;
}

/** Whose keys a role has, and how many of them must sign. */
export interface RoleKeys {
  readonly keys: readonly Pick<KeyPair, "keyid" | "key">[];
  readonly threshold: number;
}

/** Root metadata to be signed. */
export function makeRoot(
  { version, expiresMs }: Standing,
  { roles, issuedMs }: { roles: Readonly<Record<RootRole, RoleKeys>>; issuedMs: number },
): RootMetadata["signed"] {
  return {
    _type: "root",
    spec_version: specVersion,
    version,
    expires: timeText(expiresMs),
    consistent_snapshot: true,
    issued: timeText(issuedMs),
    keys: keysOf(Object.values(roles)),
    roles: {
      root: roleOf(roles.root),
      timestamp: roleOf(roles.timestamp),
      snapshot: roleOf(roles.snapshot),
      targets: roleOf(roles.targets),
    },
  };
}

/** A role that the image role delegates to. */
export interface Delegation extends RoleKeys {
  /** `director`, or `builder-…`. */
  readonly name: string;
  /** Patterns of the targets that it may name. */
  readonly paths: readonly string[];
}

/** What the image role says. */
export interface ImageTargets {
  readonly targets: Readonly<Record<string, Target>>;
  readonly delegations: readonly Delegation[];
  readonly minimumRelease?: number;
  readonly revoked?: readonly string[];
}

/** Targets metadata of the image role to be signed. */
export function makeTargets(standing: Standing, image: ImageTargets): TargetsMetadata["signed"] {
  const { targets, delegations, minimumRelease, revoked } = image;
  return {
    ...common(standing),
    targets: { ...targets },
    delegations: {
      keys: keysOf(delegations),
      roles: delegations.map(({ name, paths, ...role }) => ({
        name,
        ...roleOf(role),
        terminating: false,
        paths: [...paths],
      })),
    },
    ...(minimumRelease === undefined ? {} : { minimumRelease }),
    ...(revoked === undefined ? {} : { revoked: [...revoked] }),
  };
}

/** Targets metadata of the director, for one node, to be signed. */
export function makeDirector(
  standing: Standing,
  { node, targets }: { node: NodeAddress; targets: Readonly<Record<string, Target>> },
): TargetsMetadata["signed"] {
  const { fleet, node: name } = node;
  return { ...common(standing), node: { fleet, node: name }, targets: { ...targets } };
}

/** Targets metadata of a builder to be signed. */
export function makeBuilder(
  standing: Standing,
  targets: Readonly<Record<string, Target>>,
): TargetsMetadata["signed"] {
  return { ...common(standing), targets: { ...targets } };
}

/** Snapshot metadata to be signed: versions by role. */
export function makeSnapshot(
  { version, expiresMs }: Standing,
  versions: Readonly<Record<string, number>>,
): SnapshotMetadata["signed"] {
  const files = Object.entries(versions).map(([role, each]) => [`${role}.json`, { version: each }]);
  return {
    _type: "snapshot",
    spec_version: specVersion,
    version,
    expires: timeText(expiresMs),
    meta: Object.fromEntries(files),
  };
}

/** Timestamp metadata to be signed. */
export function makeTimestamp(
  { version, expiresMs }: Standing,
  { snapshot, issuedMs }: { snapshot: number; issuedMs: number },
): TimestampMetadata["signed"] {
  return {
    _type: "timestamp",
    spec_version: specVersion,
    version,
    expires: timeText(expiresMs),
    issued: timeText(issuedMs),
    meta: { "snapshot.json": { version: snapshot } },
  };
}

/** What a command says. */
export interface CommandContent {
  readonly node: NodeAddress;
  /** Never used before. */
  readonly id: string;
  readonly name: CommandMetadata["signed"]["name"];
  readonly issuedMs: number;
  /** At most five minutes later. */
  readonly expiresMs: number;
  readonly arguments?: CommandMetadata["signed"]["arguments"];
}

/** A command to be signed. */
export function makeCommand(content: CommandContent): CommandMetadata["signed"] {
  const { node, id, name, issuedMs, expiresMs, arguments: given } = content;
  return {
    _type: "command",
    spec_version: specVersion,
    node: { fleet: node.fleet, node: node.node },
    id,
    name,
    issued: timeText(issuedMs),
    expires: timeText(expiresMs),
    ...(given === undefined ? {} : { arguments: given }),
  };
}

/** A target by its bytes. */
export function targetOf(bytes: string | Uint8Array, custom?: Target["custom"]): Target {
  return {
    length: Buffer.byteLength(bytes),
    hashes: { sha256: sha256(bytes) },
    ...(custom === undefined ? {} : { custom }),
  };
}

function common({ version, expiresMs }: Standing) {
  return {
    _type: "targets" as const,
    spec_version: specVersion,
    version,
    expires: timeText(expiresMs),
  };
}

function keysOf(roles: readonly RoleKeys[]): RootMetadata["signed"]["keys"] {
  const all = roles.flatMap(({ keys }) => keys);
  return Object.fromEntries(all.map(({ keyid, key }) => [keyid, key]));
}

function roleOf({ keys, threshold }: RoleKeys): Role {
  return { keyids: keys.map(({ keyid }) => keyid), threshold };
}
