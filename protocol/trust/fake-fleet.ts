import { canonicalJson } from "#core/canonical-json.ts";
import type { RootMetadata } from "#generated/protocol/trust/root.ts";
import type { SnapshotMetadata } from "#generated/protocol/trust/snapshot.ts";
import type { Target, TargetsMetadata, Update } from "#generated/protocol/trust/targets.ts";
import type { TimestampMetadata } from "#generated/protocol/trust/timestamp.ts";
import type { NodeAddress } from "../topics.ts";
import type { TrustContext } from "./examine.ts";
import type { Offer } from "./offer.ts";
import { type KeyPair, newKeyPair } from "./sign/key-pair.ts";
import {
  type Delegation,
  makeBuilder,
  makeDirector,
  makeRoot,
  makeSnapshot,
  makeTargets,
  makeTimestamp,
  type RoleKeys,
  targetOf,
} from "./sign/make-metadata.ts";
import { signMetadata } from "./sign/sign-metadata.ts";
import type { RootRole } from "./threshold.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Every role that signs; builders by their names. */
export type FleetRole = RootRole | "director" | `builder-${string}`;

/** The keys of a role, with their private halves. */
export interface HeldKeys extends RoleKeys {
  readonly keys: readonly KeyPair[];
}

/** A release that the owners have signed. */
export interface FakeRelease {
  readonly name: string;
  readonly number: number;
  readonly custom?: Omit<NonNullable<Target["custom"]>, "number" | "update">;
  /** Further members of its document. */
  readonly document?: object;
}

/** A system that a builder has signed. */
export interface FakeClosure {
  readonly inputDigest: string;
  readonly toplevel: string;
  /** Its canonical manifest, or what stands for it. */
  readonly manifest: string;
}

/** What is published next; what is left out stays as it was last. */
export interface Publication {
  readonly releases?: readonly FakeRelease[];
  readonly minimumRelease?: number;
  readonly revoked?: readonly string[];
  readonly closures?: readonly FakeClosure[];
  /** Name of the release that the director assigns; `null`: none. */
  readonly assigned?: string | null;
  readonly update?: Partial<Update>;
}

/** A whole honest set, as a node is offered it. */
export interface HonestSet extends Offer {
  readonly root: readonly RootMetadata[];
  readonly timestamp: TimestampMetadata;
  readonly snapshot: SnapshotMetadata;
  readonly targets: TargetsMetadata;
  readonly director: TargetsMetadata;
  readonly delegated: Readonly<Record<string, TargetsMetadata>>;
  readonly documents: Readonly<Record<string, string>>;
}

/** How a fleet begins. */
export interface FakeFleetOptions {
  readonly nowMs?: number;
  readonly node?: NodeAddress;
  /** Kinds of the keys; Ed25519 where none is named. */
  readonly algorithm?: KeyPair["algorithm"];
}

/**
 * A fleet that holds all its keys and signs honestly, for tests: two of three for the root, two of
 * two for the image role, one for each that is online. Every set has higher versions than the last.
 */
export interface FakeFleet {
  readonly node: NodeAddress;
  nowMs: number;
  /** The keys of a role, now. */
  keysOf(role: FleetRole): HeldKeys;
  /** Every root so far, oldest first. */
  readonly roots: readonly RootMetadata[];
  /** The root of the image. */
  readonly firstRoot: RootMetadata;
  /** The next whole set. */
  publish(publication?: Publication): HonestSet;
  /** New keys for a role: a new root, or new delegations in the next set. Its versions begin anew, unless they are to go on. */
  rotate(role: FleetRole, options?: { readonly countsOn?: boolean }): void;
  /** Another fleet's words for another node, signed with the keys of this one. */
  forNode(node: NodeAddress): FakeFleet;
  /** What a node knows that has the right time. */
  context(): TrustContext;
}

/** The document of a release, as it is signed. */
export function releaseText({ name, number, document }: FakeRelease): string {
  const spec = { version: 1, hostname: "edge-17" };
  return canonicalJson({ v: 1, name, number, ...(document ?? { spec }) });
}

/** A {@link FakeFleet} with one release, which it assigns. */
export function fakeFleet(options: FakeFleetOptions = {}): FakeFleet {
  const make = (count: number, threshold: number): HeldKeys => ({
    keys: Array.from({ length: count }, () => newKeyPair(options.algorithm)),
    threshold,
  });
  const held = new Map<FleetRole, HeldKeys>([
    ["root", make(3, 2)],
    ["timestamp", make(1, 1)],
    ["snapshot", make(1, 1)],
    ["targets", make(2, 2)],
    ["director", make(1, 1)],
    ["builder-x86", make(1, 1)],
  ]);
  return openFleet(held, make, {
    nowMs: options.nowMs ?? Date.UTC(2026, 1, 1),
    node: options.node ?? { fleet: "plant-7", node: "edge-17" },
  });
}

