import { spawnSync } from "node:child_process";
import { createHash, createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fingerprintOf, readKeyLine, readSshPublicKey } from "./ssh-public-key.ts";
import { readSshSignature } from "./ssh-signature.ts";
import {
  armour,
  hardwareSigner,
  makeSigner,
  signatureBytes,
  skipWithoutSshKeygen,
} from "./try-sign.ts";
import { wireField } from "./wire.ts";

const skip = skipWithoutSshKeygen;
const text = Buffer.from("#cloud-config\nhostname: edge-1\n");

/** Whether bytes are read as a signature of a text. */
function fits(bytes: Uint8Array, of: Uint8Array = text): boolean {
  try {
    return readSshSignature(bytes).fits(of);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

const kinds = [
  ["ed25519", "sha512"],
  ["ed25519", "sha256"],
  ["ecdsa", "sha512"],
  ["rsa", "sha512"],
  ["rsa", "sha256"],
] as const;

for (const [type, hash] of kinds)
  t.test(
    `what ssh-keygen signs with ${type} over ${hash} fits its text and no other`,
    { skip },
    async (t) => {
      const signer = makeSigner(t, type, type === "rsa" ? { bits: 2048 } : {});
      const bytes = signatureBytes(signer.sign(text, { hash, namespace: "firstlight,serial=1" }));
      const { namespace, publicKey } = readSshSignature(bytes);
      t.equal(namespace, "firstlight,serial=1");
      t.same(readKeyLine(signer.line), { blob: publicKey, comment: "ops@example.org" });
      t.ok(fits(bytes));
      for (let at = 0; at < text.length; at += 1)
        t.notOk(fits(bytes, changed(text, at)), `text ${at}`);
      t.notOk(fits(bytes, text.subarray(0, -1)));
      t.notOk(fits(bytes, Buffer.concat([text, Buffer.from("\n")])));
    },
  );

for (const type of ["ed25519", "ecdsa", "rsa"])
  t.test(`no byte of a signature of ${type} can be changed, cut or added`, { skip }, async (t) => {
    const signer = makeSigner(t, type, type === "rsa" ? { bits: 2048 } : {});
    const bytes = signatureBytes(signer.sign(text));
    const taken: string[] = [];
    for (let at = 0; at < bytes.length; at += 1) {
      for (const bits of [0x01, 0x80, 0xff])
        if (fits(changed(bytes, at, bits))) taken.push(`byte ${at} ^ ${bits}`);
      if (fits(bytes.subarray(0, at))) taken.push(`cut to ${at}`);
    }
    if (fits(Buffer.concat([bytes, Buffer.alloc(1)]))) taken.push("a byte more");
    t.same(taken, []);
  });

function changed(bytes: Uint8Array, at: number, bits = 0x01): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ bits;
  return copy;
}

t.test("the fingerprint is that of ssh-keygen", { skip }, async (t) => {
  const { line } = makeSigner(t, "ed25519");
  const blob = readKeyLine(line)?.blob ?? new Uint8Array();
  const { stdout } = spawnSync("ssh-keygen", ["-l", "-f", "-"], { input: line, encoding: "utf8" });
  t.match(stdout, fingerprintOf(blob));
});

t.test(
  "a key in hardware signs with its own words around it, and only when it is touched",
  async (t) => {
    const bytes = signatureBytes(hardwareSigner().sign(text));
    t.ok(fits(bytes));
    for (let at = 0; at < bytes.length; at += 1) t.notOk(fits(changed(bytes, at)), `byte ${at}`);
    const untouched = signatureBytes(hardwareSigner(0).sign(text));
    t.throws(() => readSshSignature(untouched), { message: /nobody touched the key/ });
  },
);

t.test("what is taken of keys made here, ssh-keygen takes as well", { skip }, async (t) => {
  const directory = t.testdir({ text });
  const file = (name: string, content: string) => {
    const at = path.join(directory, name);
    writeFileSync(at, content);
    return at;
  };
  const verify = (line: string, armoured: string) => {
    const signers = file("signers", `ops ${line}\n`);
    const signature = file("text.sig", armoured);
    const args = ["-Y", "verify", "-n", "firstlight", "-I", "ops", "-f", signers, "-s", signature];
    return spawnSync("ssh-keygen", args, { input: text }).status === 0;
  };
  const token = hardwareSigner();
  t.equal(verify(token.line, token.sign(text)), true);
  for (const change of [{}, { algorithm: "rsa-sha2-256", digest: "sha256" }]) {
    const bytes = forged(change);
    const line = `ssh-rsa ${Buffer.from(readSshSignature(bytes).publicKey).toString("base64")}`;
    t.equal(
      verify(line, armour([bytes.subarray("SSHSIG".length + 4)])),
      true,
      JSON.stringify(change),
    );
  }
});

/** What a key signs, with every part to be chosen. */
function forged(change: {
  readonly hash?: string;
  readonly algorithm?: string;
  readonly digest?: string;
  readonly bits?: number;
  readonly reserved?: string;
  readonly more?: Uint8Array;
}): Buffer {
  const { hash = "sha512", algorithm = "rsa-sha2-512", digest = "sha512", reserved = "" } = change;
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: change.bits ?? 2048 });
  const { e = "", n = "" } = createPrivateKey({
    key: privateKey.export({ format: "jwk" }),
    format: "jwk",
  }).export({ format: "jwk" });
  const [exponent, modulus] = [e, n].map((number) => Buffer.from(number, "base64url"));
  const key = Buffer.concat([
    wireField("ssh-rsa"),
    wireField(exponent ?? ""),
    wireField(Buffer.concat([Buffer.alloc(1), modulus ?? Buffer.alloc(0)])),
  ]);
  const about = ["firstlight", reserved, hash].map(wireField);
  const ofText = createHash(hash === "sha256" ? "sha256" : "sha512")
    .update(text)
    .digest();
  const signed = Buffer.concat([Buffer.from("SSHSIG"), ...about, wireField(ofText)]);
  const signature = Buffer.concat([
    wireField(algorithm),
    wireField(sign(digest, signed, privateKey)),
    change.more ?? Buffer.alloc(0),
  ]);
  return signatureBytes(armour([wireField(key), ...about, wireField(signature)]));
}

