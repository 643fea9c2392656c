import t from "tap";
import { canonicalJson } from "#core/canonical-json.ts";
import { type Examination, examine } from "./examine.ts";
import { type FakeFleet, fakeFleet, type HonestSet, releaseText } from "./fake-fleet.ts";
import type { Offer } from "./offer.ts";
import { addSignatures, signMetadata } from "./sign/sign-metadata.ts";
import { readTrusted, type TrustedState, trustedFromRoot, versionsOf } from "./trusted.ts";

/** A node of a fleet that has taken the fleet's first set. */
function taken(fleet: FakeFleet): TrustedState {
  const found = examine(trustedFromRoot(fleet.firstRoot), fleet.publish(), fleet.context());
  if (found.fault !== undefined) throw found.fault;
  return found.trusted;
}

t.test("an honest set is believed, and assigns what owners and director agree on", async (t) => {
  const fleet = fakeFleet();
  const release = {
    name: "two",
    number: 2,
    custom: { minimumAgent: "0.1.0", platforms: ["x86_64-linux"] },
  };
  const closure = {
    inputDigest: "a".repeat(64),
    toplevel: "/nix/store/8w2jyl6q6v3bwyg0rx1gd1b1jv5q8yqv-nixos-system-edge-17",
    manifest: "{}",
  };
  const set = fleet.publish({
    releases: [release],
    closures: [closure],
    assigned: "two",
    update: { id: "u-1", rollout: "spring" },
  });
  const found = examine(trustedFromRoot(fleet.firstRoot), set, fleet.context());
  t.equal(found.fault, undefined);
  t.ok(found.changed && found.complete);
  const text = releaseText(release);
  t.match(found.assignment, {
    updateId: "u-1",
    release: {
      path: "release/two",
      name: "two",
      number: 2,
      length: text.length,
      minimumAgent: "0.1.0",
      platforms: ["x86_64-linux"],
    },
    update: { id: "u-1", rollout: "spring" },
    closures: [
      {
        inputDigest: closure.inputDigest,
        toplevel: closure.toplevel,
        length: 2,
        by: "builder-x86",
      },
    ],
  });
  t.same(versionsOf(found.trusted), {
    root: 1,
    timestamp: 1,
    snapshot: 1,
    targets: 1,
    director: 1,
  });
  t.equal(found.trusted.timeFloor, "2026-02-01T00:00:00Z");
});

t.test("the same set again changes nothing and assigns the same", async (t) => {
  const fleet = fakeFleet();
  const set = fleet.publish();
  const first = examine(trustedFromRoot(fleet.firstRoot), set, fleet.context());
  const stored = readTrusted(JSON.parse(canonicalJson(first.trusted)));
  const again = examine(stored, set, fleet.context());
  t.equal(again.fault, undefined);
  t.notOk(again.changed);
  t.same(again.assignment, first.assignment);
});

t.test("a director that names nothing assigns nothing", async (t) => {
  const fleet = fakeFleet();
  const found = examine(taken(fleet), fleet.publish({ assigned: null }), fleet.context());
  t.match(found, { fault: undefined, assignment: null, complete: true, changed: true });
});

t.test("P-256 keys are as good as Ed25519 keys", async (t) => {
  const fleet = fakeFleet({ algorithm: "ecdsa-p256" });
  t.equal(taken(fleet).director?.signed.version, 1);
});

t.test("a usual update fits in 5 kB with its envelope", async (t) => {
  const fleet = fakeFleet();
  const release = (number: number) => ({ name: `2026-02-0${number}`, number });
  const closure = {
    inputDigest: "a".repeat(64),
    toplevel: "/nix/store/8w2jyl6q6v3bwyg0rx1gd1b1jv5q8yqv-nixos-system-edge-17",
    manifest: "{}",
  };
  const set = fleet.publish({
    releases: [release(1), release(2), release(3)],
    closures: [closure],
    assigned: "2026-02-03",
    update: { rollout: "spring", window: { cron: "0 2 * * *", durationMinutes: 120 } },
  });
  const envelope = {
    v: 1,
    id: "0b5c0f0e-6c0b-4c3a-9d0e-3f3f6a1f2b11",
    at: "2026-01-31T12:00:00.000Z",
    expiresAt: "2026-01-31T12:00:00.000Z",
    body: set,
  };
  const bytes = Buffer.byteLength(canonicalJson(envelope));
  t.ok(bytes <= 5_000, `${bytes} bytes`);
  t.comment(`${bytes} bytes`);
});

