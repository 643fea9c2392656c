import { importAddress } from "./cloud-config/imported-keys.ts";
import { type ConfigSources, readConfigs } from "./config-documents.ts";
import type { Input, PathPart } from "./input.ts";
import { type SplitContext, splitUserData } from "./parts/split.ts";

const maxSources = 64;
/** Of documents that name no others and are no templates nothing need be known. */
const nothingRead: SplitContext = { fetched: new Map() };

/** An address that the documents name, and its path in what they are together. */
export interface NamedSource {
  readonly path: readonly PathPart[];
  readonly address: string;
}

/** Whether an address is one that can be read at all. */
export function isSourceAddress(address: string): boolean {
  return /^(?:https?:\/\/|data:)/.test(address) && URL.canParse(address);
}

/**
 * Addresses that the documents name, each once, to be read before translation. Beyond 64 the rest is
 * left out, which the translation then names.
 */
export function referencedSources(
  documents: ConfigSources,
  context: SplitContext = nothingRead,
): readonly string[] {
  const addresses = namedSources(documents, context).map(({ address }) => address);
  return [...new Set(addresses)].slice(0, maxSources);
}

/**
 * Every address that the documents name (`write_files: source: uri`, `ssh_import_id`); cheap where
 * there are none.
 */
export function namedSources(
  documents: ConfigSources,
  context: SplitContext = nothingRead,
): readonly NamedSource[] {
  const { userData, vendorData, vendorData2 } = documents;
  const raw = [userData, vendorData, vendorData2].filter((each) => each !== undefined);
  const parts = raw.flatMap((each) => splitUserData(each, context).parts);
  if (!parts.some(({ text }) => text !== undefined && /\buri\b|\bssh[_-]import[_-]id\b/.test(text)))
    return [];
  const root = readConfigs(documents, context).config?.root;
  return root === undefined ? [] : [...sourcesOfFiles(root), ...importedAccounts(root)];
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
