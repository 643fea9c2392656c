import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Release } from "#generated/protocol/trust/release.ts";
import type { AssignedClosure } from "#protocol/trust/assignment.ts";
import type { ChangeReason, Closure } from "#provisioner/system/system.ts";
import { findManifest } from "../find-manifest.ts";
import { closureObtainer, type ObtainClosure, type ObtainOptions } from "../obtain-closure.ts";

/** What was built for a release, and by whose word. */
export interface SignedClosures {
  /** By the fleet's builders, for whatever sources. */
  readonly closures: readonly AssignedClosure[];
  /** What the release itself names, which every node is to run. */
  readonly own: Release["closure"];
  /** Addresses that the update names, asked before those of the settings. */
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
  const { manifests = [] } = settings.fetch ?? {};
  const places = [...mirrors, ...manifests];
  return async (sources, reason) => {
    const signed = closures.find(({ inputDigest }) => inputDigest === sources.digest);
    if (own !== undefined) checkOwn(own, sources.digest, signed);
    if (signed === undefined) return usual(sources, reason);
    const asked = { ...settings, fetch: { ...settings.fetch, manifests: places } };
    const text = await findManifest({ ...options, settings: asked }, sources.digest);
    if (text === undefined) {
      if (own === undefined && settings.fetch?.mode !== "only") return usual(sources, reason);
      throw notFound(sources.digest, places);
    }
    checkManifest(text, signed);
    log.info("update.closure", { inputDigest: signed.inputDigest, toplevel: signed.toplevel });
    return system.fetch(text, sources, reason);
  };
}

/**
 * Has the system of a release that is nothing else: by the manifest whose digest the owners signed, from
 * the mirrors of the update or the places of the settings. The file is named after the sources that it was
 * built from, or after the manifest's own digest where the release says no sources. Throws
 * `system/closure-not-found`, `update/closure-differs` and `update/closure-mismatch`.
 */
export function releasedObtainer(
  options: ObtainOptions,
  { closures, mirrors }: Pick<SignedClosures, "closures" | "mirrors">,
): (own: NonNullable<Release["closure"]>, reason: ChangeReason) => Promise<Closure> {
  const { settings, system, log } = options;
  const places = [...mirrors, ...(settings.fetch?.manifests ?? [])];
  return async (own, reason) => {
    const { toplevel, inputDigest, manifestDigest } = own;
    const signed = closures.find((closure) => closure.inputDigest === inputDigest);
    if (signed !== undefined) checkOwn(own, signed.inputDigest, signed);
    const name = inputDigest ?? manifestDigest;
    const asked = { ...settings, fetch: { ...settings.fetch, manifests: places } };
    const text = await findManifest({ ...options, settings: asked }, name);
    if (text === undefined) throw notFound(name, places);
    checkManifest(text, { inputDigest: name, sha256: manifestDigest, toplevel });
    log.info("update.closure", { manifestDigest, toplevel });
    return system.fetch(text, null, reason);
  };
}

function notFound(name: string, places: readonly string[]): Fault {
  const where = places.length === 0 ? "no place is named" : places.join(", ");
  return new Fault("system/closure-not-found", `no manifest of ${name}: ${where}`);
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

/** What is signed of a manifest; the owners of a release sign no length. */
type SignedManifest = Pick<AssignedClosure, "inputDigest" | "sha256" | "toplevel"> &
  Partial<Pick<AssignedClosure, "length">>;

/** The manifest is the one that was signed: its canonical bytes. Throws `update/closure-mismatch`. */
export function checkManifest(text: string, signed: SignedManifest): void {
  const mismatch = (what: string) =>
    new Fault("update/closure-mismatch", `${signed.inputDigest}: ${what}`);
  let canonical: string;
  let toplevel: unknown;
  try {
    const { manifest } = JSON.parse(text) as {
      readonly manifest?: { readonly toplevel?: unknown };
    };
    toplevel = manifest?.toplevel;
    canonical = canonicalJson(manifest ?? null);
  } catch {
    throw mismatch("the manifest is not JSON");
  }
  const bytes = Buffer.byteLength(canonical);
  if (signed.length !== undefined && bytes !== signed.length)
    throw mismatch(`its manifest has ${bytes} bytes, and ${signed.length} were signed`);
  const digest = sha256(canonical);
  if (digest !== signed.sha256)
    throw mismatch(`the digest of its manifest is ${digest}, and ${signed.sha256} was signed`);
  if (toplevel !== signed.toplevel)
    throw mismatch(`it is of ${String(toplevel)}, and ${signed.toplevel} was signed`);
}
