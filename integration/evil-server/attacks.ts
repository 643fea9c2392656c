import { sha256 } from "#core/canonical-json.ts";
import type { Code } from "#core/codes.ts";
import {
  type FakeFleet,
  fakeFleet,
  type HonestSet,
  type Publication,
  releaseText,
} from "#protocol/trust/fake-fleet.ts";
import type { Offer } from "#protocol/trust/offer.ts";
import { newKeyPair } from "#protocol/trust/sign/key-pair.ts";
import {
  makeBuilder,
  makeRoot,
  makeSnapshot,
  targetOf,
} from "#protocol/trust/sign/make-metadata.ts";
import { message } from "#protocol/trust/sign/message.ts";
import { signMetadata } from "#protocol/trust/sign/sign-metadata.ts";
import type { TrustedVersions } from "#protocol/trust/trusted.ts";
import { forge, stolen } from "./forge.ts";

/** What an attacker has seen, and the node that is attacked. */
export interface Scene {
  readonly fleet: FakeFleet;
  /** What was published before the node came to the fleet, the oldest first; then what it has taken. */
  readonly past: readonly HonestSet[];
  /** What the fleet publishes next, on its way to the node. */
  readonly next: HonestSet;
  /** Ways to disturb the node itself. */
  readonly node: {
    /** Sets its clock; whether somebody who knows the time did so. */
    setClock(ms: number, isSet: boolean): void;
    /** Removes what it believes, as far as one directory goes. */
    loseTrustDirectory(): void;
    /** Removes everything that it keeps. */
    reset(): void;
  };
}

/** One way to make a node run what its owners did not sign, or to keep it from what they did. */
export interface Attack {
  /** Of `facts/updates.md`'s table, in TUF's words. */
  readonly kind: AttackKind;
  readonly name: string;
  /** What reaches the node. */
  readonly send: (scene: Scene) => Uint8Array;
  /** How the node must answer. */
  readonly code: Code;
  /** Versions that the node may have gone up to all the same, because they were rightly signed. */
  readonly advanced?: Partial<TrustedVersions>;
  /** The owners forbid what was assigned before, so that it goes. */
  readonly withdraws?: true;
  /** What the owners have to do before the next good update is taken; nothing, where it is absent. */
  readonly heal?: (scene: Scene) => void;
}

export type AttackKind =
  | "arbitrary software"
  | "rollback"
  | "indefinite freeze"
  | "mix-and-match"
  | "endless data"
  | "wrong node"
  | "key compromise"
  | "partial bundle"
  | "bogus clock"
  | "retained poison";

const offer = (body: Offer) => message(body);
const evilRelease = {
  name: "evil",
  number: 99,
  document: { spec: { version: 1, hostname: "evil" } },
};
const toplevel = "/nix/store/8w2jyl6q6v3bwyg0rx1gd1b1jv5q8yqv-nixos-system-edge-17";
const closure = { inputDigest: "a".repeat(64), toplevel, manifest: "{}" };
const hourMs = 3_600_000;

/** A whole set that names the attacker's release, everything signed with what `keys` says. */
function evilSet(
  { fleet, next }: Scene,
  has: Partial<Record<OnlineRole | "targets", number>>,
): Offer {
  const path = `release/${evilRelease.name}`;
  const text = releaseText(evilRelease);
  const keys = (role: OnlineRole | "targets") => {
    const count = has[role];
    return count === undefined ? undefined : stolen(fleet, role, count);
  };
  const targets = forge(
    next.targets,
    { targets: { ...next.targets.signed.targets, [path]: targetOf(text, { number: 99 }) } },
    keys("targets"),
  );
  const director = forge(
    next.director,
    { targets: { [path]: targetOf(text, { update: { id: "evil" } }) } },
    keys("director"),
  );
  const snapshot = forge(next.snapshot, {}, keys("snapshot"));
  const timestamp = forge(next.timestamp, {}, keys("timestamp"));
  return { ...next, targets, director, snapshot, timestamp, documents: { [path]: text } };
}

