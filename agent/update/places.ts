/** Where updates lie on a node. Only root writes there. */
export const updateDirectory = "/var/lib/firstlight/update";

/** What the fleet assigned last: verified, and not acted on yet. Written by whoever receives it. */
export const assignedFile = `${updateDirectory}/assigned.json`;

/** Every transition, one a line; for root. */
export const ledgerFile = `${updateDirectory}/ledger.jsonl`;

/** Where the update stands, for everybody. */
export const stateFile = `${updateDirectory}/state.json`;

/** The release whose trial is open, from before it begins. For root. */
export const stagedFile = `${updateDirectory}/staged.json`;

/** The release that the node is made from, in place of its user-data. For root. */
export const committedFile = `${updateDirectory}/committed.json`;

/** What persons asked of updates, each wish a file. */
export const wishesDirectory = `${updateDirectory}/wishes`;

/** One process at a time works on the update. */
export const updateLock = "/run/firstlight/update.lock";

/** Commands that were taken, until they are answered and expired. Written by whoever receives them. */
export const commandsFile = `${updateDirectory}/commands.json`;

/** There while a command is to be looked at: whoever carries them out is started by it, and removes it first. */
export const commandsWaitingFile = `${updateDirectory}/commands-waiting`;

/** How far each command was carried out, a file each. For root. */
export const commandWorkDirectory = `${updateDirectory}/commands`;

/** One process at a time carries out commands. */
export const commandLock = "/run/firstlight/commands.lock";

/** Documents of releases that did not come with a message, by their digest. For root. */
export const documentsDirectory = `${updateDirectory}/documents`;

/** The directory that an update was brought in, for as long as it is the one that is assigned. */
export const broughtFile = `${updateDirectory}/brought.json`;