t.test(
  "of RSA the signatures that count are those over SHA-2, with a key of 2048 bits or more",
  async (t) => {
    t.ok(fits(forged({})));
    t.ok(fits(forged({ algorithm: "rsa-sha2-256", digest: "sha256" })));
    const said = (change: Parameters<typeof forged>[0]) => {
      try {
        return readSshSignature(forged(change)).fits(text);
      } catch (error) {
        return (error as Error).message;
      }
    };
    t.match(said({ algorithm: "ssh-rsa", digest: "sha1" }), /rsa-sha2-256 or rsa-sha2-512 does/);
    t.match(said({ bits: 1024 }), /has 1024 bits, and 2048 to 16384 count/);
    t.match(said({ reserved: "for later" }), /a field that is kept for later/);
    t.match(said({ hash: "md5" }), /neither sha256 nor sha512/);
    t.match(said({ more: Buffer.alloc(1) }), /more follows/);
    t.equal(said({ digest: "sha256" }), false, "another hash than it says");
  },
);

t.test("a line that is no public key is none", async (t) => {
  const ed25519 = wireField("ssh-ed25519");
  const short = Buffer.concat([ed25519, wireField(Buffer.alloc(31))]).toString("base64");
  const whole = Buffer.concat([ed25519, wireField(Buffer.alloc(32, 1))]).toString("base64");
  t.match(readKeyLine(`ssh-ed25519 ${whole}`), { comment: "" });
  t.match(readKeyLine(` ssh-ed25519\t${whole}  a b \r`), { comment: "a b" });
  for (const line of [
    "",
    "ssh-ed25519",
    `ssh-ed25519 ${short}`,
    `ssh-rsa ${whole}`,
    `ssh-dss ${whole}`,
    `from="*" ssh-ed25519 ${whole}`,
    `ssh-ed25519 ${whole.slice(0, 40)}`,
    "ssh-ed25519 AAAA",
  ])
    t.equal(readKeyLine(line), undefined, line);
  const off = Buffer.concat(
    ["ecdsa-sha2-nistp256", "nistp256", Buffer.alloc(65, 4)].map(wireField),
  );
  t.throws(() => readSshPublicKey(off), { message: /cannot be one/ }, "a point off the curve");
});
