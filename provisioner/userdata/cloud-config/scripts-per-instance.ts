import { noScriptsThere, withoutKeys } from "./without-keys.ts";

/** What lies in cloud-init's directory for each instance. */
export const scriptsPerInstance = withoutKeys(
  "scripts_per_instance",
  "It has no keys: cloud-init runs what lies in /var/lib/cloud/scripts/per-instance once per instance. Parts of the type " +
    "`text/x-shellscript-per-instance` become commands; say others with `runcmd`, or with " +
    `\`firstlight: commands\` and \`frequency: instance\`; ${noScriptsThere}.`,
);
