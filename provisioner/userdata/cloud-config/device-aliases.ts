import type { Input } from "../input.ts";

/** The names that a document gives to devices; the module that owns the key says what is wrong with it. */
export function readAliases(config: Input): ReadonlyMap<string, string> {
  const entries = config.get("device_aliases")?.entries() ?? [];
  return new Map(
    entries.flatMap(([name, { value }]) => (typeof value === "string" ? [[name, value]] : [])),
  );
}