interface Case {
  readonly name: string;
  /** What reaches the node, of an honest next set. */
  readonly offer: (set: HonestSet, fleet: FakeFleet) => Offer;
  readonly code: string;
  readonly message?: RegExp;
}

const cases: readonly Case[] = [
  {
    name: "targets signed by one of two keys",
    offer: ({ targets, ...set }) => ({
      ...set,
      targets: { ...targets, signatures: targets.signatures.slice(1) },
    }),
    code: "trust/threshold",
    message: /^targets: signed by 1 of the keys of targets where 2/,
  },
  {
    name: "one signature twice",
    offer: ({ targets, ...set }) => ({
      ...set,
      targets: {
        ...targets,
        signatures: targets.signatures.flatMap((each, index) => (index === 0 ? [each, each] : [])),
      },
    }),
    code: "trust/threshold",
  },
  {
    name: "a changed word",
    offer: ({ targets, ...set }) => ({
      ...set,
      targets: { ...targets, signed: { ...targets.signed, minimumRelease: 0 } },
    }),
    code: "trust/threshold",
  },
  {
    name: "targets of another set",
    offer: (set, fleet) => ({ ...set, targets: fleet.publish().targets }),
    code: "trust/mismatch",
  },
  {
    name: "a director of another set",
    offer: (set, fleet) => ({ ...set, director: fleet.publish().director }),
    code: "trust/mismatch",
  },
  {
    name: "no director",
    offer: ({ director: _director, ...set }) => set,
    code: "trust/malformed",
  },
  {
    name: "a whole set for another node",
    offer: (_set, fleet) => {
      const other = fleet.forNode({ fleet: "plant-7", node: "edge-18" });
      let set = other.publish();
      for (let more = 0; more < 5; more++) set = other.publish();
      return set;
    },
    code: "trust/other-node",
  },
  {
    name: "a document that was not signed",
    offer: (set) => ({ ...set, documents: { "release/one": `${releaseText(one)} ` } }),
    code: "trust/target-hash",
  },
  {
    name: "a document of as many bytes",
    offer: (set) => ({
      ...set,
      documents: { "release/one": releaseText(one).replace("edge-17", "edge-66") },
    }),
    code: "trust/target-hash",
  },
  {
    name: "a release that the owners have revoked",
    offer: (_set, fleet) => fleet.publish({ revoked: ["release/one"] }),
    code: "trust/revoked",
  },
  {
    name: "a release below the least",
    offer: (_set, fleet) => fleet.publish({ minimumRelease: 2 }),
    code: "trust/below-minimum",
  },
];
const one = { name: "one", number: 1 };

for (const { name, offer, code, message } of cases) {
  t.test(`${name} is refused, and the next good set is taken`, async (t) => {
    const fleet = fakeFleet();
    const before = taken(fleet);
    const found = examine(before, offer(fleet.publish(), fleet), fleet.context());
    t.match(found.fault, { code, ...(message === undefined ? {} : { message }) });
    t.equal(found.assignment, null);
    const next = examine(
      found.trusted,
      fleet.publish({ revoked: [], minimumRelease: 0 }),
      fleet.context(),
    );
    t.equal(next.fault, undefined);
    t.equal(next.assignment?.release.name, "one");
  });
}

t.test("what is older is refused, part by part and as a whole", async (t) => {
  const fleet = fakeFleet();
  const old = fleet.publish();
  const middle = fleet.publish();
  const before = examine(trustedFromRoot(fleet.firstRoot), middle, fleet.context()).trusted;
  const outcome = (offer: Offer) => examine(before, offer, fleet.context());
  t.match(outcome(old), { fault: { code: "trust/rollback" }, changed: false });
  const snapshot = signMetadata(
    { ...middle.snapshot.signed, version: 9, meta: old.snapshot.signed.meta },
    fleet.keysOf("snapshot").keys,
  );
  const timestamp = signMetadata(
    { ...middle.timestamp.signed, version: 9, meta: { "snapshot.json": { version: 9 } } },
    fleet.keysOf("timestamp").keys,
  );
  t.match(outcome({ ...old, snapshot, timestamp }), {
    fault: { code: "trust/rollback", message: /targets\.json 1, and 2/ },
    changed: false,
  });
});

