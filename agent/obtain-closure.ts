import { Fault, isFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { Courier } from "#provisioner/system/fetch/courier.ts";
import type { ChangeReason, Closure } from "#provisioner/system/system.ts";

/** Has the system of these sources: built here, or built elsewhere, signed and fetched. */
export type ObtainClosure = (sources: Sources, reason: ChangeReason) => Promise<Closure>;

/** What decides how a system is had. */
export interface ObtainOptions {
  readonly io: Io;
  readonly log: Log;
  readonly settings: Settings;
  readonly system: Pick<SystemClient, "build" | "fetch">;
  /** Who goes to the network for manifests. */
  readonly courier: Courier;
  /** A signed manifest that a person gave: this system or none. */
  readonly signed: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Fetches the system that a person named, or one that the settings' places have a manifest of, and
 * builds it where they have none or, unless the mode is `only`, where it cannot be fetched. Throws
 * `system/closure-not-found` in that mode.
 */
export function closureObtainer(options: ObtainOptions): ObtainClosure {
  const { log, settings, system } = options;
  const { manifests = [], mode = "prefer" } = settings.fetch ?? {};
  return async (sources, reason) => {
    if (options.signed !== undefined) return system.fetch(options.signed, sources, reason);
    const signed = await signedManifest(options, sources.digest);
    if (signed === undefined && mode === "only") throw notFound(sources, manifests);
    if (signed === undefined) return system.build(sources, reason);
    try {
      return await system.fetch(signed, sources, reason);
    } catch (error) {
      if (mode === "only" || !isFetchFault(error)) throw error;
      log.warning("fetch.failed", { code: error.code, message: error.message, instead: "build" });
      return system.build(sources, reason);
    }
  };
}

/** The manifest of what would be fetched for these sources; `undefined` where it would be built here. */
export async function signedManifest(
  options: Omit<ObtainOptions, "system">,
  digest: string,
): Promise<string | undefined> {
  const { manifests = [] } = options.settings.fetch ?? {};
  if (options.signed !== undefined || manifests.length === 0) return options.signed;
  const { findManifest } = await import("./find-manifest.ts");
  return findManifest(options, digest);
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
