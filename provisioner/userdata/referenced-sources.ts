import { importAddress } from "./cloud-config/imported-keys.ts";
import { type ConfigSources, readConfigs } from "./config-documents.ts";
import type { Input, PathPart } from "./input.ts";
import { type SplitContext, splitUserData } from "./parts/split.ts";
import { isUnprotected } from "./unprotected.ts";

const maxSources = 64;
/** Of documents that name no others and are no templates nothing need be known. */
const nothingRead: SplitContext = { fetched: new Map() };

/** An address that the documents name, and its path in what they are together. */
export interface NamedSource {
  readonly path: readonly PathPart[];
  readonly address: string;
  /** Whether vendor-data names it. */
  readonly isVendors: boolean;
}

/** Whether an address is one that can be read at all. */
export function isSourceAddress(address: string): boolean {
  return /^(?:https?:\/\/|data:)/.test(address) && URL.canParse(address);
}

/** Addresses to be read before translation, and which of them signed user-data names. */
export interface ReferencedSources {
  readonly addresses: readonly string[];
  readonly signed: readonly string[];
}

/**
 * Addresses that the documents name, each once, to be read before translation. Beyond 64 the rest is
 * left out, which the translation then names; so is what signed text has read without protection.
 */
export function referencedSources(
  documents: ConfigSources,
  context: SplitContext = nothingRead,
): ReferencedSources {
  const isSigned = ({ isVendors }: NamedSource) => context.isSigned === true && !isVendors;
  const named = namedSources(documents, context).filter(
    (source) => !(isSigned(source) && isUnprotected(source.address)),
  );
  const addressesOf = (sources: readonly NamedSource[]) => [
    ...new Set(sources.map(({ address }) => address)),
  ];
  // by itself: vendor-data that says how to merge can lengthen what stands in it
  const { userData } = documents;
  const signed = context.isSigned === true ? namedSources({ userData }, context) : [];
  return { addresses: addressesOf(named).slice(0, maxSources), signed: addressesOf(signed) };
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
  // what is refused of signed text stands in no config either
  const parts = raw.flatMap((each) => splitUserData(each, { ...context, isSigned: false }).parts);
  if (!parts.some(({ text }) => text !== undefined && /\buri\b|\bssh[_-]import[_-]id\b/.test(text)))
    return [];
  const { config, vendorDocuments } = readConfigs(documents, context);
  if (config === undefined) return [];
  return [...sourcesOfFiles(config.root), ...importedAccounts(config.root)].map(
    ({ input, address }) => ({
      ...{ path: input.path, address },
      isVendors: vendorDocuments.includes(input.origin().document),
    }),
  );
}

/** An address, and the value that it stands in. */
interface FoundSource {
  readonly input: Input;
  readonly address: string;
}

function sourcesOfFiles(root: Input): readonly FoundSource[] {
  const files = root.get("write_files");
  const uris = files?.isList() ? files.items().map((file) => file.get("source")?.get("uri")) : [];
  return uris.flatMap((uri): FoundSource[] => {
    const address = uri?.value;
    if (uri === undefined || typeof address !== "string" || address === "") return [];
    return [{ input: uri, address }];
  });
}

/** `ssh_import_id` of the document and of its users. */
function importedAccounts(root: Input): readonly FoundSource[] {
  const holders = [root, root.get("user"), ...(root.get("users")?.parts() ?? [])];
  const lists = holders.flatMap((holder) =>
    (holder?.entries() ?? [])
      .filter(([key]) => key.replaceAll("-", "_").trim() === "ssh_import_id")
      .map(([, input]) => input),
  );
  const isReadable = (input: Input) => input.isList() || typeof input.value === "string";
  return lists.filter(isReadable).flatMap((list) =>
    list.names().flatMap(([id, at]): FoundSource[] => {
      const address = importAddress(id);
      return address === undefined ? [] : [{ input: at, address }];
    }),
  );
}
