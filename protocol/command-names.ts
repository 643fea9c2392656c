/** The closed list of what a fleet can tell a node to do; nothing else ever runs by a message. */
export const commandNames = [
  "update",
  "rollback",
  "reboot",
  "rotate-credential",
  "collect-diagnostics",
  "run-drift-scan",
  "ping",
] as const;

/** One of them. */
export type CommandName = (typeof commandNames)[number];
