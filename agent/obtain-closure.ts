import { Fault, isFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { Courier } from "#provisioner/system/fetch/courier.ts";
import type { ChangeReason, Closure, SourcesPreview } from "#provisioner/system/system.ts";

/** Has the system of these sources: built here, or built elsewhere, signed and fetched. */
export type ObtainClosure = (sources: Sources, reason: ChangeReason) => Promise<Closure>;

/** Says what sources would change, and what would be fetched for them. */
export type PreviewClosure = (sources: Sources) => Promise<SourcesPreview>;

/** What decides how a system is had. */
export interface ObtainOptions {
  readonly io: Io;
  readonly log: Log;
  readonly settings: Settings;
  readonly system: Pick<SystemClient, "build" | "fetch" | "preview">;
  /** Who goes to the network for manifests. */
  readonly courier: Courier;
  /** A signed manifest that a person gave: this system or none. */
  readonly signed: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Fetches the system that a person named, or one that the settings' places have a manifest of, and
 * builds it where they have none or where it cannot be fetched. With the mode `only` nothing is built:
 * `system/closure-not-found`. With `when-needed` it is the other way round: what is fetched is what
 * this machine has too little memory or room to build; the reason then says what it lacks.
 */
export function closureObtainer(options: ObtainOptions): ObtainClosure {
  const { log, settings, system, signed } = options;
  const { manifests = [], mode = "prefer" } = settings.fetch ?? {};
  if (signed !== undefined) return (sources, reason) => system.fetch(signed, sources, reason);
  if (mode === "when-needed") return (sources, reason) => buildOrFetch(options, sources, reason);
  return async (sources, reason) => {
    const found = await manifestOf(options, sources.digest);
    if (found === undefined && mode === "only") throw notFound(sources, manifests);
    if (found === undefined) return system.build(sources, reason);
    try {
      return await system.fetch(found, sources, reason);
    } catch (error) {
      if (mode === "only" || !isFetchFault(error)) throw error;
      log.warning("fetch.failed", { code: error.code, message: error.message, instead: "build" });
      return system.build(sources, reason);
    }
  };
}

/** A look at what {@link closureObtainer} would do, as far as nothing need be begun for it. */
export function closurePreviewer(options: ObtainOptions): PreviewClosure {
  const { settings, system, signed } = options;
  return async (sources) => {
    if (signed !== undefined) return system.preview(sources, signed);
    if (settings.fetch?.mode === "when-needed") {
      const built = await system.preview(sources);
      if (built.notBuilt === null) return built;
    }
    return system.preview(sources, await manifestOf(options, sources.digest));
  };
}

/** The text of the first manifest that a place of the settings has of these sources. */
async function manifestOf(options: ObtainOptions, digest: string): Promise<string | undefined> {
  const { manifests = [] } = options.settings.fetch ?? {};
  if (manifests.length === 0) return undefined;
  const { findManifest } = await import("./find-manifest.ts");
  return findManifest(options, digest);
}

async function buildOrFetch(
  options: ObtainOptions,
  sources: Sources,
  reason: ChangeReason,
): Promise<Closure> {
  const { log, settings, system } = options;
  try {
    return await system.build(sources, reason);
  } catch (error) {
    if (!isFault(error) || !doesNotFit.has(error.code)) throw error;
    const signed = await manifestOf(options, sources.digest);
    if (signed === undefined) throw nowhere(error, settings.fetch?.manifests ?? []);
    const notBuilt = error.message.slice(0, maxNotBuilt);
    log.warning("build.does-not-fit", { code: error.code, message: notBuilt, instead: "fetch" });
    return await system.fetch(signed, sources, { ...reason, notBuilt }).catch((failure) => {
      throw neither(failure, notBuilt);
    });
  }
}

/**
 * Faults by which a build is refused, or ended, for what this machine has: memory, and room in the
 * store and for the state. A fetch may do with less. Not the room where the boot loader keeps kernels:
 * the same kernel takes the same of it, however the system was had.
 */
const doesNotFit: ReadonlySet<string> = new Set([
  "system/not-enough-memory",
  "system/not-enough-space",
  "system/swap-failed",
  "system/out-of-memory",
]);

/** Characters of the sentence with the numbers, as events take it. */
const maxNotBuilt = 1_024;

/** What a build lacks, where nobody has the system either. */
function nowhere(lack: Fault, manifests: readonly string[]): Fault {
  const looked =
    manifests.length === 0
      ? "fetch.manifests names no place to fetch it from"
      : `no manifest of it at ${manifests.join(", ")}`;
  const more =
    lack.code === "system/not-enough-space"
      ? "free space there"
      : "allow swap with `build.swap`, or give the machine more memory";
  return new Fault(lack.code, `${lack.message}; ${looked}`, {
    hint: `Publish the built system where \`fetch.manifests\` says, or ${more}.`,
    cause: lack,
  });
}

/** What went wrong with a fetch that stood in for a build. */
function neither(failure: unknown, notBuilt: string): unknown {
  if (!isFetchFault(failure) && !isFault(failure, "system/not-enough-space")) return failure;
  const { code, message, hint } = failure;
  const why = `${message}; it was fetched, because a build here does not fit: ${notBuilt}`;
  return new Fault(code, why, { cause: failure, ...(hint === undefined ? {} : { hint }) });
}

function notFound({ digest }: Sources, manifests: readonly string[]): Fault {
  const places = manifests.length === 0 ? "fetch.manifests names no place" : manifests.join(", ");
  return new Fault("system/closure-not-found", `no manifest of the sources ${digest}: ${places}`);
}

/** Faults of the fetched system itself, which a build does not share. */
function isFetchFault(error: unknown): error is Fault {
  return isFault(error) && fetchFaults.has(error.code);
}

const fetchFaults: ReadonlySet<string> = new Set([
  "system/manifest-invalid",
  "system/closure-untrusted",
  "system/closure-mismatch",
  "system/fetch-failed",
  "system/cache-unusable",
  "system/key-invalid",
]);
