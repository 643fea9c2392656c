import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";
import { Fault } from "#core/fault.ts";
import { Secret } from "#core/secret.ts";
import type { Key } from "#generated/protocol/trust/key.ts";
import { keyIdOf } from "../keys.ts";

/** How a key signs. */
export type KeyAlgorithm = "ed25519" | "ecdsa-p256";

/** A key that signs, and what metadata says of it. */
export interface KeyPair {
  readonly keyid: string;
  /** As it stands in root metadata and delegations. */
  readonly key: Key;
  readonly algorithm: KeyAlgorithm;
  /** A signature in hexadecimal, as TUF writes it. */
  sign(bytes: Uint8Array): string;
  /** The private half as PEM (PKCS 8). */
  secret(): Secret<string>;
}

/** A new key. */
export function newKeyPair(algorithm: KeyAlgorithm = "ed25519"): KeyPair {
  const { privateKey } =
    algorithm === "ed25519"
      ? generateKeyPairSync("ed25519")
      : generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  return keyPair(privateKey);
}

/** Reads what {@link KeyPair.secret} gave, or openssl made. Throws `trust/malformed`, which says nothing of the key. */
export function readKeyPair(pem: Secret<string>): KeyPair {
  try {
    return keyPair(createPrivateKey(pem.reveal()));
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault("trust/malformed", "expected a private key as PEM");
  }
}

/** What metadata says of a public key in PEM. Throws `trust/malformed` where it is none of the two kinds. */
export function describePublicKey(pem: string): Key {
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (cause) {
    throw new Fault("trust/malformed", "expected a public key as PEM", { cause });
  }
  return describeKey(algorithmOf(key), key);
}

function keyPair(privateKey: KeyObject): KeyPair {
  const algorithm = algorithmOf(privateKey);
  const key = describeKey(algorithm, createPublicKey(privateKey));
  return {
    keyid: keyIdOf(key),
    key,
    algorithm,
    sign: (bytes) =>
      sign(algorithm === "ed25519" ? null : "sha256", bytes, privateKey).toString("hex"),
    secret: () => new Secret(privateKey.export({ format: "pem", type: "pkcs8" }).toString()),
  };
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): KeyAlgorithm {
  if (asymmetricKeyType === "ed25519") return "ed25519";
  const curve = asymmetricKeyDetails?.namedCurve;
  if (asymmetricKeyType === "ec" && curve === "prime256v1") return "ecdsa-p256";
  throw new Fault(
    "trust/malformed",
    `expected a key of Ed25519 or P-256, got ${curve ?? asymmetricKeyType}`,
  );
}

function describeKey(algorithm: KeyAlgorithm, publicKey: KeyObject): Key {
  if (algorithm === "ecdsa-p256") {
    const pem = publicKey.export({ format: "pem", type: "spki" }).toString();
    return { keytype: "ecdsa", scheme: "ecdsa-sha2-nistp256", keyval: { public: pem } };
  }
  const der = publicKey.export({ format: "der", type: "spki" });
  const hex = der.subarray(-32).toString("hex");
  return { keytype: "ed25519", scheme: "ed25519", keyval: { public: hex } };
}
