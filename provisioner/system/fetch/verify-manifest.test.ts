import t from "tap";
import { canonicalJson } from "#core/canonical-json.ts";
import { fc } from "#core/fast-check.ts";
import type {
  ClosureManifest,
  ManifestPath,
} from "#generated/provisioner/system/fetch/manifest.ts";
import { fakeEntry, fakeManifest, fakePath, makeKeys } from "./fake-closure.ts";
import { readPublicKey, signText } from "./nix-key.ts";
import { signManifest } from "./sign-manifest.ts";
import { manifestDigest, type VerifyOptions, verifyManifest } from "./verify-manifest.ts";

const [ours, second, other] = [makeKeys("fleet-1"), makeKeys("fleet-2"), makeKeys("fleet-1")];
const nar = Buffer.from("an archive");
const inputDigest = "ab".repeat(32);
const good = fakeManifest(
  [
    fakeEntry("glibc", nar),
    fakeEntry("bash", nar, ["glibc", "bash"]),
    fakeEntry("system", nar, ["bash", "glibc"]),
  ],
  inputDigest,
);
const options: VerifyOptions = {
  keys: [readPublicKey(ours.publicKey)],
  threshold: 1,
  store: "/nix/store",
  inputDigest,
};

function verify(manifest: unknown, more: Partial<VerifyOptions> = {}) {
  const signed = signManifest(manifest as ClosureManifest, [ours.secret]);
  return verifyManifest(signed, { ...options, ...more });
}

t.test("a whole manifest is taken, its paths each after what they refer to", async (t) => {
  const shuffled = { ...good, paths: [...good.paths].reverse() };
  const { paths, toplevel, digest, signedBy } = verify(shuffled);
  const names = (entries: readonly ManifestPath[]) => entries.map(({ path }) => path.slice(44));
  t.same(names(paths), ["glibc", "bash", "system"]);
  t.equal(toplevel, fakePath("system"));
  t.equal(digest, manifestDigest(shuffled));
  t.same(signedBy, ["fleet-1"]);
});

t.test("who has signed", async (t) => {
  const line = (name: string, signature: string) => ({ key: name, signature });
  const { signatures } = JSON.parse(signManifest(good, [ours.secret]));
  const by = (list: unknown, more: Partial<VerifyOptions> = {}) =>
    verifyManifest(JSON.stringify({ manifest: good, signatures: list }), { ...options, ...more });
  const two = [ours, second].map(({ publicKey }) => readPublicKey(publicKey));
  const both = JSON.parse(signManifest(good, [ours.secret, second.secret])).signatures;
  t.same(by(both, { keys: two, threshold: 2 }).signedBy, ["fleet-1", "fleet-2"]);
  const [one] = signatures;
  const untrusted: Readonly<Record<string, () => unknown>> = {
    nobody: () => by([]),
    "a key of the same name": () => verifyManifest(signManifest(good, [other.secret]), options),
    "a key that is not trusted": () => verifyManifest(signManifest(good, [second.secret]), options),
    "the right key under another name": () => by([line("fleet-2", one.signature)]),
    "one of two": () => by(signatures, { keys: two, threshold: 2 }),
    "one key twice": () => by([one, one], { keys: two, threshold: 2 }),
    "one key under two names": () =>
      by([one, line("alias", one.signature)], {
        keys: [...two.slice(0, 1), readPublicKey(ours.publicKey.replace("fleet-1", "alias"))],
        threshold: 2,
      }),
    "over the digest alone, which says not what it is": () =>
      by([line("fleet-1", signText(ours.secret, manifestDigest(good)))]),
    "no key is trusted": () => by(signatures, { keys: [] }),
    "nobody is asked for": () => by(signatures, { threshold: 0 }),
  };
  for (const [name, attempt] of Object.entries(untrusted)) {
    t.throws(attempt, { code: "system/closure-untrusted" }, name);
  }
});

t.test("a signed manifest in which anything was changed is not the signed one", async (t) => {
  const signed = signManifest(good, [ours.secret]);
  let refused = 0;
  const changed: readonly ((m: ClosureManifest) => unknown)[] = [
    (m) => ({ ...m, toplevel: fakePath("bash"), paths: m.paths.slice(0, 2) }),
    (m) => ({ ...m, inputDigest: "cd".repeat(32) }),
    (m) => ({ ...m, paths: m.paths.map((p) => ({ ...p, narSize: p.narSize + 1 })) }),
    (m) => ({
      ...m,
      paths: m.paths.map((p) => ({ ...p, narHash: fakeEntry("x", Buffer.from("y")).narHash })),
    }),
    (m) => ({ ...m, paths: m.paths.map((p) => ({ ...p, references: [] })) }),
    (m) => ({ ...m, paths: [...m.paths, fakeEntry("backdoor", nar)] }),
    (m) => ({ ...m, paths: m.paths.slice(1) }),
    (m) => ({ ...m, paths: m.paths.map((p) => ({ ...p, downloadSize: 1 })) }),
  ];
  for (const change of changed) {
    const { manifest, signatures } = JSON.parse(signed);
    const text = JSON.stringify({ manifest: change(manifest), signatures });
    t.throws(() => verifyManifest(text, options), { code: "system/closure-untrusted" });
    refused += 1;
  }
  t.equal(refused, changed.length);
});

