/** For tests: keys and signatures of the real ssh-keygen, and those of a key in hardware. */
import { spawnSync } from "node:child_process";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { signedLine } from "./signed-form.ts";
import { wireField } from "./wire.ts";

/** For a test that needs ssh-keygen. */
export const skipWithoutSshKeygen =
  spawnSync("ssh-keygen", ["-Y", "sign"]).error !== undefined && "needs ssh-keygen";

/** A key, and what signs with it. */
export interface Signer {
  /** The line of its `.pub` file. */
  readonly line: string;
  /** What `ssh-keygen -Y sign` writes beside the text. */
  sign(text: string | Uint8Array, options?: SignOptions): string;
}

export interface SignOptions {
  readonly namespace?: string;
  readonly hash?: "sha256" | "sha512";
}

/** Makes a key of a type, `ed25519`, `ecdsa` or `rsa`, in a directory of the test. */
export function makeSigner(
  t: { testdir(): string },
  type: string,
  { bits, comment = "ops@example.org" }: { readonly bits?: number; readonly comment?: string } = {},
): Signer & { readonly keyFile: string } {
  const directory = mkdtempSync(path.join(t.testdir(), `${type}-`));
  const key = path.join(directory, "key");
  const size = bits === undefined ? [] : ["-b", String(bits)];
  run(["-q", "-t", type, ...size, "-N", "", "-C", comment, "-f", key]);
  return {
    keyFile: key,
    line: readFileSync(`${key}.pub`, "utf8").trim(),
    sign(text, { namespace = "firstlight", hash = "sha512" } = {}) {
      const file = path.join(directory, "text");
      rmSync(`${file}.sig`, { force: true });
      writeFileSync(file, text);
      run(["-Y", "sign", "-q", "-n", namespace, "-O", `hashalg=${hash}`, "-f", key, file]);
      return readFileSync(`${file}.sig`, "utf8");
    },
  };
}

function run(args: readonly string[]): void {
  const { status, stderr } = spawnSync("ssh-keygen", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`ssh-keygen ${args.join(" ")}: ${stderr}`);
}

/** A document that is signed as a whole. */
export function signedWith(
  signer: Signer,
  text: string | Uint8Array,
  options: SignOptions = {},
): Buffer {
  return Buffer.concat([
    Buffer.from(`${signedLine}\n${signer.sign(text, options)}`),
    Buffer.from(text),
  ]);
}

/** The bytes that stand in the armour. */
export function signatureBytes(armoured: string): Buffer {
  return Buffer.from(armoured.split("\n").slice(1, -2).join(""), "base64");
}

/** As a key in hardware signs, whose program is not there: what it does is written down in PROTOCOL.u2f. */
export function hardwareSigner(flags = 1): Signer {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const point = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
  const type = "sk-ssh-ed25519@openssh.com";
  const blob = Buffer.concat([type, point, "ssh:"].map(wireField));
  const digest = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest();
  return {
    line: `${type} ${blob.toString("base64")} token`,
    sign(text, { namespace = "firstlight" } = {}) {
      const about = [namespace, "", "sha512"].map(wireField);
      const ofText = wireField(createHash("sha512").update(text).digest());
      const state = Buffer.from([flags, 0, 0, 0, 9]);
      const signed = [
        digest("ssh:"),
        state,
        digest(Buffer.concat([Buffer.from("SSHSIG"), ...about, ofText])),
      ];
      const signature = [
        wireField(type),
        wireField(sign(null, Buffer.concat(signed), privateKey)),
        state,
      ];
      return armour([wireField(blob), ...about, wireField(Buffer.concat(signature))]);
    },
  };
}

/** The fields of a signature, in armour. */
export function armour(fields: readonly Uint8Array[]): string {
  const bytes = Buffer.concat([Buffer.from("SSHSIG\0\0\0\x01"), ...fields]);
  const lines = bytes.toString("base64").replace(/.{70}/g, "$&\n").trimEnd();
  return `-----BEGIN SSH SIGNATURE-----\n${lines}\n-----END SSH SIGNATURE-----\n`;
}
