import type { Io } from "#core/io.ts";
import { decryptCredential } from "../../secrets/decrypt-credential.ts";
import type { FoundCredential } from "./find-credentials.ts";

/** The bytes of a credential; systemd-creds decrypts one that is encrypted. Throws `secret/decrypt-failed`. */
export async function readCredential(
  io: Io,
  { name, value, sealedFile }: FoundCredential,
): Promise<Uint8Array> {
  return value ?? decryptCredential(io, { name, file: sealedFile ?? "" });
}
