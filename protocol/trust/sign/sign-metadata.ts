import { canonicalBytes } from "../canonical.ts";
import type { KeyPair } from "./key-pair.ts";

/** What was signed, with its signatures. */
export interface Signed<S> {
  signed: S;
  signatures: { keyid: string; sig: string }[];
}

/** Signs with each of these keys. */
export function signMetadata<S>(signed: S, keys: readonly KeyPair[]): Signed<S> {
  const bytes = canonicalBytes(signed);
  return { signed, signatures: keys.map((key) => ({ keyid: key.keyid, sig: key.sign(bytes) })) };
}

/** The same with the signatures of more keys; that of a key that has signed already is made anew. */
export function addSignatures<S>(metadata: Signed<S>, keys: readonly KeyPair[]): Signed<S> {
  const { signatures } = signMetadata(metadata.signed, keys);
  const others = metadata.signatures.filter(
    ({ keyid }) => !keys.some((key) => key.keyid === keyid),
  );
  return { signed: metadata.signed, signatures: [...others, ...signatures] };
}
