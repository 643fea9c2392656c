import type { CodeTable } from "./entry.ts";

export const linkCodes = {
  "link/unreachable": {
    means: "The MQTT broker could not be reached.",
    action: "Check address, port, TLS and credentials; events stay in the outbox until then.",
  },
} as const satisfies CodeTable;
