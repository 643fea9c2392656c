import type { CloudConfigModule } from "./module.ts";

/** What a rule says of the directories that cloud-init runs scripts from. */
export const noScriptsThere =
  "a file that `write_files` puts there is run by nobody, and a warning says so when the system is rendered";

/** A module of cloud-init that has no keys: it reads those of another one, or runs what lies in a directory. */
export function withoutKeys(name: string, rule: string): CloudConfigModule {
  return { name, keys: [], rule, example: "", translate() {} };
}
