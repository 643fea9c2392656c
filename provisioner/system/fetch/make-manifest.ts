import { Fault, isFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type {
  ClosureManifest,
  ManifestPath,
} from "#generated/provisioner/system/fetch/manifest.ts";
import type { CommandLine } from "../command-lines.ts";
import type { Courier } from "./courier.ts";
import { maxNarInfoBytes, readText } from "./download.ts";
import { defaultFetchSettings, readCaches } from "./fetch-settings.ts";
import { readNarInfo, storeHash } from "./narinfo.ts";
import { nixStore, type RunLine } from "./store-commands.ts";
import { storeLines } from "./store-lines.ts";

const buildTimeoutMs = 7_200_000;

/** What a manifest is made from. */
export interface ManifestRequest {
  /** A system in the store of this machine. */
  readonly toplevel: string;
  readonly inputDigest?: string;
  /** Address of a cache that has it, to learn how much will travel. */
  readonly cache?: string;
  readonly signal: AbortSignal;
}

/**
 * Makes the manifest of a system from the store of this machine: for whoever builds and signs.
 * Throws `system/closure-missing`, and `system/cache-…` where a cache was named that does not have it.
 */
export async function makeManifest(
  io: Io,
  courier: Courier,
  { toplevel, inputDigest, cache, signal }: ManifestRequest,
): Promise<ClosureManifest> {
  const lines = storeLines({ buildTimeoutMs });
  const run = runner(io, signal);
  const store = nixStore(run, lines, io.files);
  const closure = await store.closures([toplevel]).catch((error: Fault) => {
    throw new Fault("system/closure-missing", error.message, { cause: error });
  });
  const infos = await store.storeInfo(closure);
  const paths: ManifestPath[] = infos.map((info) => ({
    ...info,
    references: [...info.references].sort(),
  }));
  paths.sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    version: 1,
    toplevel,
    ...(inputDigest === undefined ? {} : { inputDigest }),
    paths: cache === undefined ? paths : await withSizes(io, courier, { paths, cache, signal }),
  };
}

function runner(io: Io, signal: AbortSignal): RunLine {
  return async ({ argv: [file, ...args], timeoutMs, effect }: CommandLine) => {
    try {
      return await io.exec({ file, args, timeoutMs, signal, ...(effect && { effect }) });
    } catch (error) {
      if (!isFault(error, "exec/not-found")) throw error;
      throw new Fault("system/nix-missing", error.message, { cause: error });
    }
  };
}

interface Sizing {
  readonly paths: readonly ManifestPath[];
  readonly cache: string;
  readonly signal: AbortSignal;
}

/** The same paths with what the cache says that it will send for each. */
async function withSizes(
  { clock }: Io,
  courier: Courier,
  { paths, cache, signal }: Sizing,
): Promise<ManifestPath[]> {
  const [url = ""] = readCaches({ ...defaultFetchSettings, caches: [cache] }).urls;
  const asked = { url, received: 0, benchedUntilMs: 0 };
  const deps = { ...defaultFetchSettings, clock, courier, signal, cache: asked };
  const sized: ManifestPath[] = [];
  for (const entry of paths) {
    const text = await readText(deps, `${storeHash(entry.path)}.narinfo`, maxNarInfoBytes);
    const { fileSize } = readNarInfo(text, entry);
    sized.push(fileSize === null ? entry : { ...entry, downloadSize: fileSize });
  }
  return sized;
}
