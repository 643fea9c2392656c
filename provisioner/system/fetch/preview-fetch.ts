import type { Work } from "../work.ts";
import { readTrustedKeys } from "./fetch-settings.ts";
import { type MissingBytes, missingBytes } from "./missing-bytes.ts";
import { lookAtStore } from "./store-view.ts";
import { verifyManifest } from "./verify-manifest.ts";

/** What a signed system would bring, known before anything is fetched. */
export interface FetchPreview extends MissingBytes {
  /** SHA-256 of its manifest. */
  readonly manifestDigest: string;
  readonly toplevel: string;
}

/**
 * Verifies a signed manifest as a fetch would, and asks the store what of it is missing; no cache is
 * asked and nothing changes. Throws `system/manifest-invalid` and `system/closure-untrusted`.
 */
export async function previewFetch(
  work: Work,
  signed: string,
  inputDigest: string | null,
): Promise<FetchPreview> {
  const { settings } = work.fetching;
  const { store } = work.paths;
  const manifest = verifyManifest(signed, { ...readTrustedKeys(settings), store, inputDigest });
  const { missing, different } = await lookAtStore(work, manifest);
  // What is there with another content is dropped first, and fetched as well.
  const wanted = new Set([...missing.map(({ path }) => path), ...different.keys()]);
  const { digest: manifestDigest, toplevel } = manifest;
  return { manifestDigest, toplevel, ...missingBytes(manifest, wanted) };
}
