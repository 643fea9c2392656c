import { durationMs } from "#core/duration.ts";
import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { HttpProxy } from "#provisioner/system/fetch/courier.ts";
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

/** The proxy that the settings name for downloads. Throws `settings/invalid` where its password is not there. */
export function fetchProxy(files: Files, { fetch }: Settings): HttpProxy | undefined {
  if (fetch?.proxy === undefined) return undefined;
  const { host, port, username, passwordFile } = fetch.proxy;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  if (username === undefined) return { url };
  const password = passwordFile === undefined ? "" : files.readText(passwordFile)?.trimEnd();
  if (password === undefined)
    throw new Fault("settings/invalid", `fetch.proxy.passwordFile: ${passwordFile} does not exist`);
  const both = Buffer.from(`${username}:${password}`).toString("base64");
  return { url, authorization: `Basic ${both}` };
}
