import { type Files, type Io, readBootId } from "#core/io.ts";
import { type Generation, readGenerations, readProfile } from "./generations.ts";
import type { SystemLink } from "./journal-record.ts";
import { isStorePath, type SystemPaths } from "./paths.ts";

/** What is true of the machine now, read without a process and never remembered. */
export interface Machine {
  readonly bootId: string;
  /** Whether systemd is its init. */
  readonly systemd: boolean;
  /** The running system, or `null` where none has been activated. */
  running(): string | null;
  /** The system it was booted with. */
  booted(): string | null;
  /** The boot default. */
  profile(): SystemLink;
  generations(): readonly Generation[];
  /** Whether a path is one of the store's own, not below one, and is there. */
  inStore(path: string): boolean;
  /** What a path of the store is for the purpose of comparing: a link's target, or a file's text. */
  content(path: string): string | undefined;
  /** Text of a file of the store, through links. */
  text(path: string): string | undefined;
}

/** Looks at the machine of `io`; `storeFiles` are the files of Nix's own directories. */
export function openMachine(io: Io, storeFiles: Files, paths: SystemPaths): Machine {
  const { files } = io;
  const system = (link: string): string | null => {
    const target = files.readLink(link);
    return target === undefined ? null : (storeFiles.realPath(target) ?? target);
  };
  return {
    bootId: readBootId(files),
    systemd: files.stat(paths.systemd)?.kind === "directory",
    running: () => system(paths.currentSystem),
    booted: () => system(paths.bootedSystem),
    profile: () => readProfile(storeFiles, paths),
    generations: () => readGenerations(storeFiles, paths),
    inStore: (path) => isStorePath(paths.store, path) && storeFiles.stat(path) !== undefined,
    content: (path) => storeFiles.readLink(path) ?? storeFiles.readText(path),
    text: (path) => storeFiles.readText(path),
  };
}
