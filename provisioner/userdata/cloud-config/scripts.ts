import type { CloudConfigModule } from "./module.ts";
import { keysOfVendorData, readVendorKeys } from "./vendor-keys.ts";

/** A module that runs what lies in a directory of cloud-init, and has no keys. */
function directory(name: string, rule: string): CloudConfigModule {
  return { name, keys: [], rule, example: "", translate() {} };
}

const nowhere =
  "a file that `write_files` puts there is run by nobody, and a warning says so when the system is rendered";

/** Scripts of the user-data itself. */
export const scriptsUser = directory(
  "scripts_user",
  "It has no keys: scripts that are parts of the user-data (`#!`) become commands, each in a unit of its own, in cloud-init's order " +
    "around `runcmd` (docs/user-data.md).",
);

export const scriptsPerBoot = directory(
  "scripts_per_boot",
  "It has no keys: cloud-init runs what lies in /var/lib/cloud/scripts/per-boot at each boot. Parts of the type " +
    "`text/x-shellscript-per-boot` become commands; say others with `firstlight: commands` and " +
    `\`frequency: always\`; ${nowhere}.`,
);

export const scriptsPerInstance = directory(
  "scripts_per_instance",
  "It has no keys: cloud-init runs what lies in /var/lib/cloud/scripts/per-instance once per instance. Parts of the type " +
    "`text/x-shellscript-per-instance` become commands; say others with `runcmd`, or with " +
    `\`firstlight: commands\` and \`frequency: instance\`; ${nowhere}.`,
);

export const scriptsPerOnce = directory(
  "scripts_per_once",
  "It has no keys: cloud-init runs what lies in /var/lib/cloud/scripts/per-once once on a machine. Parts of the type " +
    "`text/x-shellscript-per-once` become commands; say others with `firstlight: commands` and " +
    `\`frequency: once\`; ${nowhere}.`,
);

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
