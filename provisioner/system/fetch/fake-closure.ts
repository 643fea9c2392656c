import { createHash, generateKeyPairSync } from "node:crypto";
import { Secret } from "#core/secret.ts";
import type {
  ClosureManifest,
  ManifestPath,
} from "#generated/provisioner/system/fetch/manifest.ts";
import { storeHash } from "./narinfo.ts";
import { nixBase32, nixSha256, parseSha256, sriOf } from "./nix-hash.ts";
import { type NixSecretKey, readSecretKey } from "./nix-key.ts";

/** A pair of keys as `nix-store --generate-binary-cache-key` makes it. */
export interface KeyPair {
  readonly publicKey: string;
  readonly secretText: string;
  readonly secret: NixSecretKey;
}

/** A fresh pair of keys. */
export function makeKeys(name: string): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32);
  const secretText = `${name}:${Buffer.concat([seed, raw]).toString("base64")}`;
  return {
    publicKey: `${name}:${raw.toString("base64")}`,
    secretText,
    secret: readSecretKey(new Secret(secretText)),
  };
}

/** A store path that its name alone decides. */
export function fakePath(name: string): string {
  const hash = nixBase32(createHash("sha256").update(name).digest().subarray(0, 20));
  return `/nix/store/${hash}-${name}`;
}

/** A path of a manifest whose archive is these bytes. */
export function fakeEntry(
  name: string,
  nar: Uint8Array,
  references: readonly string[] = [],
): ManifestPath {
  return {
    path: fakePath(name),
    narHash: sriOf(createHash("sha256").update(nar).digest("hex")),
    narSize: nar.length,
    references: references.map(fakePath),
  };
}

/** A manifest of these paths, the last one the system. */
export function fakeManifest(
  paths: readonly ManifestPath[],
  inputDigest?: string,
): ClosureManifest {
  const toplevel = paths.at(-1)?.path ?? "";
  return {
    version: 1,
    toplevel,
    ...(inputDigest === undefined ? {} : { inputDigest }),
    paths: [...paths],
  };
}

/** What a cache says of a path; `change` lets it say something else. */
export function fakeNarInfo(
  entry: ManifestPath,
  packed: { readonly bytes: Uint8Array; readonly compression: string },
  change: Readonly<Record<string, string | null>> = {},
): string {
  const names = (paths: readonly string[]) => paths.map((path) => path.slice(11)).join(" ");
  const fields: Record<string, string | null> = {
    StorePath: entry.path,
    URL: `nar/${storeHash(entry.path)}.nar`,
    Compression: packed.compression,
    FileHash: nixSha256(createHash("sha256").update(packed.bytes).digest("hex")),
    FileSize: String(packed.bytes.length),
    NarHash: nixSha256(parseSha256(entry.narHash) ?? ""),
    NarSize: String(entry.narSize),
    References: names(entry.references),
    ...change,
  };
  return Object.entries(fields)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join("");
}
