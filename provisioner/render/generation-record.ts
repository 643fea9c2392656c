import { sha256 } from "#core/canonical-json.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { fromJson } from "#provisioner/nix-language/from-json.ts";
import { call, list, ref, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign } from "./assignment.ts";
import type { CredentialFile } from "./base.ts";
import type { SourceFile } from "./sources.ts";

/**
 * What a system says of itself in `/etc/firstlight/generation.json`: so that its sources, secrets and
 * stamps are known as long as it is there, whatever became of the journal.
 */
export interface GenerationRecord {
  readonly v: 1;
  /** SHA-256 over what Nix reads of its sources; the manifest of the same sources says the same. */
  readonly content: string;
  /** Its name in boot entries. */
  readonly release: string;
  /** Scope of its instance, see {@link instanceScope}. */
  readonly instance: string;
  /** Credential files that it refers to. */
  readonly credentials: readonly string[];
}

/** Below a system. */
export const generationRecordFile = "etc/firstlight/generation.json";

interface GenerationInput {
  readonly spec: Spec;
  readonly instanceId: string;
  readonly credentials: ReadonlyMap<string, CredentialFile>;
}

/** The record of a system that is evaluated from these files; it is the same for the same content. */
export function generationRecord(
  { spec, instanceId, credentials }: GenerationInput,
  files: readonly SourceFile[],
): GenerationRecord {
  const content = sha256(
    [...files]
      .sort((a, b) => (a.path < b.path ? -1 : 1))
      .map(({ path, mode, content }) => `${path}\0${mode}\0${sha256(content)}\n`)
      .join(""),
  );
  return {
    v: 1,
    content,
    release: spec.update?.release ?? `firstlight.${content.slice(0, 8)}`,
    instance: instanceScope(instanceId),
    credentials: [...credentials.values()].map(({ file }) => file).sort(),
  };
}

/** The release in the system's label: what every boot loader of NixOS shows beside the date. */
export function renderRelease({ release }: GenerationRecord): Assignment {
  return assign(["system", "nixos", "tags"], list([str(release)]), ["update", "release"]);
}

/** The record in the system itself. */
export function renderGenerationRecord(record: GenerationRecord): Assignment {
  const json = call(ref("builtins", "toJSON"), fromJson({ ...record }));
  return assign(["environment", "etc", "firstlight/generation.json", "text"], json);
}

/** A name for all that belongs to one instance; of any text, as a file may have it. */
export function instanceScope(instanceId: string): string {
  return sha256(instanceId).slice(0, 16);
}