t.test(
  "keys are rotated through a chain of roots, and what was stolen leaves no versions",
  async (t) => {
    const fleet = fakeFleet();
    const before = taken(fleet);
    const set = fleet.publish();
    // Whoever has both keys that are online can push the versions up as far as numbers go.
    const far = 2 ** 31;
    const snapshot = signMetadata(
      { ...set.snapshot.signed, version: far },
      fleet.keysOf("snapshot").keys,
    );
    const timestamp = signMetadata(
      { ...set.timestamp.signed, version: far, meta: { "snapshot.json": { version: far } } },
      fleet.keysOf("timestamp").keys,
    );
    const stolen = examine(before, { ...set, snapshot, timestamp }, fleet.context());
    t.same(versionsOf(stolen.trusted).timestamp, far);
    t.match(examine(stolen.trusted, fleet.publish(), fleet.context()).fault, {
      code: "trust/rollback",
    });
    fleet.rotate("timestamp");
    fleet.rotate("snapshot");
    const healed = examine(stolen.trusted, fleet.publish(), fleet.context());
    t.equal(healed.fault, undefined);
    t.same(versionsOf(healed.trusted), {
      root: 3,
      timestamp: 1,
      snapshot: 1,
      targets: 4,
      director: 4,
    });
  },
);

t.test(
  "new keys of the director begin its versions anew; those of the owners, everything's",
  async (t) => {
    const fleet = fakeFleet();
    for (let more = 0; more < 4; more++) fleet.publish();
    let found: Examination = examine(
      trustedFromRoot(fleet.firstRoot),
      fleet.publish(),
      fleet.context(),
    );
    t.equal(versionsOf(found.trusted).director, 5);
    fleet.rotate("director");
    found = examine(found.trusted, fleet.publish(), fleet.context());
    t.equal(found.fault, undefined);
    t.match(versionsOf(found.trusted), { director: 1, targets: 6 });
    fleet.rotate("targets");
    found = examine(found.trusted, fleet.publish(), fleet.context());
    t.equal(found.fault, undefined);
    t.match(versionsOf(found.trusted), { root: 2, director: 2, targets: 1 });
  },
);

const system = (inputDigest: string, name: string) => ({
  inputDigest,
  toplevel: `/nix/store/8w2jyl6q6v3bwyg0rx1gd1b1jv5q8yqv-${name}`,
  manifest: JSON.stringify({ name }),
});
const withdrawn = system("a".repeat(64), "nixos-system-with-the-hole");
const mended = system("a".repeat(64), "nixos-system-mended");

/** What somebody offers who has the server's three keys: newer than all, around an older word of a builder. */
function aroundBuilder(fleet: FakeFleet, set: HonestSet, old: HonestSet): Offer {
  const version = set.timestamp.signed.version;
  const builder = old.delegated["builder-x86"];
  const meta = {
    ...set.snapshot.signed.meta,
    "builder-x86.json": { version: builder?.signed.version ?? 0 },
  };
  return {
    ...set,
    delegated: old.delegated,
    director: signMetadata(
      { ...set.director.signed, targets: old.director.signed.targets },
      fleet.keysOf("director").keys,
    ),
    snapshot: signMetadata({ ...set.snapshot.signed, meta }, fleet.keysOf("snapshot").keys),
    timestamp: signMetadata(
      { ...set.timestamp.signed, version, meta: set.timestamp.signed.meta },
      fleet.keysOf("timestamp").keys,
    ),
  };
}

