import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { Fault } from "#core/fault.ts";
import type { Secret } from "#core/secret.ts";

/** An Ed25519 key with its name, as Nix writes it: `name:<base 64>`. */
export interface NixPublicKey {
  readonly name: string;
  /** The 32 bytes in base 64: two names of one key are told by it. */
  readonly bytes: string;
  readonly key: KeyObject;
}

/** The half that signs. */
export interface NixSecretKey {
  readonly name: string;
  readonly key: KeyObject;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** What an Ed25519 key has in front in DER (RFC 8410). */
const spkiHead = Buffer.from("302a300506032b6570032100", "hex");
const pkcs8Head = Buffer.from("302e020100300506032b657004220420", "hex");

/** Reads `name:<32 bytes in base 64>`. Throws `system/key-invalid`. */
export function readPublicKey(text: string): NixPublicKey {
  const { name, bytes } = split(text, 32, "a public key");
  const der = Buffer.concat([spkiHead, bytes]);
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  return { name, bytes: bytes.toString("base64"), key };
}

/**
 * Reads what `nix-store --generate-binary-cache-key` writes: `name:<seed and public key, 64 bytes in
 * base 64>`. Throws `system/key-invalid`, which says nothing of the key.
 */
export function readSecretKey(text: Secret<string>): NixSecretKey {
  const { name, bytes } = split(text.reveal().trim(), 64, "a secret key");
  const der = Buffer.concat([pkcs8Head, bytes.subarray(0, 32)]);
  return { name, key: createPrivateKey({ key: der, format: "der", type: "pkcs8" }) };
}

/** An Ed25519 signature in base 64. */
export function signText({ key }: NixSecretKey, text: string): string {
  return sign(null, Buffer.from(text, "utf8"), key).toString("base64");
}

/** Whether `signature` (base 64) is this key's over `text`. */
export function isSigned({ key }: NixPublicKey, text: string, signature: string): boolean {
  const bytes = Buffer.from(signature, "base64");
  return bytes.length === 64 && verify(null, Buffer.from(text, "utf8"), key, bytes);
}

function split(
  text: string,
  length: number,
  what: string,
): { readonly name: string; readonly bytes: Buffer } {
  const colon = text.indexOf(":");
  const name = text.slice(0, Math.max(0, colon));
  const digits = text.slice(colon + 1);
  const bytes = Buffer.from(digits, "base64");
  const whole = bytes.length === length && bytes.toString("base64") === digits;
  if (namePattern.test(name) && whole) return { name, bytes };
  const whose = namePattern.test(name) ? `${name}: ` : "";
  throw new Fault(
    "system/key-invalid",
    `${whose}expected ${what} as NAME:${length} bytes in base 64`,
  );
}
