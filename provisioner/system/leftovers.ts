import { manifestFile } from "#provisioner/render/manifest.ts";
import type { Needed } from "./needed.ts";
import type { Change, Work } from "./work.ts";

/** What lies outside of the store and belongs to no system that stays. */
export interface Leftovers {
  /** Digests of sources. */
  readonly sources: readonly string[];
  /** Files of secrets. */
  readonly credentials: readonly string[];
  /** Scopes of instances whose stamps are not needed any more. */
  readonly stamps: readonly string[];
}

/** Stamps that are not of an instance: of commands that run once on the machine. */
const machineScope = "once";
const digest = /^[0-9a-f]{64}$/;

/** Finds what nothing needs. Stamps of an instance stay for a while after its last system has gone. */
export function findLeftovers(
  work: Work,
  needed: Needed,
  stampsOlderThanMs: number | null,
): Leftovers {
  const { io, paths } = work;
  return {
    sources: io.files
      .list(paths.sources)
      .filter((name) => digest.test(name) && !isNeeded(work, needed, name)),
    credentials:
      needed.credentials === null
        ? []
        : credentialFiles(work).filter((name) => needed.credentials?.has(name) === false),
    stamps: io.files
      .list(paths.stamps)
      .filter((scope) => /^[0-9a-f]{16}$/.test(scope) && !needed.instances.has(scope))
      .filter((scope) => scope !== machineScope && isOld(work, scope, stampsOlderThanMs)),
  };
}

/** Every file of a secret on disk. */
export function credentialFiles({ io, paths }: Work): readonly string[] {
  return io.files.list(paths.credentials).filter((name) => /^[^.].*@/.test(name));
}

/** Removes them. A directory is first renamed, so that half of one is never taken for the whole. */
export function removeLeftovers(
  change: Change,
  { sources, credentials, stamps }: Leftovers,
  shred: (keep: ReadonlySet<string>) => readonly string[],
): void {
  const { io, paths } = change;
  for (const name of sources) {
    io.files.rename(`${paths.sources}/${name}`, `${paths.sources}/.${name}.old`);
  }
  for (const name of io.files.list(paths.sources)) {
    if (/^\.[0-9a-f]{64}\.(old|new)$/.test(name)) io.files.remove(`${paths.sources}/${name}`);
  }
  const going = new Set(credentials);
  shred(new Set(credentialFiles(change).filter((name) => !going.has(name))));
  for (const scope of stamps) io.files.remove(`${paths.stamps}/${scope}`);
}

function isNeeded({ io, paths }: Work, { sources, contents }: Needed, name: string): boolean {
  if (sources.has(name)) return true;
  const text = io.files.readText(`${paths.sources}/${name}/${manifestFile}`, {
    maxBytes: 64 * 2 ** 20,
  });
  const content = /"content": "([0-9a-f]{64})"/.exec(text ?? "")?.[1];
  return content !== undefined && contents.has(content);
}

function isOld({ io, paths }: Work, scope: string, olderThanMs: number | null): boolean {
  if (olderThanMs === null) return false;
  const names = io.files.list(`${paths.stamps}/${scope}`);
  const newest = Math.max(
    0,
    ...names.map((name) => io.files.stat(`${paths.stamps}/${scope}/${name}`)?.modifiedMs ?? 0),
  );
  return io.clock.now() - newest > olderThanMs;
}
