import type { CodeTable } from "./entry.ts";

export const mergeCodes = {
  "merge/invalid-mergers": {
    means: "A part of the user-data says in a way that is none how it is merged; it is left out.",
    action: "Write `merge_how: dict(recurse_array)+list(append)+str()`.",
  },
  "merge/unknown-option": {
    means: "An option of a merger is none that it has, and means nothing.",
    action: "Take it out, or write the option that was meant.",
  },
  "merge/no-dict": {
    means:
      "A part of the user-data says how it is merged and leaves mappings out, so that cloud-init uses nothing of it.",
    action: "Add `dict()` to what it says.",
  },
  "merge/replaced": {
    means: "Of two parts of the user-data that say the same key one counts.",
    action:
      "Nothing, where that is meant; else say `merge_how` in the later part, or put both into one.",
  },
  "merge/failed": {
    means: "A part of the user-data cannot be merged into those before it; it is left out whole.",
    action: "Mend what the finding points at.",
  },
  "merge/too-large": {
    means: "What comes of merging parts, or the way to it, is larger than one document may be.",
    action: "Write fewer or smaller parts.",
  },
  "merge/invalid-json": {
    means: "A #cloud-config-jsonp is no JSON after its first line.",
    action: "Write a list of operations in JSON.",
  },
  "merge/invalid-patch": {
    means: "A #cloud-config-jsonp is JSON and no patch as RFC 6902 has it.",
    action: "Write each operation with `op`, `path` and what the operation needs.",
  },
} as const satisfies CodeTable;
