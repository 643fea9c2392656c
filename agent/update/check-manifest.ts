import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { AssignedClosure } from "#protocol/trust/assignment.ts";

/** The manifest is the one that was signed: its canonical bytes. Throws `update/closure-mismatch`. */
export function checkManifest(text: string, signed: AssignedClosure): void {
  const mismatch = (what: string) =>
    new Fault("update/closure-mismatch", `${signed.inputDigest}: ${what}`);
  let canonical: string;
  try {
    canonical = canonicalJson(
      (JSON.parse(text) as { readonly manifest?: unknown }).manifest ?? null,
    );
  } catch {
    throw mismatch("the manifest is not JSON");
  }
  const bytes = Buffer.byteLength(canonical);
  if (bytes !== signed.length)
    throw mismatch(`its manifest has ${bytes} bytes, and ${signed.length} were signed`);
  const digest = sha256(canonical);
  if (digest !== signed.sha256)
    throw mismatch(`the digest of its manifest is ${digest}, and ${signed.sha256} was signed`);
}
