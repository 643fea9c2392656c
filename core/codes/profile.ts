import type { CodeTable } from "./entry.ts";

export const profileCodes = {
  "profile/invalid": {
    means: "A hardware profile does not fit its schema.",
    action: "Mend the profile.yaml at the named line.",
  },
} as const satisfies CodeTable;