type OnlineRole = "timestamp" | "snapshot" | "director";

/** A timestamp and snapshot of the attacker around other metadata, where both keys are stolen. */
function around({ fleet, next }: Scene, versions: Record<string, number>, version = 50): Offer {
  const snapshot = signMetadata(
    makeSnapshot({ version, expiresMs: fleet.nowMs + hourMs }, versions),
    stolen(fleet, "snapshot"),
  );
  const timestamp = forge(
    next.timestamp,
    { version, meta: { "snapshot.json": { version } } },
    stolen(fleet, "timestamp"),
  );
  return { snapshot, timestamp };
}

/** The fleet publishes something else than it did. */
const published = (publication: Publication) => (scene: Scene) =>
  offer(scene.fleet.publish(publication));

/** Every attack that a verifier alone decides: no broker and no download is needed for it. */
export const attacks: readonly Attack[] = [
  {
    kind: "arbitrary software",
    name: "targets signed by one of two keys",
    send: (scene) => offer(evilSet(scene, { targets: 1, director: 1, snapshot: 1, timestamp: 1 })),
    code: "trust/threshold",
  },
  {
    kind: "arbitrary software",
    name: "targets signed by keys that nobody knows",
    send: ({ next }) => {
      const strangers = [newKeyPair(), newKeyPair("ecdsa-p256")];
      return offer({ ...next, targets: forge(next.targets, { minimumRelease: 0 }, strangers) });
    },
    code: "trust/threshold",
  },
  {
    kind: "arbitrary software",
    name: "a stranger's signature under a known id",
    send: ({ fleet, next }) => {
      const [first, second] = stolen(fleet, "targets");
      const stranger = newKeyPair();
      const forged = forge(next.targets, { minimumRelease: 0 }, first ? [first, stranger] : []);
      const signatures = forged.signatures.map((each, index) =>
        index === 0 ? each : { ...each, keyid: second?.keyid ?? "" },
      );
      return offer({ ...next, targets: { ...forged, signatures } });
    },
    code: "trust/threshold",
  },
  {
    kind: "arbitrary software",
    name: "one signature counted twice",
    send: ({ fleet, next }) => {
      const forged = forge(next.targets, { minimumRelease: 0 }, stolen(fleet, "targets", 1));
      const signatures = [...forged.signatures, ...forged.signatures];
      return offer({ ...next, targets: { ...forged, signatures } });
    },
    code: "trust/threshold",
  },
  {
    kind: "arbitrary software",
    name: "one key under two ids, which owners were talked into",
    send: ({ fleet, next }) => {
      // The same bytes of a key with a word more have another id; it is still one key.
      const [key] = stolen(fleet, "targets");
      if (key === undefined) throw new Error("no key");
      const twin = { ...key.key, keyval: { ...key.key.keyval, note: "spare" } };
      const twinId = sha256(
        `{"keytype":"ed25519","keyval":{"note":"spare","public":"${key.key.keyval.public}"},"scheme":"ed25519"}`,
      );
      const both = { keys: [key, { keyid: twinId, key: twin }], threshold: 2 };
      const roles = {
        root: fleet.keysOf("root"),
        timestamp: fleet.keysOf("timestamp"),
        snapshot: fleet.keysOf("snapshot"),
        targets: both,
      };
      const standing = { version: 2, expiresMs: fleet.nowMs + 1000 * hourMs };
      const root = signMetadata(
        makeRoot(standing, { roles, issuedMs: fleet.nowMs }),
        stolen(fleet, "root"),
      );
      const targets = forge(next.targets, { minimumRelease: 0 }, [key]);
      const again = targets.signatures.map((each) => ({ ...each, keyid: twinId }));
      const signatures = [...targets.signatures, ...again];
      return offer({ ...next, root: [root], targets: { ...targets, signatures } });
    },
    code: "trust/threshold",
    advanced: { root: 2, targets: 0, snapshot: 0, director: 0 },
    heal: ({ fleet }) => {
      fleet.rotate("snapshot");
      fleet.rotate("targets");
    },
  },
  {
    kind: "arbitrary software",
    name: "a signature that says itself how it is to be checked",
    send: ({ next }) => {
      const signatures = next.targets.signatures.map(({ keyid }) => ({
        ...{ keyid, sig: "", method: "none", scheme: "none", alg: "HS256" },
      }));
      const { signed } = forge(next.targets, { minimumRelease: 0 });
      return offer({ ...next, targets: { signed, signatures } });
    },
    code: "trust/threshold",
  },
  {
    kind: "arbitrary software",
    name: "a document of as many bytes as the signed one",
    send: ({ next }) => {
      const [[path, text] = ["", ""]] = Object.entries(next.documents);
      return offer({ ...next, documents: { [path]: text.replace("edge-17", "evil-17") } });
    },
    code: "trust/target-hash",
    advanced: { timestamp: 4, snapshot: 4, targets: 4, director: 4 },
  },
  {
    kind: "arbitrary software",
    name: "a document that nobody assigned",
    send: ({ next }) => offer({ ...next, documents: { "release/evil": releaseText(evilRelease) } }),
    code: "trust/target-hash",
    advanced: { timestamp: 4, snapshot: 4, targets: 4, director: 4 },
  },
  {
    kind: "rollback",
    name: "yesterday's whole set",
    send: ({ past }) => offer(past[0] ?? {}),
    code: "trust/rollback",
  },
  {
    kind: "rollback",
    name: "an older timestamp before newer metadata",
    send: ({ past, next }) => offer({ ...next, timestamp: past[0]?.timestamp }),
    code: "trust/rollback",
  },
  {
    kind: "rollback",
    name: "a new snapshot of old targets, with both keys stolen",
    send: (scene) => {
      const [old] = scene.past;
      return offer({ ...old, ...around(scene, { targets: 1, director: 1 }) });
    },
    code: "trust/rollback",
  },
  {
    kind: "rollback",
    name: "a new snapshot of the owners' newest and the director's old, with both keys stolen",
    send: (scene) => {
      const { next, past } = scene;
      return offer({
        ...next,
        director: past[0]?.director,
        ...around(scene, { targets: next.targets.signed.version, director: 1, "builder-x86": 4 }),
      });
    },
    code: "trust/rollback",
  },
  {
    kind: "rollback",
    name: "a snapshot that names the targets no more",
    send: (scene) => offer({ ...scene.next, ...around(scene, { director: 4 }) }),
    code: "trust/rollback",
  },
  {
    kind: "rollback",
    name: "a snapshot that names a builder no more",
    send: (scene) => offer({ ...scene.next, ...around(scene, { targets: 4, director: 4 }) }),
    code: "trust/rollback",
  },
  {
    kind: "rollback",
    name: "a system that a builder has withdrawn, with the server's three keys stolen",
    send: (scene) => {
      const { fleet, next } = scene;
      const path = `closure/${closure.inputDigest}`;
      // The builder itself has signed this once, and something newer since.
      const builder = signMetadata(
        makeBuilder(
          { version: 1, expiresMs: fleet.nowMs + 1000 * hourMs },
          { [path]: targetOf(closure.manifest, { toplevel }) },
        ),
        fleet.keysOf("builder-x86").keys,
      );
      const targets = { ...next.director.signed.targets, [path]: targetOf(closure.manifest) };
      return offer({
        ...next,
        director: forge(next.director, { targets }, stolen(fleet, "director")),
        delegated: { "builder-x86": builder },
        ...around(scene, { targets: 4, director: 4, "builder-x86": 1 }),
      });
    },
    code: "trust/rollback",
  },
  {
    kind: "rollback",
    name: "a timestamp that goes back to an older snapshot",
    send: ({ fleet, past, next }) => {
      const timestamp = forge(
        next.timestamp,
        { meta: { "snapshot.json": { version: 1 } } },
        stolen(fleet, "timestamp"),
      );
      return offer({ ...past[0], timestamp });
    },
    code: "trust/rollback",
  },
  {
    kind: "rollback",
    name: "yesterday's set to a node that lost what it believed",
    send: ({ past, node }) => {
      node.loseTrustDirectory();
      return offer(past[0] ?? {});
    },
    code: "trust/rollback",
  },
  {
    kind: "rollback",
    name: "a release older than the owners allow",
    send: published({ minimumRelease: 2 }),
    code: "trust/below-minimum",
    withdraws: true,
    advanced: { timestamp: 5, snapshot: 5, targets: 5, director: 5 },
  },
  {
    kind: "rollback",
    name: "a release that the owners have revoked",
    send: published({ revoked: ["release/one"] }),
    code: "trust/revoked",
    withdraws: true,
    advanced: { timestamp: 5, snapshot: 5, targets: 5, director: 5 },
  },
  {
    kind: "rollback",
    name: "an older root",
    send: ({ fleet, next }) => {
      fleet.rotate("snapshot");
      const [, second] = fleet.roots;
      return offer({ ...next, root: [fleet.firstRoot, second] });
    },
    // The old root is passed over; what the new one no longer vouches for is not taken.
    code: "trust/threshold",
    advanced: { root: 2, snapshot: 0 },
  },
  {
    kind: "indefinite freeze",
    name: "a set that was valid until an hour ago",
    send: ({ fleet, next, node }) => {
      fleet.nowMs += 7 * hourMs;
      node.setClock(fleet.nowMs, true);
      return offer(next);
    },
    code: "trust/expired",
  },
  {
    kind: "indefinite freeze",
    name: "old metadata under a fresh timestamp, whose key is stolen",
    send: ({ fleet, next, node }) => {
      fleet.nowMs += 48 * hourMs;
      node.setClock(fleet.nowMs, true);
      const timestamp = forge(
        next.timestamp,
        { version: 50, expires: "2030-01-01T00:00:00Z" },
        stolen(fleet, "timestamp"),
      );
      return offer({ ...next, timestamp });
    },
    code: "trust/expired",
    heal: ({ fleet }) => fleet.rotate("timestamp"),
  },
  {
    kind: "indefinite freeze",
    name: "metadata under a root that has expired",
    send: ({ fleet, next, node }) => {
      fleet.nowMs += 400 * 24 * hourMs;
      node.setClock(fleet.nowMs, true);
      return offer(next);
    },
    code: "trust/expired",
    heal: ({ fleet }) => fleet.rotate("root"),
  },
  {
    kind: "mix-and-match",
    name: "the snapshot of one set with the targets of the next",
    send: ({ fleet, next }) => offer({ ...next, targets: fleet.publish().targets }),
    code: "trust/mismatch",
  },
  {
    kind: "mix-and-match",
    name: "the director of another set",
    send: ({ fleet, next }) => offer({ ...next, director: fleet.publish().director }),
    code: "trust/mismatch",
  },
  {
    kind: "mix-and-match",
    name: "the timestamp of another set",
    send: ({ fleet, next }) => offer({ ...next, timestamp: fleet.publish().timestamp }),
    code: "trust/mismatch",
  },
  {
    kind: "mix-and-match",
    name: "a director that names other bytes than the owners, with its key stolen",
    send: ({ fleet, next }) => {
      const target = targetOf("{}", { update: { id: "evil" } });
      const director = forge(
        next.director,
        { targets: { "release/one": target } },
        stolen(fleet, "director"),
      );
      return offer({ ...next, director, documents: { "release/one": "{}" } });
    },
    code: "trust/mismatch",
  },
  {
    kind: "mix-and-match",
    name: "two different sets of one version, with every key that is online stolen",
    send: ({ fleet, past, next }) => {
      const taken = past.at(-1);
      const director = forge(
        next.director,
        { version: taken?.director.signed.version ?? 0 },
        stolen(fleet, "director"),
      );
      return offer({ ...taken, director });
    },
    code: "trust/mismatch",
  },
  {
    kind: "mix-and-match",
    name: "a system that no builder has signed, with the director's key stolen",
    send: ({ fleet, next }) => {
      const path = `closure/${"b".repeat(64)}`;
      const targets = { ...next.director.signed.targets, [path]: targetOf("{}", { toplevel }) };
      return offer({
        ...next,
        director: forge(next.director, { targets }, stolen(fleet, "director")),
      });
    },
    code: "trust/mismatch",
  },
  {
    kind: "mix-and-match",
    name: "a release that a builder has signed, with its key and the director's stolen",
    send: (scene) => {
      const { fleet } = scene;
      const set = fleet.publish({ closures: [closure] });
      const path = "release/evil";
      const target = targetOf(releaseText(evilRelease), { update: { id: "evil" } });
      const builder = set.delegated["builder-x86"];
      if (builder === undefined) throw new Error("no builder");
      return offer({
        ...set,
        delegated: {
          "builder-x86": forge(
            builder,
            { targets: { [path]: target } },
            stolen(fleet, "builder-x86"),
          ),
        },
        director: forge(set.director, { targets: { [path]: target } }, stolen(fleet, "director")),
      });
    },
    code: "trust/mismatch",
  },
  {
    kind: "endless data",
    name: "a message of 300 MB",
    send: () => Buffer.alloc(300 * 1024 * 1024),
    code: "trust/limit",
  },
  {
    kind: "endless data",
    name: "lists without an end",
    send: () => Buffer.from("[".repeat(200_000)),
    code: "trust/limit",
  },
  {
    kind: "endless data",
    name: "a hundred thousand members",
    send: ({ next }) => message({ ...next, junk: Array.from({ length: 100_000 }, () => 0) }),
    code: "trust/limit",
  },
  {
    kind: "endless data",
    name: "ten thousand roots",
    send: ({ fleet, next }) => {
      const links = Array.from({ length: 10_000 }, () => fleet.firstRoot);
      return offer({ ...next, root: links });
    },
    code: "trust/limit",
  },
  {
    kind: "endless data",
    name: "257 small roots",
    send: () => message({ root: Array.from({ length: 257 }, () => ({})) }),
    code: "trust/malformed",
  },
  {
    kind: "endless data",
    name: "ten thousand signatures",
    send: ({ next }) => {
      const signature = { keyid: "0".repeat(64), sig: "00" };
      const signatures = Array.from({ length: 2_000 }, () => signature);
      return offer({ ...next, timestamp: { ...next.timestamp, signatures } });
    },
    code: "trust/malformed",
  },
  {
    kind: "endless data",
    name: "a thousand delegations",
    send: ({ next }) => {
      const roles = next.targets.signed.delegations?.roles ?? [];
      const many = Array.from({ length: 500 }, () => roles[0]);
      const delegations = { keys: {}, roles: many };
      const signed = { ...next.targets.signed, delegations };
      return offer({ ...next, targets: { ...next.targets, signed } });
    },
    code: "trust/malformed",
  },
  {
    kind: "wrong node",
    name: "another node's whole set, with higher versions",
    send: ({ fleet }) => {
      const other = fleet.forNode({ fleet: fleet.node.fleet, node: "edge-18" });
      for (let more = 0; more < 20; more++) other.publish();
      return offer(other.publish());
    },
    code: "trust/other-node",
  },
  {
    kind: "wrong node",
    name: "a node of the same name in another fleet with the same keys",
    send: ({ fleet }) => {
      const other = fleet.forNode({ fleet: "plant-8", node: fleet.node.node });
      for (let more = 0; more < 20; more++) other.publish();
      return offer(other.publish());
    },
    code: "trust/other-node",
  },
  {
    kind: "wrong node",
    name: "a fleet that has nothing to do with it",
    send: ({ fleet }) => {
      const other = fakeFleet({ nowMs: fleet.nowMs, node: fleet.node });
      for (let more = 0; more < 20; more++) other.publish();
      return offer(other.publish());
    },
    code: "trust/threshold",
  },
  {
    kind: "key compromise",
    name: "the timestamp's key alone",
    send: (scene) => offer(evilSet(scene, { timestamp: 1 })),
    code: "trust/threshold",
  },
  {
    kind: "key compromise",
    name: "the keys of timestamp and snapshot",
    send: (scene) => offer(evilSet(scene, { timestamp: 1, snapshot: 1 })),
    code: "trust/threshold",
  },
  {
    kind: "key compromise",
    name: "every key that is online",
    send: (scene) => {
      const evil = evilSet(scene, { timestamp: 1, snapshot: 1, director: 1 });
      return offer({ ...evil, targets: scene.next.targets });
    },
    code: "trust/mismatch",
  },
  {
    kind: "key compromise",
    name: "the director's key, to name itself as a builder",
    send: ({ fleet }) => {
      const set = fleet.publish({ closures: [closure] });
      const builder = set.delegated["builder-x86"];
      if (builder === undefined) throw new Error("no builder");
      const forged = forge(builder, { targets: {} }, stolen(fleet, "director"));
      return offer({ ...set, delegated: { "builder-x86": forged } });
    },
    code: "trust/threshold",
  },
  {
    kind: "key compromise",
    name: "one root key, to make new roles",
    send: ({ fleet, next }) => {
      const own = { keys: [newKeyPair()], threshold: 1 };
      const roles = { root: own, timestamp: own, snapshot: own, targets: own };
      const standing = { version: 2, expiresMs: fleet.nowMs + 1000 * hourMs };
      const root = signMetadata(makeRoot(standing, { roles, issuedMs: fleet.nowMs }), [
        ...stolen(fleet, "root", 1),
        ...own.keys,
      ]);
      return offer({ ...next, root: [root] });
    },
    code: "trust/threshold",
  },
  {
    kind: "key compromise",
    name: "a root two versions up, signed as it should be",
    send: ({ fleet, next }) => {
      fleet.rotate("timestamp");
      fleet.rotate("timestamp");
      return offer({ ...next, root: fleet.roots.slice(2) });
    },
    code: "trust/no-root",
  },
  {
    kind: "partial bundle",
    name: "a set without its director",
    send: ({ next }) => offer({ ...next, director: undefined }),
    code: "trust/malformed",
  },
  {
    kind: "partial bundle",
    name: "a system without its builder's word",
    send: ({ fleet }) => offer({ ...fleet.publish({ closures: [closure] }), delegated: {} }),
    code: "trust/mismatch",
  },
  {
    kind: "bogus clock",
    name: "a clock ten years ahead, which a server of time has set so",
    send: ({ next, node, fleet }) => {
      node.setClock(fleet.nowMs + 3650 * 24 * hourMs, true);
      return offer(next);
    },
    code: "trust/expired",
    heal: ({ node, fleet }) => node.setClock(fleet.nowMs, true),
  },
  {
    kind: "bogus clock",
    name: "a clock in 2050 that nobody has set",
    send: ({ next, node }) => {
      node.setClock(Date.UTC(2050, 0, 1), false);
      return offer(next);
    },
    code: "trust/clock-untrusted",
    heal: ({ node, fleet }) => node.setClock(fleet.nowMs, true),
  },
  {
    kind: "bogus clock",
    name: "a clock in 1970, to make an expired set count",
    send: ({ past, node }) => {
      node.setClock(0, false);
      return offer(past[0] ?? {});
    },
    code: "trust/rollback",
  },
  {
    kind: "retained poison",
    name: "what a broker kept of last month, after a factory reset",
    send: ({ past, node, fleet }) => {
      fleet.nowMs += 30 * 24 * hourMs;
      node.reset();
      node.setClock(fleet.nowMs, true);
      return offer(past[0] ?? {});
    },
    code: "trust/expired",
    advanced: { timestamp: 0, snapshot: 0, targets: 0, director: 0 },
  },
  {
    kind: "retained poison",
    name: "no JSON at all",
    send: () => Buffer.from("run: reboot"),
    code: "trust/malformed",
  },
  {
    kind: "retained poison",
    name: "the body without a message around it",
    send: ({ next }) => Buffer.from(JSON.stringify(next)),
    code: "trust/malformed",
  },
];
