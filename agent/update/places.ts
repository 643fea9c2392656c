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

/** What the fleet was told last of metadata that has expired; absent while all of it counts. */
export const freshnessFile = `${updateDirectory}/freshness.json`;

/** What persons asked of updates, each wish a file. */
export const wishesDirectory = `${updateDirectory}/wishes`;

/** One process at a time works on the update. */
export const updateLock = "/run/firstlight/update.lock";
