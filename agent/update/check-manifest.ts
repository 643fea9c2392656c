import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { AssignedClosure } from "#protocol/trust/assignment.ts";

/** What is signed of a manifest; the owners of a release sign no length. */
export type SignedManifest = Pick<AssignedClosure, "inputDigest" | "sha256" | "toplevel"> &
  Partial<Pick<AssignedClosure, "length">>;

/** The manifest is the one that was signed: its canonical bytes. Throws `update/closure-mismatch`. */
export function checkManifest(text: string, signed: SignedManifest): void {
  const mismatch = (what: string) =>
    new Fault("update/closure-mismatch", `${signed.inputDigest}: ${what}`);
  let canonical: string;
  let toplevel: unknown;
  try {
    const { manifest } = JSON.parse(text) as {
      readonly manifest?: { readonly toplevel?: unknown };
    };
    toplevel = manifest?.toplevel;
    canonical = canonicalJson(manifest ?? null);
  } catch {
    throw mismatch("the manifest is not JSON");
  }
  const bytes = Buffer.byteLength(canonical);
  if (signed.length !== undefined && bytes !== signed.length)
    throw mismatch(`its manifest has ${bytes} bytes, and ${signed.length} were signed`);
  const digest = sha256(canonical);
  if (digest !== signed.sha256)
    throw mismatch(`the digest of its manifest is ${digest}, and ${signed.sha256} was signed`);
  if (toplevel !== signed.toplevel)
    throw mismatch(`it is of ${String(toplevel)}, and ${signed.toplevel} was signed`);
}
