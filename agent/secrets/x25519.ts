import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from "node:crypto";

/** What stands before 32 bytes of a key in DER (RFC 8410). */
const privatePrefix = Buffer.from("302e020100300506032b656e04220420", "hex");
const publicPrefix = Buffer.from("302a300506032b656e032100", "hex");

/** Bytes of a key, and of a point. */
export const x25519Bytes = 32;

/** A private key from its 32 bytes. */
export function privateKeyOf(scalar: Uint8Array): KeyObject {
  const key = Buffer.concat([privatePrefix, scalar]);
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

/** The 32 bytes of the public key of a private one. */
export function publicBytesOf(privateKey: KeyObject): Uint8Array {
  const der = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return der.subarray(publicPrefix.length);
}

/** X25519 (RFC 7748) of a private key and a point. Throws where the result says nothing: a point of low order. */
export function x25519(privateKey: KeyObject, point: Uint8Array): Uint8Array {
  const key = Buffer.concat([publicPrefix, point]);
  const publicKey = createPublicKey({ key, format: "der", type: "spki" });
  return diffieHellman({ privateKey, publicKey });
}
