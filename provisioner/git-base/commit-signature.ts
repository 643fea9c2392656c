import { fingerprintOf, readKeyLine } from "#provisioner/userdata/signed/ssh-public-key.ts";
import { readSshSignature } from "#provisioner/userdata/signed/ssh-signature.ts";

/** What a commit says, and whose signature it bears. */
export interface Commit {
  /** Name of its tree. */
  readonly tree: string;
  /** What was signed: the commit without its signature. */
  readonly signed: Uint8Array;
  /** As it stands in the commit; `undefined` where there is none. */
  readonly armour: string | undefined;
}

/** What Git signs commits for. */
const namespace = "git";
const header = "gpgsig ";

/**
 * Reads a commit as Git keeps it: lines of the head up to the first empty one, those that go on begin
 * with a space. Source: `parse_signed_commit` in Git's commit.c.
 */
export function readCommit(bytes: Uint8Array): Commit {
  const text = Buffer.from(bytes).toString("latin1");
  const end = text.indexOf("\n\n");
  const lines = (end === -1 ? text : text.slice(0, end + 1)).match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const rest = end === -1 ? "" : text.slice(end + 1);
  const kept: string[] = [];
  const signature: string[] = [];
  let signs = false;
  for (const line of lines) {
    const starts = line.startsWith(header);
    signs = starts || (signs && line.startsWith(" "));
    if (signs) signature.push(line.slice(starts ? header.length : 1));
    else kept.push(line);
  }
  const [, tree = ""] = /^tree ([0-9a-f]{40})\n/.exec(text) ?? [];
  return {
    tree,
    signed: Buffer.from(kept.join("") + rest, "latin1"),
    armour: signature.length === 0 ? undefined : signature.join(""),
  };
}

/**
 * The trusted key that signed the commit, for a person, or why none did. Signatures of `gpg.format = ssh`
 * count, by the keys that `signers` names (lines of `.pub` files).
 */
export function commitSigner(
  { signed, armour }: Commit,
  signers: readonly string[],
): { readonly signer: string } | { readonly why: string } {
  if (armour === undefined) return { why: "the commit is not signed" };
  const [, base64] =
    /^-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)-----END SSH SIGNATURE-----\n?$/.exec(
      armour,
    ) ?? [];
  if (base64 === undefined)
    return { why: "its signature is none of ssh (`gpg.format = ssh`), and no other kind is read" };
  try {
    const signature = readSshSignature(Buffer.from(base64, "base64"));
    const by = fingerprintOf(signature.publicKey);
    if (signature.namespace !== namespace)
      return {
        why: `its signature was made for ${JSON.stringify(signature.namespace)}, not for Git`,
      };
    if (!signature.fits(signed)) return { why: `its signature by ${by} is not of this commit` };
    const known = signers
      .map(readKeyLine)
      .find((line) => line !== undefined && fingerprintOf(line.blob) === by);
    return known === undefined
      ? { why: `it is signed by ${by}, which is none of the keys that count here` }
      : { signer: `${known.comment} (${by})`.trim() };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { why: `its signature cannot be read: ${error.message}` };
  }
}
