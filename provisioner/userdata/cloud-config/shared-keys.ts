import type { CloudConfigModule } from "./module.ts";

/** Modules of cloud-init that read the keys of another one. */
function sharing(name: string, rule: string): CloudConfigModule {
  return { name, keys: [], rule, example: "", translate() {} };
}

export const updateHostname = sharing(
  "update_hostname",
  "It reads the keys of `set_hostname` at each boot, to put the name back. A name that is part of the system is not changed in the first place.",
);

export const writeFilesDeferred = sharing(
  "write_files_deferred",
  "It writes the entries of `write_files` with `defer: true`, when users and packages are there; the key `write_files_deferred` itself is named, since cloud-init does not read it either.",
);
