import t from "tap";
import { fc } from "#core/fast-check.ts";
import { isFault } from "#core/fault.ts";
import { canonicalBytes } from "./canonical.ts";
import { verifyCommand } from "./command.ts";
import { examine } from "./examine.ts";
import { type FakeFleet, type FleetRole, fakeFleet, type HonestSet } from "./fake-fleet.ts";
import { keyIdOf, readKey } from "./keys.ts";
import { readUntrusted } from "./read-untrusted.ts";
import { newKeyPair, readKeyPair } from "./sign/key-pair.ts";
import { makeCommand } from "./sign/make-metadata.ts";
import { signMetadata } from "./sign/sign-metadata.ts";
import { readTrusted, trustedFromRoot } from "./trusted.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Values that readers have stumbled over. */
const hostileValue = fc.oneof(
  fc.constantFrom<Json>(
    ...[null, true, -0, -1, 0, 1.5, 1e300, 2 ** 53, 2 ** 53 - 1, "", "\ud800", "\0", "__proto__"],
    ...[
      "constructor",
      "../../etc",
      "9999-99-99T99:99:99Z",
      "2026-02-30T00:00:00Z",
      "*",
      "a".repeat(3000),
    ],
    ...[[], {}, [[[[[[]]]]]], { __proto__: null, constructor: { prototype: 1 } }],
  ),
  fc.json({ maxDepth: 3 }).map((text): Json => JSON.parse(text)),
);

/** Every place in a value, as a path of keys. */
function places(value: Json, at: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, item]) => places(item, [...at, key]))];
}

/** The value with another one at a place, or with none there. */
function replaced(value: Json, [key, ...rest]: readonly string[], by: Json | undefined): Json {
  if (key === undefined) return by ?? null;
  const copy = structuredClone(value) as { [key: string]: Json };
  if (rest.length > 0) copy[key] = replaced(copy[key] ?? null, rest, by);
  else if (by === undefined) delete copy[key];
  else copy[key] = by;
  return copy;
}

const plain = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;

/** Signed again by the role itself, where that is still possible: only what is inside is hostile. */
function signedAgain(fleet: FakeFleet, role: FleetRole, changed: Json): unknown {
  try {
    return signMetadata((changed as { signed: object }).signed, fleet.keysOf(role).keys);
  } catch {
    return changed;
  }
}

type Part = "timestamp" | "snapshot" | "targets" | "director";

t.test(
  "hostile metadata, rightly signed: a refusal or an honest release, and no surprise",
  async () => {
    const fleet = fakeFleet();
    const before = examine(
      trustedFromRoot(fleet.firstRoot),
      fleet.publish(),
      fleet.context(),
    ).trusted;
    const set: HonestSet = fleet.publish();
    const honest = set.targets.signed.targets["release/one"]?.hashes.sha256;
    const online: readonly Part[] = ["timestamp", "snapshot", "director"];
    await fc.assert(
      fc.property(
        fc.constantFrom<Part>("timestamp", "snapshot", "targets", "director"),
        fc.nat(),
        fc.option(hostileValue, { nil: undefined }),
        fc.boolean(),
        (part, index, value, isSigned) => {
          const whole = plain(set[part]);
          const all = places(whole);
          const changed = replaced(whole, all[index % all.length] ?? [], value);
          const found = examine(
            before,
            { ...set, [part]: isSigned ? signedAgain(fleet, part, changed) : changed },
            fleet.context(),
          );
          if (found.fault !== undefined) return found.assignment === null && isFault(found.fault);
          readTrusted(plain(found.trusted));
          // Whoever has what is online alone may hold back, and no more.
          const { assignment } = found;
          return (
            !online.includes(part) || assignment === null || assignment.release.sha256 === honest
          );
        },
      ),
      { numRuns: 1500 },
    );
  },
);

t.test("hostile roots: nothing but faults", async () => {
  const fleet = fakeFleet();
  const first = trustedFromRoot(fleet.firstRoot);
  fleet.rotate("root");
  const second = plain(fleet.roots[1]);
  const all = places(second);
  await fc.assert(
    fc.property(fc.nat(), fc.option(hostileValue, { nil: undefined }), (index, value) => {
      const changed = replaced(second, all[index % all.length] ?? [], value);
      const root = signedAgain(fleet, "root", changed);
      const found = examine(first, { root: [changed, root] }, fleet.context());
      try {
        trustedFromRoot(root);
      } catch (error) {
        if (!isFault(error)) return false;
      }
      return found.fault === undefined || isFault(found.fault);
    }),
    { numRuns: 500 },
  );
});

