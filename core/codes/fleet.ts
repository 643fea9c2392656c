import type { CodeTable } from "./entry.ts";

export const fleetCodes = {
  "selector/invalid": {
    means: "A selector of nodes cannot be read.",
    action: "Write it as `site=berlin,role in (gateway,sensor),!canary`; the message says where.",
  },
  "rollout/invalid": {
    means: "The definition of a rollout, or of a fleet to simulate, does not fit.",
    action: "Mend the named line; docs/rollout.md shows each key with an example.",
  },
  "rollout/refused": {
    means: "A rollout cannot be approved, paused, resumed, aborted or taken back as it stands now.",
    action: "Look at where it stands; what has ended is not changed any more.",
  },
  "registry/failed": {
    means: "The registry's database could not be opened, read or written.",
    action: "Look at the message: the disk, or the PostgreSQL server and its address.",
  },
  "registry/newer": {
    means: "The registry was made by a newer firstlight.",
    action: "Run that version, or restore a backup that this one has made.",
  },
  "registry/unknown": {
    means: "The registry holds nothing by this name.",
    action: "Look at the names that there are.",
  },
  "registry/conflict": {
    means: "Somebody else changed the same thing meanwhile, or it is there already.",
    action: "Read it again, and try again.",
  },
  "registry/lease-lost": {
    means:
      "Another server has taken over the work of this one, which may write nothing more of it.",
    action: "Nothing to do: the other server goes on.",
  },
  "registry/backup-invalid": {
    means: "A backup cannot be restored: it is cut off, damaged, or none.",
    action: "Take another one; its last line says how many rows it holds.",
  },
} as const satisfies CodeTable;
