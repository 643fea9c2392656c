import type { Clock } from "#core/io.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { Assignment } from "#protocol/trust/assignment.ts";
import type { CachePool } from "#provisioner/system/fetch/cache-pool.ts";
import { cachePool } from "#provisioner/system/fetch/cache-pool.ts";
import { type FetchSettings, readCaches } from "#provisioner/system/fetch/fetch-settings.ts";
import type { ReleaseName } from "./update-state.ts";

/**
 * Places that may have what was signed, the preferred one first: a stick that was brought for this update, those
 * that the update names, those of the settings. Each is a binary cache with two more directories.
 */
export function mirrorsOf(
  { update }: Pick<Assignment, "update">,
  { settings, brought }: { readonly settings: Settings; readonly brought?: string | undefined },
): readonly string[] {
  const named = [...(update.mirrors ?? []), ...(settings.fleet?.mirrors ?? [])];
  return [...new Set([...(brought === undefined ? [] : [brought]), ...named])];
}

/** Where a mirror has the document of a release: by its digest, so that it may have several of one name. */
export function documentPlace({ name, sha256 }: Pick<ReleaseName, "name" | "sha256">): string {
  return `release/${sha256}.${encodeURIComponent(name)}`;
}

/** Where a mirror has the signed manifest of what was built from sources. */
export function manifestPlace(inputDigest: string): string {
  return `closure/${inputDigest}.json`;
}

/** A pool of mirrors. Throws `system/cache-unusable`. */
export function mirrorPool(
  mirrors: readonly string[],
  { settings, clock }: { readonly settings: FetchSettings; readonly clock: Clock },
): CachePool {
  const { urls } = readCaches({ ...settings, caches: mirrors, cacheKeys: [] });
  return cachePool(urls, { clock, benchMs: settings.benchMs });
}
