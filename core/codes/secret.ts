import type { CodeTable } from "./entry.ts";

export const secretCodes = {
  "secret/serialised": {
    means: "A secret was about to be printed or written as data; firstlight refused.",
    action: "This is a defect of firstlight: please report it.",
  },
} as const satisfies CodeTable;
