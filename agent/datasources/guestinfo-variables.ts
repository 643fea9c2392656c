import type { Files } from "#core/io.ts";
import { readInitEnvironment } from "./init-environment.ts";

const prefix = "VMX_GUESTINFO";
const documents = ["metadata", "userdata", "vendordata"];

/**
 * Guestinfo by key, as process 1 was given it in its environment: `VMX_GUESTINFO_METADATA` is
 * `metadata`, with `VMX_GUESTINFO_METADATA_ENCODING` as `metadata.encoding`. Empty where
 * `VMX_GUESTINFO` says nothing, and without any of the documents.
 */
export function readGuestInfoVariables(files: Files): ReadonlyMap<string, string> {
  const given = readInitEnvironment(files);
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
