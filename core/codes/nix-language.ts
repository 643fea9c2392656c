import type { CodeTable } from "./entry.ts";

export const nixLanguageCodes = {
  "nix/unprintable": {
    means:
      "A value cannot be written in the Nix language (NUL, a lone surrogate, NaN, or an integer out of range).",
    action: "Change or encode the value; binary content belongs in a file with encoding b64.",
  },
  "nix/take-over-key": {
    means:
      "Free-form data holds a key by which NixOS would take it for something else than data (`_type`, `imports`, `outPath` and the like).",
    action: "Rename the key; where the module system is really meant, write it in local.nix.",
  },
} as const satisfies CodeTable;
