import { prettyJson } from "#core/canonical-json.ts";
import type { ClosureManifest } from "#generated/provisioner/system/fetch/manifest.ts";
import type { SignedClosure } from "#generated/provisioner/system/fetch/signed-closure.ts";
import { type NixSecretKey, signText } from "./nix-key.ts";
import { manifestDigest, parseSignedClosure, signedText } from "./verify-manifest.ts";

/** A manifest signed by these keys, as the text that a node verifies. */
export function signManifest(manifest: ClosureManifest, keys: readonly NixSecretKey[]): string {
  const text = signedText(manifestDigest(manifest));
  const signed: SignedClosure = {
    manifest,
    signatures: keys.map((key) => ({ key: key.name, signature: signText(key, text) })),
  };
  return prettyJson(signed);
}

/** The text of a signed manifest with one more signature. Throws `system/manifest-invalid`. */
export function addSignature(text: string, key: NixSecretKey): string {
  const { manifest, signatures } = parseSignedClosure(text);
  const signature = signText(key, signedText(manifestDigest(manifest)));
  const others = signatures.filter((other) => other.signature !== signature);
  return prettyJson({ manifest, signatures: [...others, { key: key.name, signature }] });
}
