import type { CodeTable } from "./entry.ts";

export const datasourceCodes = {
  "datasource/malformed": {
    means: "The machine is on this datasource, but what it says cannot be read.",
    action: "Mend the named file or image; the message says where it breaks.",
  },
  "datasource/missing": {
    means: "The datasource is there but lacks a document that it must have.",
    action: "Add the named document (for NoCloud: user-data and meta-data, both may be empty).",
  },
  "datasource/none": {
    means: "No datasource was found on this machine.",
    action: "Attach a CIDATA disk, fill /var/lib/cloud/seed/nocloud, or name the datasource in the settings.",
  },
} as const satisfies CodeTable;
