import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { Courier } from "#provisioner/system/fetch/courier.ts";
import { readText } from "#provisioner/system/fetch/download.ts";
import { readCaches } from "#provisioner/system/fetch/fetch-settings.ts";
import { maxManifestBytes } from "#provisioner/system/fetch/verify-manifest.ts";
import { fetchSettings } from "./fetch-settings.ts";

/** What is needed to look for a manifest. */
export interface FindOptions {
  readonly io: Io;
  readonly log: Log;
  readonly settings: Settings;
  /** Who goes to the network. */
  readonly courier: Courier;
  readonly signal: AbortSignal;
  /** Throws for a text that is not the one that is wanted: another place is asked then. */
  readonly check?: (text: string) => void;
}

/**
 * The text of the signed manifest for these sources, from the first place of the settings that has
 * it, or `undefined`; what it says is not believed yet. A place that cannot be asked is logged.
 * Throws `system/canceled`, `system/cache-unusable`, and where no place had a good one what `check` has thrown.
 */
export async function findManifest(
  { io, log, settings, courier, signal, check }: FindOptions,
  sourcesDigest: string,
): Promise<string | undefined> {
  const usual = fetchSettings(settings);
  const places = readCaches({ ...usual, caches: settings.fetch?.manifests ?? [] }).urls;
  let mismatch: Fault | undefined;
  for (const url of places) {
    const cache = { url, received: 0, benchedUntilMs: 0 };
    const deps = { ...usual, clock: io.clock, courier, cache, signal };
    try {
      const text = await readText(deps, `${sourcesDigest}.json`, maxManifestBytes);
      check?.(text);
      return text;
    } catch (error) {
      if (!(error instanceof Fault) || !isOfPlace(error)) throw error;
      if (error.code === "update/closure-mismatch") mismatch = error;
      const level = error.code === "system/cache-absent" ? "debug" : "warning";
      log[level]("fetch.no-manifest", { place: url, code: error.code, message: error.message });
    }
  }
  if (mismatch !== undefined) throw mismatch;
  return undefined;
}

/** Another place may do better. */
function isOfPlace({ code }: Fault): boolean {
  return code.startsWith("system/cache-") || code === "update/closure-mismatch";
}
