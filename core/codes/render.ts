import type { CodeTable } from "./entry.ts";

export const renderCodes = {
  "render/template-unknown": {
    means: "The spec names a template that does not exist.",
    action: "Use one of the templates that `firstlight render --help` lists, or correct the name.",
  },
} as const satisfies CodeTable;
