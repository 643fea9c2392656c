import type { CodeTable } from "./entry.ts";

export const nixLanguageCodes = {
  "nix/unprintable": {
    means: "A value cannot be written in the Nix language (NUL, a lone surrogate, NaN, or an integer out of range).",
    action: "Change or encode the value; binary content belongs in a file with encoding b64.",
  },
} as const satisfies CodeTable;
