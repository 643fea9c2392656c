import type { CodeTable } from "./entry.ts";

export const coreCodes = {
  "io/read-failed": {
    means: "A file of this machine exists but could not be read.",
    action: "Check the permissions and the health of the disk that holds it; run as root.",
  },
  "io/write-failed": {
    means: "A file could not be written durably.",
    action: "Check free space, permissions and whether the file system is mounted read-only.",
  },
  "io/too-large": {
    means: "A file is larger than the limit for what it is meant to be.",
    action: "Check that the right file is in this place; make it smaller.",
  },
  "exec/not-found": {
    means: "A program that is needed is not on the PATH.",
    action: "Install the program or add it to the path of the service.",
  },
  "exec/failed": {
    means: "A program ended with an error.",
    action: "Read its last lines in the message; run the same command by hand.",
  },
  "exec/timeout": {
    means: "A program did not end within its deadline and was killed.",
    action:
      "Look for a hanging disk, network mount or lock; raise the deadline if the work is real.",
  },
  "cli/usage": {
    means: "The command line was not understood.",
    action: "Run the command with --help.",
  },
  "cli/bad-input": {
    means: "A file that was named holds something else than what it was named for.",
    action: "Mend the file as the message says, or name the right one.",
  },
  "cli/internal": {
    means: "firstlight met a situation that it should have handled: a defect.",
    action: "Please report it with the output of the same command and --json.",
  },
  "cli/interrupted": {
    means: "The program was told to end before it was done.",
    action: "Start it again: it continues, or goes back.",
  },
  "cli/no-file": {
    means: "A file that was named does not exist or cannot be read.",
    action: "Check the path and its permissions.",
  },
} as const satisfies CodeTable;
