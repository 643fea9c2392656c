import type { CodeTable } from "./entry.ts";

export const userDataCodes = {
  "user-data/unknown-format": {
    means: "The first line of the user-data names no known format.",
    action: "Begin it with #cloud-config or #firstlight.",
  },
} as const satisfies CodeTable;
