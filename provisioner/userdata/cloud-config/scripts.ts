import type { CloudConfigModule } from "./module.ts";
import { refused, refusedModule } from "./refused.ts";

/** A module that runs what lies in a directory of cloud-init, and has no keys. */
function directory(name: string, rule: string): CloudConfigModule {
  return { name, keys: [], rule, example: "", translate() {} };
}

const nowhere =
  "a file that `write_files` puts there is run by nobody, and a warning says so when the system is rendered";

/** Scripts of the user-data itself. */
export const scriptsUser = directory(
  "scripts_user",
  "It has no keys: cloud-init runs the scripts that are parts of the user-data (`#!`). Put their lines under `runcmd`, or under `commands` " +
    "of a #firstlight, where each has a unit of its own.",
);

export const scriptsPerBoot = directory(
  "scripts_per_boot",
  "It has no keys: cloud-init runs what lies in /var/lib/cloud/scripts/per-boot at each boot. Say it with `firstlight: commands` and " +
    `\`frequency: always\`; ${nowhere}.`,
);

export const scriptsPerInstance = directory(
  "scripts_per_instance",
  "It has no keys: cloud-init runs what lies in /var/lib/cloud/scripts/per-instance once per instance. Say it with `runcmd`, or with " +
    `\`firstlight: commands\` and \`frequency: instance\`; ${nowhere}.`,
);

export const scriptsPerOnce = directory(
  "scripts_per_once",
  "It has no keys: cloud-init runs what lies in /var/lib/cloud/scripts/per-once once on a machine. Say it with `firstlight: commands` and " +
    `\`frequency: once\`; ${nowhere}.`,
);

const vendorData = "vendor-data is not used; put what you need of it into the user-data";

const switched = refused.mapping(vendorData, {
  enabled: {
    ...refused.anyOf(["true or false", "text"], vendorData, (value) => value === false),
    code: "user-data/vendor-data",
  },
  prefix: refused.anyOf(
    ["text", "a list"],
    "no script of vendor-data runs, so that nothing goes before it",
    () => true,
  ),
});

/** `vendor_data`: whether the cloud's own scripts run. */
export const scriptsVendor = refusedModule({
  name: "scripts_vendor",
  rule:
    "Of vendor-data nothing is used: to switch it off asks for what is so anyway, to switch it on is refused. What must run belongs into the " +
    "user-data.",
  example: "vendor_data:\n  enabled: false\n",
  keys: { vendor_data: switched, vendor_data2: switched },
});
