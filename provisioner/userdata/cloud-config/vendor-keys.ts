import type { Input } from "../input.ts";
import { vendorKeys } from "../vendor-switch.ts";

/** The keys by which user-data says what is made of vendor-data. */
export const keysOfVendorData: readonly string[] = Object.values(vendorKeys);

/** Accounts for those keys: what they say was done before the documents were put together. */
export function readVendorKeys(config: Input): void {
  for (const key of keysOfVendorData) {
    const said = config.get(key);
    if (said === undefined) continue;
    if (said.value !== null && !said.isMapping()) {
      said.expected("a mapping with `enabled`", `write \`${key}: {enabled: false}\``);
      continue;
    }
    if (said.parts().length === 0) said.mark("translated");
    said.get("enabled")?.boolean();
    said.get("disabled_handlers")?.mark("translated");
    readPrefix(said.get("prefix"));
  }
}

function readPrefix(prefix: Input | undefined): void {
  if (prefix === undefined) return;
  const { value } = prefix;
  const isEmpty =
    value === null || value === "" || (prefix.isList() && prefix.parts().length === 0);
  if (isEmpty) return prefix.mark("translated");
  prefix.unsupported({
    code: "cloud-config/unsupported-key",
    message: "no program stands before the scripts of vendor-data",
    hint: "switch them off with `disabled_handlers: [text/x-shellscript]`, or take this out",
  });
}
