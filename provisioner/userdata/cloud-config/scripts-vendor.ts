import type { CloudConfigModule } from "./module.ts";
import { keysOfVendorData, readVendorKeys } from "./vendor-keys.ts";

/** `vendor_data`: what is made of the cloud's own documents. */
export const scriptsVendor: CloudConfigModule = {
  name: "scripts_vendor",
  keys: keysOfVendorData,
  rule:
    "Vendor-data counts below user-data, and its scripts run (docs/user-data.md); `enabled: false` switches it off, `disabled_handlers` leaves types " +
    "of its parts out. A `prefix` starts each of its scripts, of both kinds of vendor-data, as a text is one program and a list a program with its arguments; it is a secret, as they are. " +
    "Its hooks and commands it does not start.",
  example: "vendor_data:\n  enabled: true\n  prefix: [nice, -n, 19]\n",
  translate: ({ config }) => readVendorKeys(config),
};