t.test("hostile commands: nothing but faults", async () => {
  const fleet = fakeFleet();
  const { trusted } = examine(trustedFromRoot(fleet.firstRoot), fleet.publish(), fleet.context());
  const { node, nowMs } = fleet;
  const command = makeCommand({
    ...{ node, id: "0b5c0f0e-6c0b-4c3a", name: "ping" },
    ...{ issuedMs: nowMs, expiresMs: nowMs + 60_000, arguments: { a: 1 } },
  });
  const whole = plain(signMetadata(command, fleet.keysOf("director").keys));
  const all = places(whole);
  await fc.assert(
    fc.property(fc.nat(), fc.option(hostileValue, { nil: undefined }), (index, value) => {
      const changed = replaced(whole, all[index % all.length] ?? [], value);
      try {
        verifyCommand(trusted, signedAgain(fleet, "director", changed), fleet.context());
        return true;
      } catch (error) {
        return isFault(error);
      }
    }),
    { numRuns: 500 },
  );
});

t.test(
  "what is too large, too deep or too many is refused before anything is made of it",
  async (t) => {
    const limits = { bytes: 1_000, depth: 4, members: 50 };
    const cases: readonly (readonly [string, string, string | null])[] = [
      ["as deep as may be", "[[[[]]]]", null],
      ["too deep", "[[[[[]]]]]", "trust/limit"],
      ["deep in a text only", JSON.stringify("[".repeat(100)), null],
      ["a text with a quote and a backslash", JSON.stringify(`"\\[[[[[[`), null],
      ["too many", `[${"0,".repeat(60)}0]`, "trust/limit"],
      ["too large", `"${"a".repeat(1_000)}"`, "trust/limit"],
      ["no JSON", "{", "trust/malformed"],
      ["an end without a beginning", "]]]]]]]]", "trust/malformed"],
    ];
    for (const [name, text, code] of cases) {
      if (code === null) t.same(readUntrusted(Buffer.from(text), limits), JSON.parse(text), name);
      else t.throws(() => readUntrusted(Buffer.from(text), limits), { code }, name);
    }
    t.throws(() => readUntrusted(Buffer.from([0x22, 0xff, 0x22])), { code: "trust/malformed" });
  },
);

t.test("a text that could be read as two is never signed", async (t) => {
  for (const value of ["\ud800", 1.5, 2 ** 53, Number.NaN, undefined, () => 1]) {
    t.throws(() => canonicalBytes({ value: [value] }), { code: "trust/malformed" }, String(value));
  }
  t.equal(
    canonicalBytes({ b: '\n"\\', a: [1, true, null] }).toString(),
    '{"a":[1,true,null],"b":"\n\\"\\\\"}',
  );
});

t.test(
  "keys: of two kinds, under their own id, and as often as they are the same key",
  async (t) => {
    for (const algorithm of ["ed25519", "ecdsa-p256"] as const) {
      const pair = newKeyPair(algorithm);
      t.equal(readKeyPair(pair.secret()).keyid, pair.keyid, "a key comes back from its file");
      const bytes = Buffer.from("anything");
      const key = readKey(pair.keyid, pair.key);
      t.ok(key.isSigned(bytes, Buffer.from(pair.sign(bytes), "hex")));
      t.notOk(key.isSigned(Buffer.from("another"), Buffer.from(pair.sign(bytes), "hex")));
      t.notOk(key.isSigned(bytes, Buffer.alloc(0)));
      t.notOk(key.isSigned(bytes, Buffer.alloc(64)));
      t.throws(() => readKey("0".repeat(64), pair.key), { code: "trust/malformed" });
      const twin = { ...pair.key, note: "the same" };
      t.equal(readKey(keyIdOf(twin), twin).fingerprint, key.fingerprint);
      const swapped = {
        ...pair.key,
        scheme: algorithm === "ed25519" ? "ecdsa-sha2-nistp256" : "ed25519",
      } as const;
      t.throws(() => readKey(keyIdOf(swapped), swapped), { code: "trust/malformed" });
      const other = { ...pair.key, keyval: { public: "zz" } };
      t.throws(() => readKey(keyIdOf(other), other), { code: "trust/malformed" });
    }
  },
);
