import { prettyJson, sha256 } from "#core/canonical-json.ts";
import { attrPath } from "#provisioner/nix-language/text.ts";
import type { Match } from "#provisioner/profiles/profile.ts";
import type { Origin } from "#provisioner/userdata/translation.ts";
import { type Assignment, originOf } from "./assignment.ts";
import type { SourceFile } from "./sources.ts";
import type { UnfreeConsent } from "./unfree.ts";

/** Below the sources. */
export const manifestFile = "firstlight/manifest.json";

/** What was rendered from what: for drift, for plans, and to map errors of Nix back to the input. */
export interface Manifest {
  readonly v: 1;
  readonly instanceId: string;
  /** SHA-256 over what Nix reads: the same as in the record of the system made from it. */
  readonly content: string;
  /** The hardware profile that was used, or `null`. */
  readonly profile: string | null;
  /** Digest of every other file by path: what was rendered, and every input that is a file. */
  readonly files: Readonly<Record<string, string>>;
  /**
   * For each option, as Nix writes its name, the line of the document that set it; `null` for what
   * firstlight itself decides.
   */
  readonly options: Readonly<Record<string, Origin | null>>;
  /** Packages that are not free and may be built, each with who asks for it. */
  readonly unfree: readonly UnfreePackage[];
}

/** A package whose licence is not free. */
export interface UnfreePackage {
  /** Its name; with a star at the end every one that begins so, `*` alone every package. */
  readonly name: string;
  /** Who asks for it, for a person. */
  readonly by: string;
  /** The line of the input that says so. */
  readonly setBy: Origin | null;
}

interface ManifestInput {
  readonly instanceId: string;
  readonly content: string;
  readonly match: Match;
  readonly origins: ReadonlyMap<string, Origin>;
  readonly consents: readonly UnfreeConsent[];
}

function placeOf(origin: Origin | undefined): Origin | null {
  if (origin === undefined) return null;
  const { document, line, column } = origin;
  return { document, line, column };
}

/** The manifest as a file; it holds no value of any option. */
export function renderManifest(
  { instanceId, content, match, origins, consents }: ManifestInput,
  files: readonly SourceFile[],
  assignments: readonly Assignment[],
): SourceFile {
  const manifest: Manifest = {
    v: 1,
    instanceId,
    content,
    profile: match.applied,
    files: Object.fromEntries(files.map((file) => [file.path, sha256(file.content)])),
    options: Object.fromEntries(
      assignments.map(({ path, from }) => [
        attrPath(path),
        from === undefined ? null : placeOf(originOf(origins, from)),
      ]),
    ),
    unfree: consents.map(({ name, by, from }) => ({
      name,
      by,
      setBy: placeOf(originOf(origins, from)),
    })),
  };
  return { path: manifestFile, content: prettyJson(manifest), mode: 0o644 };
}
