import type { CodeTable } from "./entry.ts";

export const specCodes = {
  "spec/invalid": {
    means: "A value does not fit the schema of the spec.",
    action: "Change the value at the named line; docs/spec.md lists every key.",
  },
} as const satisfies CodeTable;