t.test("what a builder has withdrawn does not come back with the server's keys", async (t) => {
  const fleet = fakeFleet();
  const releases = [{ name: "one", number: 1 }];
  const old = fleet.publish({ releases, assigned: "one", closures: [withdrawn] });
  const first = examine(trustedFromRoot(fleet.firstRoot), old, fleet.context());
  t.equal(first.assignment?.closures[0]?.toplevel, withdrawn.toplevel);
  const second = examine(first.trusted, fleet.publish({ closures: [mended] }), fleet.context());
  t.equal(second.assignment?.closures[0]?.toplevel, mended.toplevel);

  const evil = aroundBuilder(fleet, fleet.publish(), old);
  t.match(examine(second.trusted, evil, fleet.context()), {
    fault: { code: "trust/rollback", message: /builder-x86\.json 1, and 2 is known/ },
    ...{ changed: false, assignment: null },
  });

  const without = examine(second.trusted, fleet.publish({ closures: [] }), fleet.context());
  t.equal(without.fault, undefined);
  t.equal(without.trusted.delegated["builder-x86"]?.signed.version, 2, "kept as a floor");
  t.match(examine(without.trusted, evil, fleet.context()).fault, { code: "trust/rollback" });
  const good = examine(without.trusted, fleet.publish({ closures: [mended] }), fleet.context());
  t.equal(good.assignment?.closures[0]?.toplevel, mended.toplevel);

  const { signed } = good.trusted.delegated["builder-x86"] ?? {};
  t.ok(signed);
  const set = fleet.publish();
  const twice = {
    ...set,
    delegated: {
      "builder-x86": signMetadata(
        { ...set.delegated["builder-x86"]?.signed, version: signed?.version, targets: {} },
        fleet.keysOf("builder-x86").keys,
      ),
    },
  };
  const meta = { ...set.snapshot.signed.meta, "builder-x86.json": { version: signed?.version } };
  const snapshot = signMetadata({ ...set.snapshot.signed, meta }, fleet.keysOf("snapshot").keys);
  t.match(examine(good.trusted, { ...twice, snapshot }, fleet.context()).fault, {
    ...{ code: "trust/mismatch", message: /^builder-x86 \d+ is known with another content/ },
  });
});

t.test(
  "a builder of which nothing was taken yet has the floor that a snapshot gave it",
  async (t) => {
    const fleet = fakeFleet();
    const releases = [{ name: "one", number: 1 }];
    const old = fleet.publish({ releases, assigned: "one", closures: [withdrawn] });
    const before = examine(
      trustedFromRoot(fleet.firstRoot),
      fleet.publish({ closures: [] }),
      fleet.context(),
    ).trusted;
    t.same(before.delegated, {});
    t.match(examine(before, aroundBuilder(fleet, fleet.publish(), old), fleet.context()), {
      ...{ fault: { code: "trust/rollback" }, changed: false },
    });
  },
);

t.test("new keys of a builder begin its versions anew, whether it was heard or not", async (t) => {
  for (const closures of [[withdrawn], []]) {
    const fleet = fakeFleet();
    for (let more = 0; more < 4; more++) fleet.publish({ closures });
    const before = taken(fleet);
    fleet.rotate("builder-x86");
    const found = examine(before, fleet.publish({ closures: [mended] }), fleet.context());
    t.equal(found.fault, undefined);
    t.equal(found.trusted.delegated["builder-x86"]?.signed.version, 1);
    fleet.rotate("builder-x86");
    const silent = examine(found.trusted, fleet.publish({ closures: [] }), fleet.context());
    t.equal(silent.fault, undefined);
    t.same(silent.trusted.delegated, {}, "nobody vouches for what was known");
  }
});

t.test("each role's keys alone can be rotated, and the next set is taken", async (t) => {
  for (const role of ["root", "timestamp", "snapshot", "targets", "director"] as const) {
    const fleet = fakeFleet();
    for (let more = 0; more < 3; more++) fleet.publish();
    const before = taken(fleet);
    fleet.rotate(role);
    const found = examine(before, fleet.publish(), fleet.context());
    t.equal(found.fault, undefined, role);
    t.equal(found.assignment?.updateId, "update-5");
  }
});

t.test("a chain of 256 roots is followed in steps", async (t) => {
  const fleet = fakeFleet();
  const before = taken(fleet);
  for (let link = 0; link < 256; link++) fleet.rotate("snapshot");
  const set = fleet.publish();
  const half = examine(before, { root: set.root.slice(0, 128) }, fleet.context());
  t.match(half, { fault: undefined, assignment: null, complete: false, changed: true });
  t.equal(versionsOf(half.trusted).root, 129);
  const whole = examine(half.trusted, set, fleet.context());
  t.equal(whole.fault, undefined);
  t.equal(versionsOf(whole.trusted).root, 257);
  fleet.rotate("snapshot");
  t.match(examine(whole.trusted, { root: fleet.roots }, fleet.context()).fault, {
    code: "trust/limit",
  });
});

