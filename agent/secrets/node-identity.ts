import { createPrivateKey, type KeyObject } from "node:crypto";
import { Fault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import {
  type CredentialStore,
  credentialsDirectory,
  encryptCredential,
} from "./credential-store.ts";
import { decryptCredential } from "./decrypt-credential.ts";
import { privateKeyOf } from "./x25519.ts";

/** In the clear, root-only: where systemd-creds does not work. */
const plainFile = `${credentialsDirectory}/.identity`;
const sealedFile = `${credentialsDirectory}/.identity.cred`;
/** Under which systemd-creds knows it. */
const sealedName = "firstlight-identity";

/** Whether this node has an identity of its own. */
export function hasIdentity(files: Files): boolean {
  return [sealedFile, plainFile].some((file) => files.stat(file) !== undefined);
}

/**
 * The key that envelopes are sealed to for this node, an X25519 private key; `undefined` before the
 * first boot has made it. Throws `secret/decrypt-failed`, `secret/identity-unreadable`.
 */
export async function readIdentity(io: Io): Promise<KeyObject | undefined> {
  const sealed = io.files.stat(sealedFile) !== undefined;
  const pem = sealed
    ? await decryptCredential(io, { name: sealedName, file: sealedFile })
    : io.files.read(plainFile, { maxBytes: 4096 });
  if (pem === undefined) return undefined;
  try {
    const key = createPrivateKey({ key: Buffer.from(pem), format: "pem" });
    if (key.asymmetricKeyType === "x25519") return key;
  } catch {
    // said below, without what stands there
  }
  const file = sealed ? sealedFile : plainFile;
  throw new Fault("secret/identity-unreadable", `${file}: expected an X25519 private key in PEM`);
}

/**
 * Makes the node's identity where there is none: as the credential store keeps its secrets, encrypted by
 * systemd-creds where that works, else root-only.
 */
export async function ensureIdentity(
  io: Io,
  store: Pick<CredentialStore, "protection">,
): Promise<void> {
  if (hasIdentity(io.files)) return;
  const key = privateKeyOf(io.random.bytes(32));
  const pem = key.export({ type: "pkcs8", format: "pem" });
  const { encrypted } = await store.protection();
  // Whoever makes one at the same time comes first: it may have been told to somebody.
  if (encrypted) {
    const sealed = await encryptCredential(io, sealedName, Buffer.from(pem));
    io.files.create(sealedFile, sealed, { mode: 0o400 });
  } else io.files.create(plainFile, pem, { mode: 0o400 });
}
