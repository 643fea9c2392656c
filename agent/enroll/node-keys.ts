import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { isFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import { keyFingerprint, type NodeKeyKind, nodeKeyKind } from "#protocol/enroll/node-key.ts";
import { type CredentialStore, encryptCredential } from "../secrets/credential-store.ts";
import { decryptCredential } from "../secrets/decrypt-credential.ts";
import { enrolDirectory } from "./places.ts";

/** Under which systemd-creds knows a node's key. */
const sealedName = "firstlight-enroll-key";

const plainFile = (fingerprint: string) => `${enrolDirectory}/key-${fingerprint}.pem`;
const sealedFile = (fingerprint: string) => `${enrolDirectory}/key-${fingerprint}.cred`;

/**
 * Makes a key and keeps it as the credential store keeps its secrets: encrypted by systemd-creds
 * where that works (host key, and TPM2 where there is one), else root-only. Returns its fingerprint.
 *
 * The key is made in memory and can be read by root while it is used: a TPM keeps it from whoever takes
 * the disk, and not from whoever is root.
 */
export async function makeNodeKey(
  io: Io,
  store: Pick<CredentialStore, "protection">,
  kind: NodeKeyKind = "ed25519",
): Promise<string> {
  const { privateKey } =
    kind === "ed25519"
      ? generateKeyPairSync("ed25519")
      : generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const fingerprint = keyFingerprint(privateKey);
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  const { encrypted } = await store.protection();
  io.files.makeDirectory(enrolDirectory, { mode: 0o700 });
  if (encrypted) {
    const sealed = await encryptCredential(io, sealedName, Buffer.from(pem));
    io.files.write(sealedFile(fingerprint), sealed, { mode: 0o400 });
  } else io.files.write(plainFile(fingerprint), pem, { mode: 0o400 });
  return fingerprint;
}

/**
 * A key of the node; `undefined` where it is not there, is another one, or was sealed by another machine: where
 * systemd-creds works, and does not open it. Throws `secret/decrypt-failed` where it does not work at
 * all for now: a key that was lost by mistake would cost the node its name.
 */
export async function openNodeKey(
  io: Io,
  fingerprint: string,
  store: Pick<CredentialStore, "protection">,
): Promise<KeyObject | undefined> {
  const pem = await readKey(io, fingerprint, store);
  if (pem === undefined) return undefined;
  try {
    const key = createPrivateKey({ key: Buffer.from(pem), format: "pem" });
    const isRight = nodeKeyKind(key) !== undefined && keyFingerprint(key) === fingerprint;
    return isRight ? key : undefined;
  } catch {
    return undefined; // no PEM any more
  }
}

async function readKey(
  io: Io,
  fingerprint: string,
  store: Pick<CredentialStore, "protection">,
): Promise<Uint8Array | undefined> {
  const sealed = sealedFile(fingerprint);
  if (io.files.stat(sealed) === undefined)
    return io.files.read(plainFile(fingerprint), { maxBytes: 4096 });
  try {
    return await decryptCredential(io, { name: sealedName, file: sealed });
  } catch (error) {
    const isForGood =
      isFault(error, "secret/decrypt-failed") && (await store.protection()).encrypted;
    if (isForGood) return undefined;
    throw error;
  }
}

/** Overwrites and removes every key that is not one of these, and what a power cut left of one. */
export function shredNodeKeys(io: Io, keep: readonly string[]): void {
  for (const name of io.files.list(enrolDirectory)) {
    const fingerprint = /^key-([0-9a-f]{64})\.(?:pem|cred)$/.exec(name)?.[1];
    const isTorn = /^\..*\.tmp$/.test(name);
    if (isTorn || (fingerprint !== undefined && !keep.includes(fingerprint)))
      io.files.remove(`${enrolDirectory}/${name}`, { overwrite: true });
  }
}
