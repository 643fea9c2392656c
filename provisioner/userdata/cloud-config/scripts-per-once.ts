import { noScriptsThere, withoutKeys } from "./without-keys.ts";

/** What lies in cloud-init's directory for once on a machine. */
export const scriptsPerOnce = withoutKeys(
  "scripts_per_once",
  "It has no keys: cloud-init runs what lies in /var/lib/cloud/scripts/per-once once on a machine. Parts of the type " +
    "`text/x-shellscript-per-once` become commands; say others with `firstlight: commands` and " +
    `\`frequency: once\`; ${noScriptsThere}.`,
);
