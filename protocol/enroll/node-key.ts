import { createHash, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { Fault } from "#core/fault.ts";

/** Kinds of keys that a node may have: commodity TPMs know P-256 only. */
export const nodeKeyKinds = ["ed25519", "p256"] as const;

export type NodeKeyKind = (typeof nodeKeyKinds)[number];

/** What is signed begins with this, so that no signature of another protocol means anything here. */
const domain = "firstlight-enroll-1\0";

/** Which kind a key is; `undefined` for every other one. */
export function nodeKeyKind(key: KeyObject): NodeKeyKind | undefined {
  if (key.asymmetricKeyType === "ed25519") return "ed25519";
  const isP256 =
    key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1";
  return isP256 ? "p256" : undefined;
}

/** A public key from PEM, of a kind that nodes may have. Throws `enroll/malformed`. */
export function readNodeKey(pem: string): KeyObject {
  try {
    const key = /^-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+-----END PUBLIC KEY-----\n?$/.test(
      pem,
    )
      ? createPublicKey({ key: pem, format: "pem" })
      : undefined;
    if (key !== undefined && nodeKeyKind(key) !== undefined) return key;
  } catch {
    // said below, without what stands there
  }
  throw new Fault(
    "enroll/malformed",
    "publicKey: expected one public key in PEM, Ed25519 or P-256 on its named curve",
  );
}

/** SHA-256 of a key's public part in DER, in lower-case hexadecimal. */
export function keyFingerprint(key: KeyObject): string {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
}

/** Signs the text of a request; base64. */
export function signRequest(request: string, key: KeyObject): string {
  return sign(hashOf(key), Buffer.from(domain + request), key).toString("base64");
}

/** Whether the key has signed exactly this text. */
export function isRequestSigned(request: string, signature: string, key: KeyObject): boolean {
  try {
    return verify(
      hashOf(key),
      Buffer.from(domain + request),
      key,
      Buffer.from(signature, "base64"),
    );
  } catch {
    return false; // a signature that is none
  }
}

/** The algorithm belongs to the key: nothing that was sent chooses it. */
function hashOf(key: KeyObject): "sha256" | null {
  return nodeKeyKind(key) === "p256" ? "sha256" : null;
}
