import { InputDocument } from "./input-document.ts";
import type { Documents } from "./translate.ts";
import { decodeUserData, sniff } from "./user-data-format.ts";
import { readYaml } from "./yaml.ts";

const maxSources = 64;

/**
 * Addresses that the user-data names (`write_files: source: uri`), to be read before translation;
 * cheap where there are none. Beyond 64 the rest is left out, which the translation then names.
 */
export function referencedSources({ userData }: Documents): readonly string[] {
  const text = userData === undefined ? undefined : decodeUserData(userData).text;
  if (text === undefined || !/\buri\b/.test(text)) return [];
  const sniffed = sniff(text);
  const format = sniffed === "unknown" ? userData?.format : sniffed;
  if (format !== "cloud-config") return [];
  const { value, locate } = readYaml(text, { document: "user-data" });
  const { root } = new InputDocument({ name: "user-data", value: value ?? null, locate });
  const files = root.get("write_files");
  const uris = files?.isList()
    ? files.items().map((file) => file.get("source")?.get("uri")?.value)
    : [];
  const texts = uris.filter((uri): uri is string => typeof uri === "string" && uri !== "");
  return [...new Set(texts)].slice(0, maxSources);
}
