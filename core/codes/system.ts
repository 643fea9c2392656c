import type { CodeTable } from "./entry.ts";

export const systemCodes = {
  "system/build-failed": {
    means: "Nix could not build the system.",
    action: "Read the last lines of the failed build in the message.",
  },
} as const satisfies CodeTable;
