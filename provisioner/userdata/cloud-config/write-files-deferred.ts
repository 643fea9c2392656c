import { withoutKeys } from "./without-keys.ts";

/** `write_files_deferred`, which reads the key of `write_files`. */
export const writeFilesDeferred = withoutKeys(
  "write_files_deferred",
  "It writes the entries of `write_files` with `defer: true`, when users and packages are there; the key `write_files_deferred` itself is named, since cloud-init does not read it either.",
);
