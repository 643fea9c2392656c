import { noScriptsThere, withoutKeys } from "./without-keys.ts";

/** What lies in cloud-init's directory for each boot. */
export const scriptsPerBoot = withoutKeys(
  "scripts_per_boot",
  "It has no keys: cloud-init runs what lies in /var/lib/cloud/scripts/per-boot at each boot. Parts of the type " +
    "`text/x-shellscript-per-boot` become commands; say others with `firstlight: commands` and " +
    `\`frequency: always\`; ${noScriptsThere}.`,
);
