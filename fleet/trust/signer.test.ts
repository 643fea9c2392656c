import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import t, { type Test } from "tap";
import { fakeIo } from "#core/fake-io.ts";
import type { ExecResult } from "#core/io.ts";
import { Secret } from "#core/secret.ts";
import { readKey } from "#protocol/trust/keys.ts";
import { newKeyPair } from "#protocol/trust/sign/key-pair.ts";
import { openKey, sealKey, wantsPassphrase } from "./age-key.ts";
import { makeKey, openSigner } from "./key-store.ts";

const bytes = Buffer.from("what is signed");

type Answer = (bytes: Uint8Array) => string;

const ed25519 = generateKeyPairSync("ed25519").privateKey;
const p256 = generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey;
const signed = (key: KeyObject, of: Uint8Array) =>
  sign(key.asymmetricKeyType === "ed25519" ? null : "sha256", of, key);

/** A program as docs/signing.md asks for it; `answer` is what it prints for the bytes. */
async function signerOf(t: Test, key: KeyObject, answer: Answer | Partial<ExecResult>) {
  const io = fakeIo(t.testdir(), {
    card: ({ args: [verb, keyid], stdin }) => {
      if (verb === "public")
        return { stdout: createPublicKey(key).export({ format: "pem", type: "spki" }).toString() };
      t.match(keyid, /^[0-9a-f]{64}$/);
      return typeof answer === "function" ? { stdout: answer(stdin as Uint8Array) } : answer;
    },
  });
  const made = await makeKey(io, "/fleet", {
    name: "card",
    keeping: { kept: "signer", program: "card" },
  });
  const askPassphrase = async () => new Secret("");
  const opening = { online: "/fleet/online", program: "card", askPassphrase };
  return { key: made.key, signer: await openSigner(io, "/fleet", { key: made.key, opening }) };
}

t.test("a program signs in place of a key file", async (t) => {
  for (const private_ of [ed25519, p256]) {
    for (const form of ["hex", "base64"] as const) {
      const answer: Answer = (of) => `${signed(private_, of).toString(form)}\n`;
      const { signer, key } = await signerOf(t, private_, answer);
      const signature = Buffer.from(await signer.sign(bytes), "hex");
      t.ok(readKey(key.keyid, key.key).isSigned(bytes, signature), `${key.key.scheme} ${form}`);
    }
  }
});

t.test("what a program gives is believed only when it is a signature of this key", async (t) => {
  const raw: Answer = (of) =>
    sign("sha256", of, { key: p256, dsaEncoding: "ieee-p1363" }).toString("hex");
  const failing: readonly (readonly [KeyObject, Answer | Partial<ExecResult>, RegExp])[] = [
    [ed25519, () => "no signature", /no signature of the key card/],
    [ed25519, () => "", /no signature of the key card/],
    [
      ed25519,
      () => signed(ed25519, Buffer.from("else")).toString("hex"),
      /no signature of the key/,
    ],
    [ed25519, (of) => signed(p256, of).toString("hex"), /no signature of the key/],
    [ed25519, { code: 3, stderr: "reading\ncard is locked\n" }, /ended with 3: card is locked/],
    [ed25519, { code: null, timedOut: true }, /longer than 120 s/],
    [p256, raw, /DER is expected/],
  ];
  for (const [key, answer, message] of failing) {
    const { signer } = await signerOf(t, key, answer);
    await t.rejects(signer.sign(bytes), { code: "signing/signer-failed", message });
  }
  const io = fakeIo(t.testdir(), { card: () => ({ stdout: "no key" }) });
  const keeping = { kept: "signer", program: "card" } as const;
  await t.rejects(makeKey(io, "/fleet", { name: "card", keeping }), {
    code: "signing/signer-failed",
    message: /no public key/,
  });
});

t.test("a key sealed to a passphrase opens with it and with no other", async (t) => {
  const pair = newKeyPair();
  const passphrase = new Secret("correct horse battery");
  const sealed = await sealKey(pair, { passphrase, workFactor: 4 });
  t.ok(await wantsPassphrase(sealed));
  t.equal((await openKey("alice", sealed, { passphrase })).keyid, pair.keyid);
  await t.rejects(openKey("alice", sealed, { passphrase: new Secret("wrong") }), {
    code: "signing/key-locked",
    message: /^alice: /,
  });
  await t.rejects(openKey("alice", sealed.slice(0, 200), { passphrase }), {
    code: "signing/key-locked",
  });
  await t.rejects(sealKey(pair, { recipients: ["age1wrong"] }), { code: "cli/usage" });
});
