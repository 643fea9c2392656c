import { Fault } from "#core/fault.ts";
import type { ManifestPath } from "#generated/provisioner/system/fetch/manifest.ts";
import { parseSha256, sriOf } from "./nix-hash.ts";

/** What the store's own database says of a path. */
export type StoreInfo = Pick<ManifestPath, "path" | "narHash" | "narSize" | "references">;

/**
 * Reads `nix-store --dump-db PATH…`: of each path its name, hash, bytes, deriver, the number of its
 * references and those, one a line. Source: `Store::makeValidityRegistration` in Nix's
 * libstore/store-api.cc. Throws `system/nix-failed`.
 */
export function parseStoreInfo(output: string): readonly StoreInfo[] {
  const lines = output.split("\n");
  const infos: StoreInfo[] = [];
  let at = 0;
  const line = () => lines[at++] ?? "";
  while (at < lines.length - 1) {
    const path = line();
    const narHash = parseSha256(`sha256:${line()}`);
    const narSize = Number(line());
    line(); // the deriver
    const count = Number(line());
    const whole = Number.isSafeInteger(count) && count >= 0 && at + count < lines.length;
    if (narHash === undefined || !Number.isSafeInteger(narSize) || !whole) {
      throw new Fault(
        "system/nix-failed",
        `nix-store --dump-db: line ${at}: ${path}: not expected`,
      );
    }
    const references = lines.slice(at, at + count);
    at += count;
    infos.push({ path, narHash: sriOf(narHash), narSize, references });
  }
  return infos;
}

/** Why a path of the store is not what the manifest says, or `undefined` when it is. */
export function storeMismatch(wanted: StoreInfo, found: StoreInfo): string | undefined {
  if (found.narHash !== wanted.narHash) {
    return `${wanted.path}: expected ${wanted.narHash}, the store holds ${found.narHash}`;
  }
  if (found.narSize !== wanted.narSize) {
    return `${wanted.path}: expected ${wanted.narSize} bytes, the store holds ${found.narSize}`;
  }
  const sorted = (references: readonly string[]) => [...references].sort().join(" ");
  return sorted(found.references) === sorted(wanted.references)
    ? undefined
    : `${wanted.path}: the store knows other references of it`;
}
