import { withoutKeys } from "./without-keys.ts";

/** `update_hostname`, which reads the keys of `set_hostname`. */
export const updateHostname = withoutKeys(
  "update_hostname",
  "It reads the keys of `set_hostname` at each boot, to put the name back. A name that is part of the system is not changed in the first place.",
);
