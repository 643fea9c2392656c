import type { CodeTable } from "./entry.ts";

export const sideCodes = {
  "side/refused": {
    means: "The root side was asked for something that this door does not take.",
    action: "Read in the message what does not fit; a door takes only what its schema says.",
  },
  "side/too-large": {
    means: "A message to the root side is larger than its door takes.",
    action: "Send less at once; the message says the limit.",
  },
  "side/out-of-turn": {
    means: "The root side was asked again before it had answered.",
    action: "Wait for the answer, or open another connection.",
  },
  "side/timeout": {
    means: "One side waited too long for the other.",
    action: "Look at `systemctl status firstlight-system.service` and try again.",
  },
  "side/busy": {
    means: "The root side has too many connections, or is asked too often, at this door.",
    action: "Wait a little and ask again.",
  },
  "side/version": {
    means: "The two sides of firstlight are of different versions.",
    action:
      "Wait until the older one has ended: the root side does when it is idle. Then try again.",
  },
  "side/unreachable": {
    means: "The root side does not answer at its socket.",
    action: "Look at `systemctl status firstlight-system.socket firstlight-system.service`.",
  },
  "side/lost": {
    means: "The root side went away before it had answered.",
    action: "Run the command again: the next start finishes or takes back what was open.",
  },
  "side/listen-failed": {
    means: "The root side cannot listen at its sockets.",
    action: "Stop the one that runs already, or give it a shorter --root; see the message.",
  },
  "side/submit-not-taken": {
    means: "The root side that was asked takes no signed updates.",
    action: "Ask the one of the running node: look at `systemctl status firstlight-system.socket`.",
  },
} as const satisfies CodeTable;