function openFleet(
  held: Map<FleetRole, HeldKeys>,
  make: (count: number, threshold: number) => HeldKeys,
  start: { readonly nowMs: number; readonly node: NodeAddress },
): FakeFleet {
  const roots: RootMetadata[] = [];
  const versions = new Map<FleetRole, number>();
  let last: Publication = { releases: [{ name: "one", number: 1 }], assigned: "one" };
  let updates = 0;

  const keysOf = (role: FleetRole): HeldKeys => {
    const keys = held.get(role);
    if (keys === undefined) throw new Error(`no keys of ${role}`);
    return keys;
  };
  const next = (role: FleetRole): number => {
    const version = (versions.get(role) ?? 0) + 1;
    versions.set(role, version);
    return version;
  };
  const sign = <S>(role: FleetRole, signed: S, more: readonly KeyPair[] = []) =>
    signMetadata(signed, [...new Set([...keysOf(role).keys, ...more])]);

  function addRoot(before: readonly KeyPair[]): void {
    const standing = { version: roots.length + 1, expiresMs: fleet.nowMs + 365 * dayMs };
    const roles = {
      root: keysOf("root"),
      timestamp: keysOf("timestamp"),
      snapshot: keysOf("snapshot"),
      targets: keysOf("targets"),
    };
    roots.push(sign("root", makeRoot(standing, { roles, issuedMs: fleet.nowMs }), before));
  }

  function delegations(): readonly Delegation[] {
    return [...held.keys()]
      .filter((role) => role === "director" || role.startsWith("builder-"))
      .map((name) => ({
        name,
        ...keysOf(name),
        paths: name === "director" ? ["release/*", "closure/*"] : ["closure/*"],
      }));
  }

  function publish(publication: Publication = {}): HonestSet {
    last = { ...last, ...publication };
    const { releases = [], closures = [], assigned = null, minimumRelease, revoked } = last;
    const offline = fleet.nowMs + 90 * dayMs;
    const online = fleet.nowMs + dayMs;
    const signedTargets = Object.fromEntries(
      releases.map((release) => [
        `release/${release.name}`,
        targetOf(releaseText(release), { number: release.number, ...release.custom }),
      ]),
    );
    const targets = sign(
      "targets",
      makeTargets(
        { version: next("targets"), expiresMs: offline },
        {
          targets: signedTargets,
          delegations: delegations(),
          ...(minimumRelease === undefined ? {} : { minimumRelease }),
          ...(revoked === undefined ? {} : { revoked }),
        },
      ),
    );
    const closureTarget = ({ manifest, toplevel }: FakeClosure) => targetOf(manifest, { toplevel });
    const builder = sign(
      "builder-x86",
      makeBuilder(
        { version: next("builder-x86"), expiresMs: offline },
        Object.fromEntries(
          closures.map((each) => [`closure/${each.inputDigest}`, closureTarget(each)]),
        ),
      ),
    );
    updates += 1;
    const chosen = releases.find(({ name }) => name === assigned);
    const directed =
      chosen === undefined
        ? {}
        : {
            [`release/${chosen.name}`]: targetOf(releaseText(chosen), {
              update: { id: `update-${updates}`, ...last.update },
            }),
            ...Object.fromEntries(
              closures.map((each) => [`closure/${each.inputDigest}`, targetOf(each.manifest)]),
            ),
          };
    const director = sign(
      "director",
      makeDirector(
        { version: next("director"), expiresMs: online },
        { node: start.node, targets: directed },
      ),
    );
    const snapshot = sign(
      "snapshot",
      makeSnapshot(
        { version: next("snapshot"), expiresMs: online },
        {
          targets: targets.signed.version,
          director: director.signed.version,
          "builder-x86": builder.signed.version,
        },
      ),
    );
    const timestamp = sign(
      "timestamp",
      makeTimestamp(
        { version: next("timestamp"), expiresMs: fleet.nowMs + 6 * hourMs },
        { snapshot: snapshot.signed.version, issuedMs: fleet.nowMs },
      ),
    );
    const document =
      chosen === undefined ? {} : { [`release/${chosen.name}`]: releaseText(chosen) };
    return {
      root: roots.slice(1),
      timestamp,
      snapshot,
      targets,
      director,
      delegated: closures.length === 0 ? {} : { "builder-x86": builder },
      documents: document,
    };
  }

  const fleet: FakeFleet = {
    node: start.node,
    nowMs: start.nowMs,
    keysOf,
    roots,
    get firstRoot() {
      const [first] = roots;
      if (first === undefined) throw new Error("no root");
      return first;
    },
    publish,
    rotate(role, { countsOn = false } = {}) {
      const before = keysOf(role);
      const rootKeys = keysOf("root").keys;
      held.set(role, make(before.keys.length, before.threshold));
      if (!countsOn) versions.delete(role);
      if (role !== "director" && !role.startsWith("builder-")) addRoot(rootKeys);
    },
    forNode: (node) => openFleet(new Map(held), make, { nowMs: fleet.nowMs, node }),
    context: () => ({ nowMs: fleet.nowMs, clockTrusted: true, node: start.node }),
  };
  addRoot([]);
  return fleet;
}
