import { withoutKeys } from "./without-keys.ts";

/** Scripts of the user-data itself. */
export const scriptsUser = withoutKeys(
  "scripts_user",
  "It has no keys: scripts that are parts of the user-data (`#!`) become commands, each in a unit of its own, in cloud-init's order " +
    "around `runcmd` (docs/user-data.md).",
);
