import { importAddress } from "./cloud-config/imported-keys.ts";
import type { Input, PathPart } from "./input.ts";
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

/**
 * Every address that the user-data names (`write_files: source: uri`, `ssh_import_id`); cheap where
 * there are none.
 */
export function namedSources({ userData }: Documents): readonly NamedSource[] {
  const text = userData === undefined ? undefined : decodeUserData(userData).text;
  if (text === undefined || !/\buri\b|\bssh[_-]import[_-]id\b/.test(text)) return [];
  const sniffed = sniff(text);
  const format = sniffed === "unknown" ? userData?.format : sniffed;
  if (format !== "cloud-config") return [];
  const { value, locate } = readYaml(text, { document: "user-data" });
  const { root } = new InputDocument({ name: "user-data", value: value ?? null, locate });
  return [...sourcesOfFiles(root), ...importedAccounts(root)];
}

function sourcesOfFiles(root: Input): readonly NamedSource[] {
  const files = root.get("write_files");
  const uris = files?.isList() ? files.items().map((file) => file.get("source")?.get("uri")) : [];
  return uris.flatMap((uri): NamedSource[] => {
    const address = uri?.value;
    if (uri === undefined || typeof address !== "string" || address === "") return [];
    return [{ path: uri.path, address }];
  });
}

/** `ssh_import_id` of the document and of its users. */
function importedAccounts(root: Input): readonly NamedSource[] {
  const holders = [root, root.get("user"), ...(root.get("users")?.parts() ?? [])];
  const lists = holders.flatMap((holder) =>
    (holder?.entries() ?? [])
      .filter(([key]) => key.replaceAll("-", "_").trim() === "ssh_import_id")
      .map(([, input]) => input),
  );
  const isReadable = (input: Input) => input.isList() || typeof input.value === "string";
  return lists.filter(isReadable).flatMap((list) =>
    list.names().flatMap(([id, at]): NamedSource[] => {
      const address = importAddress(id);
      return address === undefined ? [] : [{ path: at.path, address }];
    }),
  );
}
