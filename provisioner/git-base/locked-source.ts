import { createHash } from "node:crypto";
import { nixBase32, parseSha256, sriOf } from "#provisioner/system/fetch/nix-hash.ts";

/** A configuration in a Git repository, as the settings name it: fixed by revision and content. */
export interface GitSettings {
  readonly git: string;
  /** Of the commit, 40 hexadecimal digits. */
  readonly rev: string;
  /** SHA-256 of the tree's NAR, in any form that Nix writes. */
  readonly narHash: string;
  /** File or directory in the repository; `configuration.nix` when absent. */
  readonly path?: string;
  /** A module among the outputs of its flake, in place of a path. */
  readonly flake?: string;
  /** Lines of public keys; with one the commit must be signed by one of them. */
  readonly signers?: readonly string[];
}

const storeDirectory = "/nix/store";
/** Bytes of a store path's digest. */
const digestBytes = 20;

/** The SRI form of a hash that the schema of the settings let in. Throws `RangeError` for any other. */
export function sriHash(narHash: string): string {
  return sriOf(hexOf(narHash));
}

/**
 * Where the store keeps a tree called `source` with this content: the same place that
 * `builtins.fetchGit` and `nix-store --add source` give it. The path is made from the hash, so that what lies there
 * is what the hash says, and nobody needs to be asked.
 * Source: `makeFixedOutputPath` in Nix's libstore/store-api.cc.
 */
export function sourcePath(narHash: string): string {
  const said = `source:sha256:${hexOf(narHash)}:${storeDirectory}:source`;
  const digest = createHash("sha256").update(said).digest();
  const folded = Buffer.alloc(digestBytes);
  for (const [at, byte] of digest.entries()) {
    const place = at % digestBytes;
    folded[place] = (folded[place] ?? 0) ^ byte;
  }
  return `${storeDirectory}/${nixBase32(folded)}-source`;
}

function hexOf(narHash: string): string {
  const hex = parseSha256(narHash);
  if (hex === undefined) throw new RangeError(`expected a SHA-256 as Nix writes it: ${narHash}`);
  return hex;
}
