import type { Signature } from "#provisioner/userdata/signed/open-signed.ts";
import type { PinnedInstance, Unsigned } from "./pinned-instance.ts";

/** What a signature is held against; plain values. */
export interface Vouching {
  readonly pinned: PinnedInstance;
  readonly instanceId: string;
  /** Of the user-data, where one counts. */
  readonly signature: Signature | undefined;
  /** What else the node would be made from, of which nobody signed anything. */
  readonly unsigned: Unsigned;
}

/**
 * Whether signed user-data is older than what the node was made from: whoever gives a node its user-data
 * can give it again what was signed once.
 */
export function whyTooOld({
  pinned,
  signature,
}: Pick<Vouching, "pinned" | "signature">): string | undefined {
  const last = pinned.signed;
  if (signature === undefined || last === undefined || signature.id === last.id) return undefined;
  if (signature.serial === null)
    return `it is signed without a serial, and the last one was signed with ${last.serial}`;
  if (signature.serial > last.serial) return undefined;
  return `it is signed with the serial ${signature.serial}, and expected is one above ${last.serial}`;
}

/**
 * Why a signature is not somebody's word for a change, `undefined` where it is: for all that changes,
 * once, and for good. Another instance may have another name and network.
 */
export function whyNotVouched(vouching: Vouching): string | undefined {
  const { pinned, instanceId, signature, unsigned } = vouching;
  const isOther = (part: keyof Unsigned) =>
    unsigned[part] !== null && unsigned[part] !== pinned.unsigned?.[part];
  if (signature === undefined) return "nobody signed it whose signature counts";
  if (signature.serial === null) return "it is signed without a serial";
  if (signature.id === pinned.signed?.id)
    return "the signed text is the one that the node is made from, and something beside it has changed";
  if (pinned.instanceId !== instanceId && signature.instanceId === null)
    return "the signature does not name the instance-id";
  if (isOther("rights"))
    return "keys, secrets or files that came beside the signed text are not what they were";
  if (pinned.instanceId === instanceId && isOther("place"))
    return "the name or network that came beside the signed text is not what it was";
  return whyTooOld(vouching);
}
