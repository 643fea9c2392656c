import t from "tap";
import type { ManifestPath } from "#generated/provisioner/system/fetch/manifest.ts";
import { fakeEntry, fakeNarInfo, fakePath } from "./fake-closure.ts";
import { goodSignatures, readNarInfo, stagedNarInfo } from "./narinfo.ts";
import { readPublicKey } from "./nix-key.ts";

// Made by Nix 2.8: `nix copy --to 'file:///…?secret-key=…'`, and `nix path-info --json` of the path.
const recorded = `StorePath: /nix/store/dz93fzpk5sa5x2pm5689a2pi4iq4sgc2-top
URL: nar/0qlykf53dkisdis856m0ycnipnpg6s5ljj0jgng5izggjgmaagy3.nar.xz
Compression: xz
FileHash: sha256:0qlykf53dkisdis856m0ycnipnpg6s5ljj0jgng5izggjgmaagy3
FileSize: 232
NarHash: sha256:13wqsl4wlp0cwyxqgfx5b3w7jvghm8x9g22q0jky8xahmjch727b
NarSize: 240
References: dz93fzpk5sa5x2pm5689a2pi4iq4sgc2-top jx8frmxw45md8ynmf2b786dxksiaklbi-i1rngfb9rq4fk4vdafz5qalx07flbs9g-f1
Deriver: zvb0kyrr5f5xnqv6m9rqxwhj773bhljm-top.drv
Sig: k-1:6e1ezvCvxDNszTKa1LWZmGh664LMRBVKRUZg3dVCyRswVYvkHqKOKJaHZ4T9g719gkrbwl4MqZv4wQlxkH1kBw==
`;
const key = "k-1:bVSDhiloeOFDymKnFhlxXyO4nXiyCFOFWqZsvLEwe68=";
const wanted: ManifestPath = {
  path: "/nix/store/dz93fzpk5sa5x2pm5689a2pi4iq4sgc2-top",
  narHash: "sha256-64gDmaxQdeSnBFiIlzqq8G15+Filu4e75wxcygnVmI8=",
  narSize: 240,
  references: [
    "/nix/store/jx8frmxw45md8ynmf2b786dxksiaklbi-i1rngfb9rq4fk4vdafz5qalx07flbs9g-f1",
    "/nix/store/dz93fzpk5sa5x2pm5689a2pi4iq4sgc2-top",
  ],
};

t.test("what Nix says of a path that it has copied to a cache", async (t) => {
  const info = readNarInfo(recorded, wanted);
  t.match(info, { compression: "xz", fileSize: 232 });
  t.equal(info.url, "nar/0qlykf53dkisdis856m0ycnipnpg6s5ljj0jgng5izggjgmaagy3.nar.xz");
  t.match(info.fileHash, /^[0-9a-f]{64}$/);
});

t.test("a signature of Nix is known to be one, and of nothing else", async (t) => {
  const { signatures } = readNarInfo(recorded, wanted);
  const keys = [readPublicKey(key)];
  t.same(goodSignatures(wanted, signatures, keys), signatures);
  t.same(goodSignatures(wanted, signatures, []), []);
  t.same(goodSignatures(wanted, ["k-1:", "k-1:AAAA", "nonsense"], keys), []);
  const forged: readonly Partial<ManifestPath>[] = [
    { narSize: 241 },
    { references: [] },
    { path: fakePath("top") },
    { narHash: fakeEntry("x", Buffer.from("x")).narHash },
  ];
  for (const change of forged)
    t.same(goodSignatures({ ...wanted, ...change }, signatures, keys), []);
});

t.test("what a cache says otherwise than the manifest is a lie", async (t) => {
  const bytes = Buffer.from("packed");
  const entry = fakeEntry("bash", bytes, ["glibc"]);
  const say = (change: Readonly<Record<string, string | null>>) =>
    fakeNarInfo(entry, { bytes, compression: "zstd" }, change);
  t.match(readNarInfo(say({}), entry), { compression: "zstd", fileSize: 6 });
  t.match(readNarInfo(say({ Compression: null }), entry), { compression: "bzip2" });
  t.match(readNarInfo(say({ FileHash: null, FileSize: null }), entry), { fileHash: null });
  const lies: Readonly<Record<string, string | null>> = {
    StorePath: fakePath("zsh"),
    NarHash: "sha256:13wqsl4wlp0cwyxqgfx5b3w7jvghm8x9g22q0jky8xahmjch727b",
    NarSize: "7",
    References: "",
    FileHash: "md5:1",
    FileSize: String(10 ** 12),
    URL: "../../../etc/shadow",
  };
  for (const [name, value] of Object.entries(lies)) {
    const attempt = () => readNarInfo(say({ [name]: value }), entry);
    t.throws(attempt, { code: "system/cache-lied", message: new RegExp(`${name}: expected`) });
  }
  for (const url of [
    "http://192.0.2.1/x",
    "//192.0.2.1/x",
    "/etc/shadow",
    "file:///etc/shadow",
    "",
  ]) {
    t.throws(() => readNarInfo(say({ URL: url }), entry), { code: "system/cache-lied" }, url);
  }
  t.throws(() => readNarInfo(say({ Compression: "lrzip" }), entry), {
    code: "system/cache-unusable",
  });
  t.throws(() => readNarInfo("<html>", entry), { code: "system/cache-lied" });
});

t.test("what Nix is told of an archive comes from the manifest", async (t) => {
  t.equal(
    stagedNarInfo(wanted, ["k-1:sig"]),
    `StorePath: /nix/store/dz93fzpk5sa5x2pm5689a2pi4iq4sgc2-top
URL: nar/dz93fzpk5sa5x2pm5689a2pi4iq4sgc2.nar
Compression: none
NarHash: sha256:13wqsl4wlp0cwyxqgfx5b3w7jvghm8x9g22q0jky8xahmjch727b
NarSize: 240
References: jx8frmxw45md8ynmf2b786dxksiaklbi-i1rngfb9rq4fk4vdafz5qalx07flbs9g-f1 dz93fzpk5sa5x2pm5689a2pi4iq4sgc2-top
Sig: k-1:sig
`,
  );
});
