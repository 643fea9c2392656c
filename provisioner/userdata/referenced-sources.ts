import { Input, InputDocument } from "./input.ts";
import type { Documents } from "./translate.ts";
import { decodeUserData, sniff } from "./user-data-format.ts";
import { readYaml } from "./yaml.ts";

const maxSources = 64;

/** Addresses that the user-data names (`write_files: source: uri`), to be read before translation; cheap where there are none. */
export function referencedSources({ userData }: Documents): readonly string[] {
  const text = userData === undefined ? undefined : decodeUserData(userData).text;
  if (text === undefined || sniff(text) !== "cloud-config" || !/\buri\b/.test(text)) return [];
  const { value } = readYaml(text, { document: "user-data" });
  const root = new Input(
    new InputDocument("user-data", value ?? null, () => undefined),
    value ?? null,
    [],
  );
  const files = root.get("write_files");
  const uris = files?.isList()
    ? files.items().map((file) => file.get("source")?.get("uri")?.value)
    : [];
  return [...new Set(uris.filter((uri) => typeof uri === "string"))].slice(0, maxSources);
}
