import { Fault } from "#core/fault.ts";
import { type NixPublicKey, readPublicKey } from "./nix-key.ts";
import type { TrustedKeys } from "./verify-manifest.ts";

/** How built systems are fetched, as the owner of the image decided it. */
export interface FetchSettings {
  /** Addresses of binary caches (`https:`, `http:`, `file:`), the preferred one first. */
  readonly caches: readonly string[];
  /** Keys that manifests are signed by, `NAME:BASE64`. */
  readonly trustedKeys: readonly string[];
  /** So many of them must have signed. */
  readonly threshold: number;
  /** Keys that caches sign each path by; with none the manifest's word is enough. */
  readonly cacheKeys: readonly string[];
  /** A cache that sends fewer bytes a second than this, over a window, is slow. */
  readonly minimumRate: number;
  readonly windowMs: number;
  /** A cache that failed is left alone so long. */
  readonly benchMs: number;
}

/** What holds unless the settings say otherwise. */
export const defaultFetchSettings: FetchSettings = {
  caches: [],
  trustedKeys: [],
  threshold: 1,
  cacheKeys: [],
  minimumRate: 1_024,
  windowMs: 30_000,
  benchMs: 60_000,
};

/** The keys of the settings, read. Throws `system/key-invalid`. */
export function readTrustedKeys({ trustedKeys, threshold }: FetchSettings): TrustedKeys {
  const keys = trustedKeys.map(readPublicKey);
  const different = new Set(keys.map((key) => key.bytes)).size;
  if (keys.length === 0 || threshold <= different) return { keys, threshold };
  throw new Fault(
    "system/key-invalid",
    `fetch.threshold: expected at most ${different}, the number of trusted keys, got ${threshold}`,
  );
}

/** Caches that were named, with a slash at the end, and their keys. Throws `system/cache-unusable`. */
export function readCaches({ caches, cacheKeys }: FetchSettings): {
  readonly urls: readonly string[];
  readonly keys: readonly NixPublicKey[];
} {
  return { urls: caches.map(cacheUrl), keys: cacheKeys.map(readPublicKey) };
}

function cacheUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^(https?|file):$/.test(url.protocol)) {
    throw new Fault(
      "system/cache-unusable",
      `${text}: expected an address with https, http or file`,
    );
  }
  url.search = ""; // what follows are options of Nix's own stores
  url.hash = "";
  return url.href.endsWith("/") ? url.href : `${url.href}/`;
}
