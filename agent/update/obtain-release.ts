import { Fault, isFault } from "#core/fault.ts";
import type { Release } from "#generated/protocol/trust/release.ts";
import type { AssignedClosure } from "#protocol/trust/assignment.ts";
import { closureObtainer, type ObtainClosure, type ObtainOptions } from "../obtain-closure.ts";
import { checkManifest } from "./check-manifest.ts";

/** What was built for a release, and by whose word. */
export interface SignedClosures {
  /** By the fleet's builders, for whatever sources. */
  readonly closures: readonly AssignedClosure[];
  /** What the release itself names, which every node is to run. */
  readonly own: Release["closure"];
  /** Addresses of mirrors, asked for manifest and archives before those of the settings. */
  readonly mirrors: readonly string[];
}

/**
 * Has the system of a release. What the builders signed for the node's own sources is fetched, by exactly the
 * manifest that they signed, wherever it comes from; without one it is had as the settings say. A release
 * that names its system is taken by no other: `update/closure-differs` where the node renders other
 * sources, `system/closure-not-found` where no place has it.
 */
export function releaseObtainer(
  options: ObtainOptions,
  { closures, own, mirrors }: SignedClosures,
): ObtainClosure {
  const { settings, system, log } = options;
  const usual = closureObtainer(options);
  return async (sources, reason) => {
    const signed = closures.find(({ inputDigest }) => inputDigest === sources.digest);
    if (own !== undefined) checkOwn(own, sources.digest, signed);
    if (signed === undefined) return usual(sources, reason);
    const text = await manifestOf(options, { signed, mirrors });
    if (text === undefined) {
      if (own === undefined && settings.fetch?.mode !== "only") return usual(sources, reason);
      const places = [...mirrors, ...(settings.fetch?.manifests ?? [])];
      const where = places.length === 0 ? "no place is named" : places.join(", ");
      throw new Fault("system/closure-not-found", `no manifest of ${sources.digest}: ${where}`);
    }
    log.info("update.closure", { inputDigest: signed.inputDigest, toplevel: signed.toplevel });
    return system.fetch(text, sources, reason, mirrors);
  };
}

/** The manifest that was signed, from a mirror, else from a place of the settings; whoever lies is passed over. */
async function manifestOf(
  options: ObtainOptions,
  { signed, mirrors }: { readonly signed: AssignedClosure; readonly mirrors: readonly string[] },
): Promise<string | undefined> {
  let another: Fault | undefined;
  if (mirrors.length > 0) {
    try {
      const { bringManifest } = await import("./bring.ts");
      return await bringManifest({ ...options, mirrors }, signed);
    } catch (error) {
      if (isFault(error, "update/closure-mismatch")) another = error;
      else if (!isFault(error, "system/fetch-failed")) throw error;
      options.log.warning("update.no-mirror", { message: error.message });
    }
  }
  const { findManifest } = await import("../find-manifest.ts");
  const check = (text: string) => checkManifest(text, signed);
  const found = await findManifest({ ...options, check }, signed.inputDigest);
  if (found === undefined && another !== undefined) throw another;
  return found;
}

function checkOwn(
  own: NonNullable<Release["closure"]>,
  digest: string,
  signed: AssignedClosure | undefined,
): void {
  const differs = (what: string) => new Fault("update/closure-differs", what);
  if (own.inputDigest !== undefined && own.inputDigest !== digest)
    throw differs(`the release is built from ${own.inputDigest}, and this node renders ${digest}`);
  if (signed === undefined)
    throw differs(
      `no builder of the fleet has signed a system of ${digest}, which this node renders`,
    );
  if (signed.sha256 === own.manifestDigest && signed.toplevel === own.toplevel) return;
  throw differs(`the release names ${own.toplevel}, and the builders signed ${signed.toplevel}`);
}
