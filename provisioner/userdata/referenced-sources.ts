import type { PathPart } from "./input.ts";
import { InputDocument } from "./input-document.ts";
import type { Documents } from "./translate.ts";
import { decodeUserData, sniff } from "./user-data-format.ts";
import { readYaml } from "./yaml.ts";

const maxSources = 64;

/** An address that the user-data names, and the place of the document where it stands. */
export interface NamedSource {
  readonly path: readonly PathPart[];
  readonly address: string;
}

/** Whether an address is one that can be read at all. */
export function isSourceAddress(address: string): boolean {
  return /^(?:https?:\/\/|data:)/.test(address) && URL.canParse(address);
}

/**
 * Addresses that the user-data names, each once, to be read before translation. Beyond 64 the rest is
 * left out, which the translation then names.
 */
export function referencedSources(documents: Documents): readonly string[] {
  const addresses = namedSources(documents).map(({ address }) => address);
  return [...new Set(addresses)].slice(0, maxSources);
}

/** Every address that the user-data names (`write_files: source: uri`); cheap where there are none. */
export function namedSources({ userData }: Documents): readonly NamedSource[] {
  const text = userData === undefined ? undefined : decodeUserData(userData).text;
  if (text === undefined || !/\buri\b/.test(text)) return [];
  const sniffed = sniff(text);
  const format = sniffed === "unknown" ? userData?.format : sniffed;
  if (format !== "cloud-config") return [];
  const { value, locate } = readYaml(text, { document: "user-data" });
  const { root } = new InputDocument({ name: "user-data", value: value ?? null, locate });
  const files = root.get("write_files");
  const uris = files?.isList() ? files.items().map((file) => file.get("source")?.get("uri")) : [];
  return uris.flatMap((uri): NamedSource[] => {
    const address = uri?.value;
    if (uri === undefined || typeof address !== "string" || address === "") return [];
    return [{ path: uri.path, address }];
  });
}