t.test("links that are good stay, where a later one is not", async (t) => {
  const fleet = fakeFleet();
  const before = taken(fleet);
  fleet.rotate("root");
  fleet.rotate("root");
  const set = fleet.publish();
  const [second, third] = set.root;
  const bad = { ...third, signatures: third?.signatures.slice(3) };
  const found = examine(before, { ...set, root: [second, bad] }, fleet.context());
  t.match(found, { fault: { code: "trust/threshold" }, changed: true, assignment: null });
  t.equal(versionsOf(found.trusted).root, 2);
  t.match(examine(before, { ...set, root: [third] }, fleet.context()).fault, {
    code: "trust/no-root",
    message: /root 2 is missing/,
  });
  t.equal(examine(found.trusted, set, fleet.context()).fault, undefined);
});

t.test("time: what has expired is refused, whatever the clock says", async (t) => {
  const fleet = fakeFleet();
  const before = taken(fleet);
  const set = fleet.publish();
  const day = 24 * 3_600_000;
  const at = (nowMs: number, clockTrusted: boolean) =>
    examine(before, set, { ...fleet.context(), nowMs, clockTrusted });
  t.equal(at(0, false).fault, undefined, "a clock in 1970 keeps nothing back");
  t.match(at(fleet.nowMs + day, true).fault, { code: "trust/expired" });
  t.match(at(fleet.nowMs + day, false).fault, { code: "trust/clock-untrusted" });
  t.match(at(Date.UTC(2050, 0, 1), false), {
    fault: { code: "trust/clock-untrusted" },
    changed: false,
  });
  // A week later somebody offers it to a node whose clock stands still; it knows the time by what was signed since.
  fleet.nowMs += 7 * day;
  const later = examine(before, fleet.publish(), {
    ...fleet.context(),
    nowMs: 0,
    clockTrusted: false,
  });
  t.equal(later.trusted.timeFloor, "2026-02-08T00:00:00Z");
  const stale = signMetadata(
    { ...set.timestamp.signed, version: 7 },
    fleet.keysOf("timestamp").keys,
  );
  t.match(
    examine(
      later.trusted,
      { ...set, timestamp: stale },
      { ...fleet.context(), nowMs: 0, clockTrusted: false },
    ).fault,
    { code: "trust/rollback" },
  );
});

t.test(
  "who holds the timestamp's key cannot end the time of a node that knows the time",
  async (t) => {
    const fleet = fakeFleet();
    const before = taken(fleet);
    const set = fleet.publish();
    const timestamp = signMetadata(
      { ...set.timestamp.signed, issued: "2090-01-01T00:00:00Z", expires: "2099-01-01T00:00:00Z" },
      fleet.keysOf("timestamp").keys,
    );
    const found = examine(before, { ...set, timestamp }, fleet.context());
    t.equal(found.trusted.timeFloor, "2026-02-01T00:00:00Z");
    const blind = { ...fleet.context(), nowMs: 0, clockTrusted: false };
    const fooled = examine(before, { ...set, timestamp }, blind);
    t.match(fooled, { fault: { code: "trust/expired" }, changed: true });
    fleet.rotate("timestamp");
    t.equal(examine(fooled.trusted, fleet.publish(), blind).fault, undefined, "new keys undo it");
  },
);

t.test("owners sign one after another, each where the own key is", async (t) => {
  const fleet = fakeFleet();
  const set = fleet.publish();
  const [first, second] = fleet.keysOf("targets").keys;
  if (first === undefined || second === undefined) throw new Error("two keys");
  const half = addSignatures({ signed: set.targets.signed, signatures: [] }, [first]);
  const before = trustedFromRoot(fleet.firstRoot);
  t.match(examine(before, { ...set, targets: half }, fleet.context()).fault, {
    code: "trust/threshold",
  });
  const twice = addSignatures(half, [first]);
  t.equal(twice.signatures.length, 1, "who signs again has signed once");
  const whole = addSignatures(twice, [second]);
  t.equal(examine(before, { ...set, targets: whole }, fleet.context()).fault, undefined);
});
