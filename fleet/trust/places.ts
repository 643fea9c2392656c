/** Where things lie in the signing repository of a fleet. */
export function signingPlaces(directory: string) {
  return {
    settings: `${directory}/fleet.json`,
    keys: `${directory}/keys`,
    online: `${directory}/online`,
    metadata: `${directory}/metadata`,
    staged: `${directory}/staged`,
    releases: `${directory}/releases`,
    closures: `${directory}/closures`,
    nodes: `${directory}/nodes`,
    /** Private keys of the server, and what hangs on one machine, go into no repository of Git. */
    ignored: `${directory}/.gitignore`,
  };
}

/** Names of keys and releases are parts of file names. */
export const keyNamePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
/** A release's name is a part of a path of TUF as well. */
export const releaseNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/;
