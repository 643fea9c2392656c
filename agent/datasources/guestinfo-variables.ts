import { isFault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";

const maxBytes = 2 * 1024 * 1024;
const prefix = "VMX_GUESTINFO";
const documents = ["metadata", "userdata", "vendordata"];

/**
 * Guestinfo by key, as process 1 was given it in its environment: `VMX_GUESTINFO_METADATA` is
 * `metadata`, with `VMX_GUESTINFO_METADATA_ENCODING` as `metadata.encoding`. Empty where
 * `VMX_GUESTINFO` says nothing, and without any of the documents.
 */
export function readGuestInfoVariables(files: Files): ReadonlyMap<string, string> {
  const pairs = readEnvironment(files)
    .split("\0")
    .map((each): readonly [string, string] => {
      const at = each.indexOf("=");
      return [each.slice(0, Math.max(0, at)), each.slice(at + 1)];
    });
  const given = new Map(pairs);
  if ((given.get(prefix) ?? "") === "") return new Map();
  const found = documents.flatMap((key) => {
    const name = `${prefix}_${key.toUpperCase()}`;
    const value = given.get(name)?.trimEnd() ?? "";
    const encoding = given.get(`${name}_ENCODING`)?.trimEnd() ?? "";
    if (value === "" || value === "---") return [];
    return [
      [key, value] as const,
      ...(encoding === "" ? [] : [[`${key}.encoding`, encoding] as const]),
    ];
  });
  return new Map(found);
}

/** For root only; who may not read it is told nothing. */
function readEnvironment(files: Files): string {
  try {
    return files.readText("/proc/1/environ", { maxBytes }) ?? "";
  } catch (error) {
    if (isFault(error)) return "";
    throw error;
  }
}
