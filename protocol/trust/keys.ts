import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Key } from "#generated/protocol/trust/key.ts";
import { canonicalBytes } from "./canonical.ts";

/** A key that can be asked whether it has signed. */
export interface PublicKey {
  readonly keyid: string;
  /** SHA-256 of the key itself: one key under two ids is one. */
  readonly fingerprint: string;
  readonly algorithm: "ed25519" | "ecdsa-p256";
  isSigned(bytes: Uint8Array, signature: Uint8Array): boolean;
}

/** What an Ed25519 key has in front in DER (RFC 8410). */
const spkiHead = Buffer.from("302a300506032b6570032100", "hex");

/** The id that TUF gives a key. */
export function keyIdOf(key: Key): string {
  return sha256(canonicalBytes(key));
}

/** Reads a key of metadata. Throws `trust/malformed` when it is none, or stands under another's id. */
export function readKey(keyid: string, key: Key): PublicKey {
  if (keyIdOf(key) !== keyid) throw malformed(keyid, "its id is not the digest of the key");
  const algorithm = key.scheme === "ed25519" ? "ed25519" : "ecdsa-p256";
  if ((key.keytype === "ed25519") !== (algorithm === "ed25519")) {
    throw malformed(keyid, `a key of kind ${key.keytype} cannot sign by ${key.scheme}`);
  }
  const object = algorithm === "ed25519" ? ed25519(keyid, key) : p256(keyid, key);
  const der = object.export({ format: "der", type: "spki" });
  return {
    keyid,
    fingerprint: sha256(der),
    algorithm,
    isSigned(bytes, signature) {
      if (algorithm === "ed25519")
        return signature.length === 64 && verify(null, bytes, object, signature);
      return signature.length > 0 && verify("sha256", bytes, object, signature);
    },
  };
}

function ed25519(keyid: string, { keyval }: Key): KeyObject {
  if (!/^[0-9a-f]{64}$/.test(keyval.public)) {
    throw malformed(keyid, "expected 32 bytes in hexadecimal");
  }
  const der = Buffer.concat([spkiHead, Buffer.from(keyval.public, "hex")]);
  return createPublicKey({ key: der, format: "der", type: "spki" });
}

function p256(keyid: string, { keyval }: Key): KeyObject {
  if (!keyval.public.startsWith("-----BEGIN PUBLIC KEY-----")) {
    throw malformed(keyid, "expected a public key as PEM");
  }
  let object: KeyObject;
  try {
    object = createPublicKey({ key: keyval.public, format: "pem" });
  } catch (cause) {
    throw malformed(keyid, "expected a public key as PEM", cause);
  }
  const curve = object.asymmetricKeyDetails?.namedCurve;
  if (object.asymmetricKeyType === "ec" && curve === "prime256v1") return object;
  throw malformed(keyid, `expected a key on P-256, got ${curve ?? object.asymmetricKeyType}`);
}

function malformed(keyid: string, what: string, cause?: unknown): Fault {
  const options = cause === undefined ? {} : { cause };
  return new Fault("trust/malformed", `key ${keyid.slice(0, 12)}: ${what}`, options);
}
