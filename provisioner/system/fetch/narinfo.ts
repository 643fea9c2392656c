import { Fault } from "#core/fault.ts";
import type { ManifestPath } from "#generated/provisioner/system/fetch/manifest.ts";
import { nixSha256, parseSha256 } from "./nix-hash.ts";
import { isSigned, type NixPublicKey } from "./nix-key.ts";

/** How a cache may have packed an archive, as far as it can be unpacked here. */
export type Compression = "none" | "xz" | "bzip2" | "zstd" | "gzip" | "br";

/** What of a cache's narinfo is needed to fetch an archive. */
export interface NarInfo {
  /** Relative to the cache, without a way out of it. */
  readonly url: string;
  readonly compression: Compression;
  /** SHA-256 of the packed file in hexadecimal, and its bytes; `null` where it does not say. */
  readonly fileHash: string | null;
  readonly fileSize: number | null;
  /** Every `Sig` line. */
  readonly signatures: readonly string[];
}

const compressions: readonly Compression[] = ["none", "xz", "bzip2", "zstd", "gzip", "br"];
/** Packing makes nothing much larger than it was. */
const packedSlack = 64 * 1024;

/**
 * Reads what a cache says about a path and holds it against the manifest, before anything large is
 * fetched. Throws `system/cache-lied` when it says something else, `system/cache-unusable` when the
 * archive is packed in a way that is not known here.
 */
export function readNarInfo(text: string, wanted: ManifestPath): NarInfo {
  const { fields, signatures } = parseFields(text);
  const field = (name: string) => fields.get(name) ?? "";
  const lied = (name: string, expected: string): never => {
    const got = JSON.stringify(field(name).slice(0, 200));
    throw new Fault(
      "system/cache-lied",
      `${wanted.path}: ${name}: expected ${expected}, got ${got}`,
    );
  };
  if (field("StorePath") !== wanted.path) lied("StorePath", wanted.path);
  if (parseSha256(field("NarHash")) !== parseSha256(wanted.narHash))
    lied("NarHash", wanted.narHash);
  if (field("NarSize") !== String(wanted.narSize)) lied("NarSize", String(wanted.narSize));
  const references = wanted.references.map(baseName).sort().join(" ");
  if (field("References").split(/\s+/).filter(Boolean).sort().join(" ") !== references) {
    lied("References", references || "none");
  }
  const url = field("URL");
  if (!isBelow(url)) lied("URL", "a file of the cache");
  const fileHash = fields.has("FileHash") ? parseSha256(field("FileHash")) : null;
  if (fileHash === undefined) return lied("FileHash", "a SHA-256");
  const fileSize = fields.has("FileSize") ? Number(field("FileSize")) : null;
  if (fileSize !== null && !(fileSize >= 1 && fileSize <= largestFile(wanted))) {
    lied("FileSize", `at most ${largestFile(wanted)}`);
  }
  return {
    url,
    compression: readCompression(field("Compression")),
    fileHash,
    fileSize,
    signatures,
  };
}

/** The most bytes that a packed archive may have. */
export function largestFile({ narSize }: ManifestPath): number {
  return narSize + Math.ceil(narSize / 16) + packedSlack;
}

/**
 * What Nix reads about an archive that lies unpacked beside it: all of it from the manifest, but
 * for the signatures, which Nix keeps with the path.
 */
export function stagedNarInfo(entry: ManifestPath, signatures: readonly string[]): string {
  return [
    `StorePath: ${entry.path}`,
    `URL: ${stagedNar(entry)}`,
    "Compression: none",
    `NarHash: ${nixSha256(parseSha256(entry.narHash) ?? "")}`,
    `NarSize: ${entry.narSize}`,
    `References: ${entry.references.map(baseName).join(" ")}`,
    ...signatures.map((signature) => `Sig: ${signature}`),
    "",
  ].join("\n");
}

/** The name of a path's unpacked archive, below the staging directory. */
export function stagedNar({ path }: ManifestPath): string {
  return `nar/${storeHash(path)}.nar`;
}

/** The part of a store path that caches name things by. */
export function storeHash(path: string): string {
  return baseName(path).slice(0, 32);
}

/**
 * Those of a cache's signatures by which one of the keys vouches, as Nix signs, for what the
 * manifest says of the path. Source: `ValidPathInfo::fingerprint` in Nix's libstore/path-info.cc.
 */
export function goodSignatures(
  entry: ManifestPath,
  signatures: readonly string[],
  keys: readonly NixPublicKey[],
): readonly string[] {
  const hash = nixSha256(parseSha256(entry.narHash) ?? "");
  const references = [...entry.references].sort().join(",");
  const fingerprint = `1;${entry.path};${hash};${entry.narSize};${references}`;
  return signatures.filter((line) =>
    keys.some(
      (key) =>
        line.startsWith(`${key.name}:`) &&
        isSigned(key, fingerprint, line.slice(key.name.length + 1)),
    ),
  );
}

function readCompression(text: string): Compression {
  // Without the field it is bzip2, says Nix's NarInfo.
  const name = text === "" ? "bzip2" : text;
  const known = compressions.find((compression) => compression === name);
  if (known !== undefined) return known;
  throw new Fault(
    "system/cache-unusable",
    `expected one of ${compressions.join(", ")} as Compression, got ${JSON.stringify(text.slice(0, 50))}`,
  );
}

function parseFields(text: string): {
  readonly fields: ReadonlyMap<string, string>;
  readonly signatures: readonly string[];
} {
  const fields = new Map<string, string>();
  const signatures: string[] = [];
  for (const line of text.split("\n")) {
    const [, name = "", value = ""] = /^([A-Za-z]+):[ \t]*(.*?)\r?$/.exec(line) ?? [];
    if (name === "Sig") signatures.push(value);
    else if (name !== "") fields.set(name, value);
  }
  return { fields, signatures };
}

function isBelow(url: string): boolean {
  const parts = url.split("?")[0]?.split("/") ?? [];
  return (
    url !== "" && !/^[a-z]+:/i.test(url) && !parts.some((part) => part === "" || part === "..")
  );
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
