import type { Input } from "../input.ts";
import { vendorKeys } from "../vendor-switch.ts";
import { writtenPaths } from "./program-paths.ts";
import { readVendorPrefix } from "./vendor-prefix.ts";

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
    readPrefix(said.get("prefix"), key, config);
  }
}

/** As cloud-init has it, what stands before the scripts of both is said under the first key. */
function readPrefix(prefix: Input | undefined, key: string, config: Input): void {
  if (prefix === undefined) return;
  const read = readVendorPrefix(prefix, writtenPaths(config));
  if (read === undefined) {
    const hint = "write the program alone, or a list with its arguments: `[nice, -n, 19]`";
    return prefix.expected("a program that starts scripts", hint, "something else");
  }
  prefix.mark("translated");
  if (key !== vendorKeys["vendor-data"] && read.words.length > 0) {
    return prefix.unsupported({
      code: "cloud-config/unsupported-key",
      message: "nothing reads this, in cloud-init neither",
      hint: "say it under `vendor_data`: it counts for the scripts of both",
    });
  }
  if (read.problem !== undefined) prefix.add("warning", read.problem);
}
