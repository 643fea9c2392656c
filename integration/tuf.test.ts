import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { Metadata, MetadataKind, Signature, TargetFile, Targets } from "@tufjs/models";
import t, { type Test } from "tap";
import { Updater } from "tuf-js";
import { fc } from "#core/fast-check.ts";
import { canonicalBytes } from "#protocol/trust/canonical.ts";
import { examine } from "#protocol/trust/examine.ts";
import { type FakeFleet, fakeFleet, type HonestSet } from "#protocol/trust/fake-fleet.ts";
import { type KeyPair, newKeyPair } from "#protocol/trust/sign/key-pair.ts";
import { trustedFromRoot } from "#protocol/trust/trusted.ts";
import { forge, stolen } from "./evil-server/forge.ts";

// The other implementation of TUF in this language, which shares nothing with ours but the
// specification: each reads what the other signs.

const toplevel = "/nix/store/8w2jyl6q6v3bwyg0rx1gd1b1jv5q8yqv-nixos-system-edge-17";
const closure = { inputDigest: "a".repeat(64), toplevel, manifest: "{}" };

/** The fleet's last set as the files of a TUF repository, consistent snapshots and all. */
function repository(fleet: FakeFleet, set: HonestSet): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  const put = (name: string, content: unknown) =>
    files.set(
      `/${name}`,
      Buffer.from(typeof content === "string" ? content : JSON.stringify(content)),
    );
  for (const root of fleet.roots) put(`metadata/${root.signed.version}.root.json`, root);
  put("metadata/timestamp.json", set.timestamp);
  put(`metadata/${set.snapshot.signed.version}.snapshot.json`, set.snapshot);
  put(`metadata/${set.targets.signed.version}.targets.json`, set.targets);
  put(`metadata/${set.director.signed.version}.director.json`, set.director);
  for (const [name, each] of Object.entries(set.delegated))
    put(`metadata/${each.signed.version}.${name}.json`, each);
  for (const [name, text] of Object.entries(set.documents)) {
    const digest = set.targets.signed.targets[name]?.hashes.sha256;
    put(`targets/${path.dirname(name)}/${digest}.${path.basename(name)}`, text);
  }
  return files;
}

