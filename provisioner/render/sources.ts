import { sha256 } from "#core/canonical-json.ts";

/** One rendered file. */
export interface SourceFile {
  /** Path below the sources directory: `configuration.nix`, `firstlight/instance.nix`. */
  readonly path: string;
  readonly content: string;
  /** Permission bits; 0o644 for what we render, as found for what was adopted. */
  readonly mode: number;
}

/**
 * Everything that one system is evaluated from: plain files, no secret in them. The same inputs
 * give the same bytes, everywhere.
 */
export interface Sources {
  /** SHA-256 over path, mode and content of every file in order; names the directory they live in. */
  readonly digest: string;
  /** Sorted by path. */
  readonly files: readonly SourceFile[];
  /** Names of the credential files that the configuration refers to, each `<name>@<digest>`. */
  readonly credentials: readonly string[];
  /** The store path of nixpkgs to evaluate with, or `null` to take `<nixpkgs>` of the environment. */
  readonly nixpkgs: string | null;
}

/** The digest of {@link Sources}, from their files in the order of their paths. */
export function digestFiles(files: readonly SourceFile[]): string {
  return sha256(
    files.map(({ path, mode, content }) => `${path}\0${mode}\0${sha256(content)}\n`).join(""),
  );
}
