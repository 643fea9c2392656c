/** Where a fleet's root metadata lies when the settings name no file. */
export const defaultRootFile = "/var/lib/firstlight/trust/root.json";

/** What the node believes; only the root side writes it, everybody may read it. */
export const trustedFile = "/var/lib/firstlight/trust/state.json";

/** The same once more, outside of that directory: who loses one of the two loses no version. */
export const trustedCopyFile = "/var/lib/firstlight/trusted.json";

/** Most bytes of either: metadata of a large fleet; a root chain is never kept. */
export const maxTrustedBytes = 4 * 1024 * 1024;
