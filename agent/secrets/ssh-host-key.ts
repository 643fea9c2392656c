import path from "node:path";
import { isFault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";

/** Where sshd keeps it on NixOS, and nearly everywhere. */
export const hostKeyFile = "/etc/ssh/ssh_host_ed25519_key";

/** An Ed25519 key of OpenSSH. */
export interface SshHostKey {
  /** The 32 bytes that the private key is made from. */
  readonly seed: Uint8Array;
  /** The public key as ssh sends it: what stands in base64 in a `.pub` file. */
  readonly publicKey: Uint8Array;
}

const magic = "openssh-key-v1\0";
const seedBytes = 32;

const sshdConfig = "/etc/ssh/sshd_config";

/**
 * The Ed25519 host key of this machine, `undefined` where there is none that can be read: the first of
 * those that sshd is told of, else the one at {@link hostKeyFile}.
 */
export function readHostKey(files: Files): SshHostKey | undefined {
  const told = (readText(files, sshdConfig) ?? "").matchAll(/^[ \t]*HostKey[ \t=]+"?([^"\s]+)/gim);
  for (const file of [...[...told].map(([, name]) => name ?? ""), hostKeyFile]) {
    const key = parseOpenSshKey(readText(files, file) ?? "");
    if (key !== undefined) return key;
  }
  return undefined;
}

function readText(files: Files, file: string): string | undefined {
  try {
    return path.isAbsolute(file) ? files.readText(file, { maxBytes: 256 * 1024 }) : undefined;
  } catch (error) {
    if (isFault(error)) return undefined;
    throw error;
  }
}

/**
 * Reads an Ed25519 private key that has no passphrase
 * (https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key); `undefined` for any other.
 */
export function parseOpenSshKey(text: string): SshHostKey | undefined {
  const [, base64] =
    /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----/.exec(
      text,
    ) ?? [];
  const bytes = Buffer.from(base64 ?? "", "base64");
  if (bytes.subarray(0, magic.length).toString("latin1") !== magic) return undefined;
  const outer = fieldsOf(bytes.subarray(magic.length));
  const [cipher, kdf] = [outer.text(), outer.text()];
  outer.bytes(); // options of the kdf
  if (cipher !== "none" || kdf !== "none" || outer.number() !== 1) return undefined;
  const publicKey = outer.bytes();
  const inner = fieldsOf(outer.bytes());
  const checks = [inner.number(), inner.number()];
  if (checks[0] !== checks[1]) return undefined; // as under a wrong passphrase
  const [type, point, secret] = [inner.text(), inner.bytes(), inner.bytes()];
  const isWhole = type === "ssh-ed25519" && secret.length === 2 * seedBytes;
  if (!isWhole || Buffer.compare(secret.subarray(seedBytes), point) !== 0) return undefined;
  return { seed: secret.subarray(0, seedBytes), publicKey };
}

/** Fields of ssh's format one after another; beyond the end they are empty. */
function fieldsOf(bytes: Buffer) {
  let at = 0;
  const take = (length: number) => {
    const taken = bytes.subarray(at, at + length);
    at += length;
    return taken;
  };
  const number = () => {
    const four = take(4);
    return four.length === 4 ? four.readUInt32BE() : 0;
  };
  const field = () => take(number());
  return { number, bytes: field, text: () => field().toString("latin1") };
}
