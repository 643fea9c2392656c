import { Fault } from "#core/fault.ts";
import type { ManifestPath } from "#generated/provisioner/system/fetch/manifest.ts";
import type { Work } from "../work.ts";
import { type Cache, type CachePool, cachePool, fromAny } from "./cache-pool.ts";
import type { Courier } from "./courier.ts";
import { download } from "./download.ts";
import { readCaches } from "./fetch-settings.ts";
import type { NixPublicKey } from "./nix-key.ts";
import { openStaging, type Staging } from "./staging.ts";

/** So many archives travel at once. */
const transfersAtOnce = 4;
/** A batch is taken into the store when it holds so much: what a staging directory needs of the disk. */
const batchPaths = 100;
const batchBytes = 256 * 1024 * 1024;

/** Brings archives from the caches of the settings, each verified, from whichever has it. */
export interface Bringer {
  /** For Nix, by the name of this host. */
  readonly staging: Staging;
  /** Brings the archives of these paths into the staging directory. Throws `system/fetch-failed`. */
  bring(entries: readonly ManifestPath[]): Promise<void>;
}

/** What is to be brought, and from where. */
export interface BringerOptions {
  readonly wanted?: readonly ManifestPath[];
  /** Asked before those of the settings. */
  readonly caches?: readonly string[];
}

/**
 * Opens the caches of the settings. With `wanted` what is staged of no such path is dropped. Throws
 * `system/cache-unusable`, `system/key-invalid`.
 */
export function openBringer(work: Work, { wanted, caches = [] }: BringerOptions = {}): Bringer {
  const { io, paths, fetching } = work;
  const { settings } = fetching;
  const { urls, keys } = readCaches({ ...settings, caches: [...caches, ...settings.caches] });
  const pool = cachePool(urls, { clock: io.clock, benchMs: fetching.settings.benchMs });
  const staging = openStaging(io.files.unsynced, paths.staging, paths.store);
  staging.prepare(wanted);
  const { courier } = fetching;
  return {
    staging,
    async bring(entries) {
      if (courier === null) return; // a dry run: the command that takes them in is all there is
      const waiting = [...entries];
      const failed = new AbortController();
      const carry = async () => {
        for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) {
          if (failed.signal.aborted) return;
          await bringOne({ work, courier, pool, staging, keys, signal: failed.signal }, entry);
        }
      };
      const carriers = Array.from({ length: transfersAtOnce }, () =>
        carry().catch((error: unknown) => {
          failed.abort(error);
          throw error;
        }),
      );
      await Promise.allSettled(carriers);
      if (failed.signal.aborted) throw failed.signal.reason;
    },
  };
}

interface Bringing {
  readonly work: Work;
  readonly courier: Courier;
  readonly pool: CachePool;
  readonly staging: Staging;
  readonly keys: readonly NixPublicKey[];
  /** Aborted when another path of the batch could not be had. */
  readonly signal: AbortSignal;
}

async function bringOne(b: Bringing, entry: ManifestPath): Promise<void> {
  if (await b.staging.holds(entry)) return;
  const signal = AbortSignal.any([b.work.signal, b.signal]);
  await fromAny(b.pool, {
    signal,
    attempt: (cache) => attempt(b, { entry, cache, signal }),
    nowhere: (reasons) => nowhere(entry, reasons),
  });
}

interface Attempt {
  readonly entry: ManifestPath;
  readonly cache: Cache;
  readonly signal: AbortSignal;
}

/** One attempt, told as an event. */
async function attempt(b: Bringing, { entry, cache, signal }: Attempt): Promise<void> {
  const { io, emit, commands, fetching } = b.work;
  const before = cache.received;
  const tell = (fault: Fault | null) =>
    emit({
      type: "fetch",
      path: entry.path,
      cache: cache.url,
      bytes: cache.received - before,
      fault: fault === null ? null : { code: fault.code, message: fault.message },
    });
  try {
    await download(
      {
        ...fetching.settings,
        clock: io.clock,
        files: io.files.unsynced,
        courier: b.courier,
        cacheKeys: b.keys,
        staging: b.staging,
        unpack: commands.store.unpack,
        cache,
        signal,
      },
      entry,
    );
    tell(null);
  } catch (error) {
    if (error instanceof Fault && error.code.startsWith("system/cache-")) tell(error);
    throw error;
  }
}

function nowhere({ path }: ManifestPath, said: string): Fault {
  const reasons = said || "no cache is named in fetch.caches of the settings";
  return new Fault("system/fetch-failed", `${path}: ${reasons}`);
}

/** Paths in parts that are brought and taken in together, in their order. */
export function inBatches(entries: readonly ManifestPath[]): readonly (readonly ManifestPath[])[] {
  const batches: ManifestPath[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const last = batches.at(-1);
    const full = last === undefined || last.length === batchPaths;
    if (full || bytes + entry.narSize > batchBytes) {
      batches.push([entry]);
      bytes = entry.narSize;
    } else {
      last.push(entry);
      bytes += entry.narSize;
    }
  }
  return batches;
}