t.test("a manifest that was signed and is not whole is refused all the same", async (t) => {
  const [glibc, bash, system] = good.paths as [ManifestPath, ManifestPath, ManifestPath];
  const wrong: Readonly<Record<string, readonly [unknown, RegExp]>> = {
    "an extra path": [
      { ...good, paths: [...good.paths, fakeEntry("backdoor", nar)] },
      /does not need .*-backdoor/,
    ],
    "an extra path that refers to others": [
      { ...good, paths: [fakeEntry("backdoor", nar, ["system"]), ...good.paths] },
      /does not need .*-backdoor/,
    ],
    "a path that is missing": [
      { ...good, paths: [bash, system] },
      /-glibc, which .* needs, is not/,
    ],
    "no system": [{ ...good, toplevel: fakePath("none") }, /-none, which the system needs, is not/],
    "a path twice": [{ ...good, paths: [glibc, ...good.paths] }, /-glibc is there twice/],
    "a reference twice": [
      { ...good, paths: [glibc, { ...bash, references: [glibc.path, glibc.path] }, system] },
      /a reference is there twice/,
    ],
    "a circle": [
      { ...good, paths: [{ ...glibc, references: [bash.path] }, bash, system] },
      /need each other/,
    ],
    "another store": [
      fakeManifest([{ ...glibc, path: glibc.path.replace("/nix/store", "/gnu/store") }]),
      /expected an object of \/nix\/store/,
    ],
    "a path that leads out of the store": [
      fakeManifest([{ ...glibc, path: `${glibc.path}/../../etc` }]),
      /expected an object/,
    ],
    "more than fits on any disk": [
      fakeManifest(
        [1, 2, 3, 4, 5].map((n) => ({
          ...fakeEntry(`big${n}`, nar, n === 1 ? [] : [`big${n - 1}`]),
          narSize: 2 ** 40,
        })),
      ),
      /expected at most/,
    ],
    "another version": [{ ...good, version: 2 }, /version/],
    "a key that is not known": [{ ...good, postInstall: "sh" }, /additional properties/],
    "a size that is none": [{ ...good, paths: [{ ...glibc, narSize: -1 }] }, /narSize/],
  };
  for (const [name, [manifest, message]] of Object.entries(wrong)) {
    t.throws(
      () => verify(manifest, { inputDigest: null }),
      { code: "system/manifest-invalid", message },
      name,
    );
  }
});

t.test("a long chain and a wide one are walked without running out of stack", async (t) => {
  const count = 20_000;
  const chain = Array.from({ length: count }, (_, n) =>
    fakeEntry(`c${n}`, nar, n === 0 ? [] : [`c${n - 1}`]),
  );
  t.equal(verify(fakeManifest(chain), { inputDigest: null }).paths.length, count);
});

t.test("a system from other sources than those here is refused", async (t) => {
  t.throws(() => verify(good, { inputDigest: "cd".repeat(32) }), {
    code: "system/closure-mismatch",
  });
  const { inputDigest: _, ...unknown } = good;
  t.throws(() => verify(unknown), { code: "system/closure-mismatch", message: /unknown ones/ });
  t.equal(verify(good, { inputDigest: null }).inputDigest, inputDigest);
});

t.test("text that is no manifest ends in a fault and in nothing else", async (t) => {
  const texts = [
    "",
    "{",
    "null",
    "[]",
    '{"manifest":{}}',
    '{"__proto__":{"manifest":1}}',
    "x".repeat(33 * 1024 * 1024),
  ];
  for (const text of texts) {
    t.throws(() => verifyManifest(text, options), { code: "system/manifest-invalid" });
  }
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      try {
        verifyManifest(canonicalJson({ manifest: value, signatures: [] }), options);
        return false;
      } catch (error) {
        return /^system\//.test((error as { code: string }).code);
      }
    }),
  );
});

t.test(
  "any order of a manifest's paths leads to an order in which it can be taken in",
  async () => {
    const graph = fc.array(fc.array(fc.nat(30), { maxLength: 4 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(graph, fc.nat(), (edges, seed) => {
        const nodes = edges.map((to, n) =>
          fakeEntry(
            `n${n}`,
            nar,
            [...new Set(to.filter((m) => m < n))].map((m) => `n${m}`),
          ),
        );
        const all = edges.map((_, n) => `n${n}`);
        const top = fakeEntry("top", nar, all);
        const paths = [...nodes, top].sort((a, b) =>
          hash(a.path, seed) < hash(b.path, seed) ? -1 : 1,
        );
        const { paths: ordered } = verify({ ...fakeManifest([top]), paths }, { inputDigest: null });
        const seen = new Set<string>();
        return ordered.every(({ path, references }) => {
          const ready = references.every((reference) => seen.has(reference));
          seen.add(path);
          return ready;
        });
      }),
    );
  },
);

function hash(text: string, seed: number): string {
  return Buffer.from(`${seed}${text}`)
    .reduce((sum, byte) => (sum * 31 + byte) % 65_521, 7)
    .toString();
}
