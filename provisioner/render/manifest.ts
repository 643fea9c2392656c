import { prettyJson, sha256 } from "#core/canonical-json.ts";
import type { Origin } from "#provisioner/userdata/translation.ts";
import { type Assignment, originOf } from "./assignment.ts";
import type { SourceFile } from "./sources.ts";

/** What was rendered from what: for drift, for plans, and to map errors of Nix back to the input. */
export interface Manifest {
  readonly v: 1;
  readonly instanceId: string;
  /** Digest of every other file by path. */
  readonly files: Readonly<Record<string, string>>;
  /** For each option the line of the document that set it; `null` for what firstlight itself decides. */
  readonly options: Readonly<Record<string, Origin | null>>;
}

/** The manifest as a file; it holds no value of any option. */
export function renderManifest(
  instanceId: string,
  files: readonly SourceFile[],
  assignments: readonly Assignment[],
  origins: ReadonlyMap<string, Origin>,
): SourceFile {
  const manifest: Manifest = {
    v: 1,
    instanceId,
    files: Object.fromEntries(files.map((file) => [file.path, sha256(file.content)])),
    options: Object.fromEntries(
      assignments.map(({ path, from }) => [
        path.join("."),
        (from === undefined ? undefined : originOf(origins, from)) ?? null,
      ]),
    ),
  };
  return { path: "firstlight/manifest.json", content: prettyJson(manifest), mode: 0o644 };
}