/** tuf-js as a client of a server of these files. */
async function client(t: Test, first: unknown, fleet: FakeFleet) {
  const directory = t.testdir({ metadata: {}, targets: {} });
  writeFileSync(path.join(directory, "metadata/root.json"), JSON.stringify(first));
  let files: ReadonlyMap<string, Buffer> = new Map();
  const server = createServer(({ url }, response) => {
    const found = files.get(url ?? "");
    response.writeHead(found === undefined ? 404 : 200).end(found);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return (set: HonestSet) => {
    files = repository(fleet, set);
    return new Updater({
      metadataDir: path.join(directory, "metadata"),
      metadataBaseUrl: `http://127.0.0.1:${port}/metadata`,
      targetDir: path.join(directory, "targets"),
      targetBaseUrl: `http://127.0.0.1:${port}/targets`,
      config: { fetchRetry: false, fetchRetries: 0 },
    });
  };
}

for (const algorithm of ["ed25519", "ecdsa-p256"] as const) {
  t.test(
    `tuf-js believes what a fleet signs, ${algorithm}, also after keys were rotated`,
    async (t) => {
      const fleet = fakeFleet({ nowMs: Date.now(), algorithm });
      const updater = await client(t, fleet.firstRoot, fleet);
      let set = fleet.publish({ closures: [closure] });
      for (const role of ["timestamp", "snapshot", "root", "targets"] as const) {
        const tuf = updater(set);
        await tuf.refresh();
        const info = await tuf.getTargetInfo("release/one");
        t.equal(info?.length, set.targets.signed.targets["release/one"]?.length);
        if (info === undefined) return;
        const file = await tuf.downloadTarget(info, path.join(t.testdirName, "release"));
        t.equal(readFileSync(file, "utf8"), set.documents["release/one"]);
        const built = await tuf.getTargetInfo(`closure/${closure.inputDigest}`);
        t.equal(built?.length, 2, "by its delegated roles");
        fleet.rotate(role, { countsOn: true });
        set = fleet.publish();
      }
    },
  );
}

t.test("tuf-js refuses what we refuse", async (t) => {
  const fleet = fakeFleet({ nowMs: Date.now() });
  const updater = await client(t, fleet.firstRoot, fleet);
  const old = fleet.publish();
  const set = fleet.publish();
  await updater(set).refresh();
  const { trusted } = examine(trustedFromRoot(fleet.firstRoot), set, fleet.context());
  const [one] = set.targets.signatures;
  const director = stolen(fleet, "director");
  const next = fleet.publish();
  const cases: readonly (readonly [string, HonestSet])[] = [
    ["an older set", old],
    [
      "one signature of two",
      { ...next, targets: { ...next.targets, signatures: one ? [one] : [] } },
    ],
    ["a changed word", { ...next, targets: forge(next.targets, { minimumRelease: 0 }) }],
    ["the director's key for the owners'", { ...next, targets: forge(next.targets, {}, director) }],
  ];
  for (const [name, offer] of cases) {
    t.ok(examine(trusted, offer, fleet.context()).fault, name);
    await t.rejects(updater(offer).refresh(), name);
  }
});

/** The same metadata as tuf-js's models write and sign it. */
function written(kind: MetadataKind, honest: object, keys: readonly KeyPair[]): object {
  const data = JSON.parse(JSON.stringify(honest));
  const metadata = Metadata.fromJSON(kind as MetadataKind.Targets, { ...data, signatures: [] });
  for (const key of keys)
    metadata.sign((bytes) => new Signature({ keyID: key.keyid, sig: key.sign(bytes) }));
  return metadata.toJSON();
}

t.test("we believe what tuf-js's models write and sign", async (t) => {
  for (const algorithm of ["ed25519", "ecdsa-p256"] as const) {
    const fleet = fakeFleet({ algorithm });
    const set = fleet.publish({ closures: [closure] });
    const keys = (role: Parameters<FakeFleet["keysOf"]>[0]) => fleet.keysOf(role).keys;
    const root = written(MetadataKind.Root, fleet.firstRoot, keys("root"));
    const offer = {
      timestamp: written(MetadataKind.Timestamp, set.timestamp, keys("timestamp")),
      snapshot: written(MetadataKind.Snapshot, set.snapshot, keys("snapshot")),
      targets: written(MetadataKind.Targets, set.targets, keys("targets")),
      director: written(MetadataKind.Targets, set.director, keys("director")),
      delegated: {
        "builder-x86": written(
          MetadataKind.Targets,
          set.delegated["builder-x86"] ?? {},
          keys("builder-x86"),
        ),
      },
      documents: set.documents,
    };
    const found = examine(trustedFromRoot(root), offer, fleet.context());
    t.equal(found.fault, undefined, algorithm);
    t.match(found.assignment, { release: { name: "one" }, closures: [{ toplevel }] });
  }
});

t.test("both sign the same bytes of anything that can be signed", async () => {
  const key = newKeyPair();
  const text = fc.string({ unit: "grapheme", maxLength: 12 });
  const integer = fc.maxSafeInteger();
  const leaf = fc.oneof(text, integer, fc.boolean(), fc.constant(null));
  const value = fc.oneof(
    leaf,
    fc.array(leaf, { maxLength: 4 }),
    fc.dictionary(text, leaf, { maxKeys: 4 }),
  );
  const names = fc.string({ minLength: 1, maxLength: 12 }).map((name) => `x-${name}`);
  await fc.assert(
    fc.property(fc.dictionary(names, value, { maxKeys: 6 }), (more) => {
      const targets = new Targets({
        version: 7,
        specVersion: "1.0.34",
        expires: "2026-02-01T00:00:00Z",
        targets: {
          "release/one": new TargetFile({
            length: 2,
            path: "release/one",
            hashes: { sha256: "00" },
          }),
        },
        unrecognizedFields: more as Record<string, never>,
      });
      const metadata = new Metadata(targets);
      let signed: Buffer | undefined;
      metadata.sign((bytes) => {
        signed = bytes;
        return new Signature({ keyID: key.keyid, sig: "00" });
      });
      return signed?.equals(canonicalBytes(JSON.parse(JSON.stringify(targets.toJSON())))) === true;
    }),
  );
});
