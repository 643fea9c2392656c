import { durationMs } from "#core/duration.ts";
import type { Settings } from "#generated/agent/settings.ts";
import {
  defaultFetchSettings,
  type FetchSettings,
} from "#provisioner/system/fetch/fetch-settings.ts";

/** How systems are fetched on this node, as its settings say. */
export function fetchSettings({ fetch = {} }: Settings): FetchSettings {
  const usual = defaultFetchSettings;
  return {
    caches: fetch.caches ?? usual.caches,
    trustedKeys: fetch.trustedKeys ?? usual.trustedKeys,
    threshold: fetch.threshold ?? usual.threshold,
    cacheKeys: fetch.cacheKeys ?? usual.cacheKeys,
    minimumRate: fetch.minimumRate ?? usual.minimumRate,
    windowMs: durationMs(fetch.window, usual.windowMs),
    benchMs: durationMs(fetch.bench, usual.benchMs),
  };
}
