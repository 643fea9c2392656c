import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type {
  ClosureManifest,
  ManifestPath,
} from "#generated/provisioner/system/fetch/manifest.ts";
import type {
  ManifestSignature,
  SignedClosure,
} from "#generated/provisioner/system/fetch/signed-closure.ts";
import { validate } from "#generated/provisioner/system/fetch/signed-closure.validate.js";
import { isStorePath } from "../paths.ts";
import { isSigned, type NixPublicKey } from "./nix-key.ts";

/** A signed manifest of tens of thousands of paths; what is larger is none. */
export const maxManifestBytes = 32 * 1024 * 1024;
/** 4 TiB unpacked. */
const maxTotalBytes = 2 ** 42;
const shownPaths = 5;

/** Whom a manifest must be signed by; from the settings and from nowhere else. */
export interface TrustedKeys {
  readonly keys: readonly NixPublicKey[];
  /** So many different keys must have signed. */
  readonly threshold: number;
}

/** What a manifest is held against. */
export interface VerifyOptions extends TrustedKeys {
  /** The store of this machine. */
  readonly store: string;
  /** Digest of the sources that the system must be built from; `null` when any will do. */
  readonly inputDigest: string | null;
}

/** A manifest that was signed and is whole. */
export interface VerifiedManifest {
  readonly digest: string;
  readonly toplevel: string;
  readonly inputDigest: string | null;
  /** Every path, each after what it refers to. */
  readonly paths: readonly ManifestPath[];
  /** Names of the keys that signed. */
  readonly signedBy: readonly string[];
}

/**
 * Verifies a signed manifest: its form, its signatures, that it holds the system and everything
 * that the system refers to and nothing else, and that it is about these sources. Pure. Throws
 * `system/manifest-invalid`, `system/closure-untrusted`, `system/closure-mismatch`.
 */
export function verifyManifest(text: string, options: VerifyOptions): VerifiedManifest {
  const { manifest, signatures } = parseSignedClosure(text);
  const digest = manifestDigest(manifest);
  const signedBy = checkSignatures(digest, signatures, options);
  const paths = checkClosure(manifest, options.store);
  const inputDigest = manifest.inputDigest ?? null;
  if (options.inputDigest !== null && inputDigest !== options.inputDigest) {
    throw new Fault(
      "system/closure-mismatch",
      `expected a system made from the sources ${options.inputDigest}, got one from ${inputDigest ?? "unknown ones"}`,
    );
  }
  return { digest, toplevel: manifest.toplevel, inputDigest, paths, signedBy };
}

/** Reads the file of a signed manifest; what it says is not believed yet. Throws `system/manifest-invalid`. */
export function parseSignedClosure(text: string): SignedClosure {
  if (Buffer.byteLength(text) > maxManifestBytes) {
    throw invalid(`expected at most ${maxManifestBytes} bytes`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Fault("system/manifest-invalid", "the manifest is not JSON", { cause: error });
  }
  if (validate(value)) return value;
  const first = validate.errors?.[0];
  throw invalid(`${first?.instancePath || "/"}: ${first?.message ?? "does not fit"}`);
}

/** What names a manifest: SHA-256 of its canonical JSON. */
export function manifestDigest(manifest: ClosureManifest): string {
  return sha256(canonicalJson(manifest));
}

/** The text that is signed; it says what it is, so that no other signature can stand for it. */
export function signedText(digest: string): string {
  return `firstlight closure manifest 1 ${digest}`;
}

function checkSignatures(
  digest: string,
  signatures: readonly ManifestSignature[],
  { keys, threshold }: TrustedKeys,
): readonly string[] {
  const text = signedText(digest);
  // By their bytes: one key under two names, or twice in the list, is one.
  const signers = new Map<string, string>();
  for (const { key: name, signature } of signatures) {
    for (const key of keys) {
      if (key.name === name && isSigned(key, text, signature)) signers.set(key.bytes, name);
    }
  }
  if (threshold >= 1 && signers.size >= threshold) return [...signers.values()].sort();
  const known = keys.length === 0 ? "no key is trusted (fetch.trustedKeys)" : keyNames(keys);
  throw new Fault(
    "system/closure-untrusted",
    `the manifest ${digest.slice(0, 16)} is signed by ${signers.size} of ${threshold} trusted keys; ${known}`,
  );
}

function keyNames(keys: readonly NixPublicKey[]): string {
  return `trusted are ${keys.map((key) => key.name).join(", ")}`;
}

/** The paths in an order in which each comes after what it refers to. */
function checkClosure(manifest: ClosureManifest, store: string): readonly ManifestPath[] {
  const byPath = new Map<string, ManifestPath>();
  let bytes = 0;
  for (const entry of manifest.paths) {
    if (!isStorePath(store, entry.path)) {
      throw invalid(`${entry.path}: expected an object of ${store}`);
    }
    if (byPath.has(entry.path)) throw invalid(`${entry.path} is there twice`);
    if (new Set(entry.references).size !== entry.references.length) {
      throw invalid(`${entry.path}: a reference is there twice`);
    }
    byPath.set(entry.path, entry);
    bytes += entry.narSize;
  }
  if (bytes > maxTotalBytes) throw invalid(`${bytes} bytes, expected at most ${maxTotalBytes}`);
  const ordered = reachable(manifest.toplevel, byPath);
  if (ordered.length === byPath.size) return ordered;
  const used = new Set(ordered);
  const extra = manifest.paths.filter((entry) => !used.has(entry)).map((entry) => entry.path);
  throw invalid(`the system does not need ${shorten(extra)}`);
}

/** Depth first, without recursion: a hostile chain is as long as the manifest. */
function reachable(
  toplevel: string,
  byPath: ReadonlyMap<string, ManifestPath>,
): readonly ManifestPath[] {
  const ordered: ManifestPath[] = [];
  const state = new Map<ManifestPath, "open" | "done">();
  const stack = [{ entry: lookUp(byPath, toplevel, "the system"), next: 0 }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const { entry } = top;
    if (top.next === 0) state.set(entry, "open");
    const reference = entry.references[top.next++];
    if (reference === undefined) {
      state.set(entry, "done");
      ordered.push(entry);
      stack.pop();
      continue;
    }
    const target = lookUp(byPath, reference, entry.path);
    if (target === entry || state.get(target) === "done") continue;
    if (state.get(target) === "open")
      throw invalid(`${entry.path} and ${reference} need each other`);
    stack.push({ entry: target, next: 0 });
  }
  return ordered;
}

function lookUp(
  byPath: ReadonlyMap<string, ManifestPath>,
  path: string,
  referrer: string,
): ManifestPath {
  const entry = byPath.get(path);
  if (entry === undefined)
    throw invalid(`${path}, which ${referrer} needs, is not in the manifest`);
  return entry;
}

function shorten(paths: readonly string[]): string {
  const more = paths.length > shownPaths ? ` and ${paths.length - shownPaths} more` : "";
  return paths.slice(0, shownPaths).join(", ") + more;
}

function invalid(message: string): Fault {
  return new Fault("system/manifest-invalid", message);
}
