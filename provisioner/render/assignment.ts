import type { Code } from "#core/codes.ts";
import { isFault } from "#core/fault.ts";
import { type Finding, type FindingLevel, findingPath } from "#core/finding.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import type { NixExpr } from "#provisioner/nix-language/tree.ts";
import {
  type AttrsEntry,
  bind,
  call,
  int,
  list,
  ref,
  str,
} from "#provisioner/nix-language/tree.ts";
import type { Origin } from "#provisioner/userdata/translation.ts";
import type { Base, CredentialFile } from "./base.ts";
import type { RendererChoice } from "./network-renderer.ts";

/** One option of NixOS, and which value of the spec set it. */
export interface Assignment {
  readonly path: readonly string[];
  readonly value: NixExpr;
  /** Path in the spec, for the manifest; absent for what firstlight itself decides. */
  readonly from?: readonly string[];
  readonly comment?: string;
}

/** What the files of a concern are rendered from. */
export interface Concern {
  readonly spec: Spec;
  readonly base: Base;
  readonly credentials: ReadonlyMap<string, CredentialFile>;
  readonly origins: ReadonlyMap<string, Origin>;
  readonly instanceId: string;
  /** What sets the network up. */
  readonly networkRenderer: RendererChoice;
  readonly findings: Finding[];
}

/** Where credential files lie on the node. */
export const credentialsDirectory = "/var/lib/firstlight/credentials";

/** Sets an option; see {@link Assignment}. */
export function assign(
  path: readonly string[],
  value: NixExpr,
  from?: readonly string[],
): Assignment {
  return from === undefined ? { path, value } : { path, value, from };
}

/**
 * A value that must win over the image's own configuration where that sets the same option, and
 * lose to an owner's `lib.mkForce`. On a machine without a configuration of its own it is just the value.
 */
export function winning(base: Base, value: NixExpr): NixExpr {
  return base.kind === "adopted" ? call(ref("lib", "mkOverride"), int(90), value) : value;
}

/**
 * The credential file of a secret. One that is not in the store has been named in a finding by
 * `checkSpec`, an error: what is rendered for it here is never built.
 */
export function credential({ credentials }: Concern, secretRef: string): CredentialFile {
  const missing = {
    name: secretRef,
    file: `${secretRef}@missing`,
    version: "missing",
    encrypted: false,
    bytes: 0,
  };
  return credentials.get(secretRef) ?? missing;
}

/** `LoadCredentialEncrypted` or `LoadCredential`, and its line. */
export function loadCredential(file: CredentialFile): {
  readonly key: string;
  readonly line: string;
} {
  const key = file.encrypted ? "LoadCredentialEncrypted" : "LoadCredential";
  return { key, line: `${file.name}:${credentialsDirectory}/${file.file}` };
}

/** The same of several files, each once, as settings of a service. */
export function loadCredentials(files: readonly CredentialFile[]): readonly AttrsEntry[] {
  const each = Map.groupBy(files.map(loadCredential), ({ key }) => key);
  return [...each].map(([key, lines]) =>
    bind(key, list([...new Set(lines.map(({ line }) => line))].map(str))),
  );
}

/** Says something about a place of the spec, at the line of the document that set it. */
export function addFinding(
  concern: Concern,
  path: readonly string[],
  level: FindingLevel,
  code: Code,
  message: string,
  hint: string | null = null,
): void {
  const origin = originOf(concern.origins, path);
  concern.findings.push({
    document: origin?.document ?? "spec",
    path: findingPath(pathInDocument(concern.origins, path)),
    line: origin?.line ?? null,
    column: origin?.column ?? null,
    level,
    code,
    message,
    hint,
  });
}

/** A place of the spec as a person finds it: the line of its document, else its path. */
export function placeOf({ origins }: Concern, path: readonly string[]): string {
  const origin = originOf(origins, path);
  return origin?.line === undefined || origin.line === null
    ? findingPath(path)
    : `${origin.document}:${origin.line}`;
}

/** The nearest known place of a path of the spec. */
export function originOf(
  origins: ReadonlyMap<string, Origin>,
  path: readonly string[],
): Origin | undefined {
  return nearestOrigin(origins, path)?.origin;
}

function nearestOrigin(
  origins: ReadonlyMap<string, Origin>,
  path: readonly string[],
): { readonly origin: Origin; readonly length: number } | undefined {
  for (let length = path.length; length > 0; length--) {
    const origin = origins.get(path.slice(0, length).join("."));
    if (origin !== undefined) return { origin, length };
  }
  return undefined;
}

/** A path as it was before entries that do not fit were taken out of its lists. */
function pathInDocument(
  origins: ReadonlyMap<string, Origin>,
  path: readonly string[],
): readonly string[] {
  const { origin, length = 0 } = nearestOrigin(origins, path) ?? {};
  return origin?.path === undefined ? path : [...origin.path.split("."), ...path.slice(length)];
}

/** Of the places that one option is made from, the first that a line of a document has said. */
export function firstSaid(
  { origins }: Concern,
  paths: readonly (readonly string[])[],
): readonly string[] | undefined {
  return paths.find((path) => originOf(origins, path) !== undefined) ?? paths[0];
}

/** A word for the POSIX shell, whatever is in it but NUL. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * What `work` renders, or nothing and a finding at `path` where a value is none that Nix can hold or
 * NixOS takes for data: a fault of the input is never the end of the program.
 */
export function attempt<T>(
  concern: Concern,
  path: readonly string[],
  work: () => T,
): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!isFault(error, "nix/unprintable") && !isFault(error, "nix/take-over-key")) throw error;
    const { code, message } = error;
    const isSaid = concern.findings.some((finding) => finding.code === code);
    if (isFreeData(path) || !isSaid) {
      const hint = "write text, numbers, truth values, lists and mappings alone";
      addFinding(concern, path, "error", code, message, hint);
    }
    return undefined;
  }
}

/**
 * Parts of a spec that are data of any shape: their own renderers say what Nix cannot hold. Of all
 * others `checkSpec` has said it, text by text.
 */
export function isFreeData([key, , inner]: readonly string[]): boolean {
  return key === "options" || key === "home" || (key === "templates" && inner === "parameters");
}
