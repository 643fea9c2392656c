import type { CodeTable } from "./entry.ts";

export const agentCodes = {
  "policy/held": {
    means: "What the machine was told to become has changed, and the policy says to wait for a person.",
    action: "Look at `firstlight plan`, then run `firstlight apply`, or change the policy in the settings.",
  },
} as const satisfies CodeTable;
