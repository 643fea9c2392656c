import { Fault } from "#core/fault.ts";
import type { ExecResult, Files } from "#core/io.ts";
import type { CommandLine } from "../command-lines.ts";
import { nixFault } from "../nix-errors.ts";
import { parseStoreInfo, type StoreInfo } from "./store-info.ts";
import type { Importing, Repairing, StoreLines } from "./store-lines.ts";
import type { UnpackByProgram } from "./unpack.ts";

/** What is asked of the store beside building; real and said only, as `Commands`. */
export interface StoreCommands {
  /** Those of the paths that are in the store, with what its database says of them. */
  storeInfo(paths: readonly string[]): Promise<readonly StoreInfo[]>;
  /** Every path that these need, themselves included. Throws for one that is not in the store. */
  closures(paths: readonly string[]): Promise<readonly string[]>;
  /** Takes archives from a staging directory into the store, rooted. */
  importStaged(importing: Importing): Promise<void>;
  /** Drops paths, and what needs them, that nothing uses; whether they are gone. */
  deletePaths(paths: readonly string[]): Promise<boolean>;
  /** Reads paths from the disk; those whose content is not what the database says. */
  corruptPaths(paths: readonly string[]): Promise<readonly string[]>;
  /** Reads the whole store; the paths whose content is not what the database says. */
  verifyStore(): Promise<readonly string[]>;
  /** Puts the right content back into a path; whether Nix says that it did. */
  repairPath(repairing: Repairing): Promise<boolean>;
  readonly unpack: UnpackByProgram;
}

/** So many paths are handed to one process: far below the kernel's limit for its arguments. */
const pathsAtOnce = 1_000;
const notFound = 127;
const verifiedAtOnce = 64;

/** How Nix names a damaged path, in every version that is known. */
const modified = /path '([^']+)' was modified/g;

/** Runs a line, called off with the request; throws only when its program is missing. */
export type RunLine = (line: CommandLine) => Promise<ExecResult>;

/** {@link StoreCommands} that are really run. */
export function nixStore(run: RunLine, lines: StoreLines, files: Files): StoreCommands {
  async function must(line: CommandLine): Promise<string> {
    const result = await run(line);
    if (result.code !== 0) throw nixFault(result, line.argv.slice(0, 2).join(" "));
    return result.stdout;
  }
  return {
    async storeInfo(paths) {
      const infos: StoreInfo[] = [];
      for (const some of inParts(paths, pathsAtOnce)) {
        const printed = await must(lines.invalidPaths(some));
        const invalid = new Set(printed.split("\n").map((line) => line.trim()));
        const valid = some.filter((path) => !invalid.has(path));
        if (valid.length > 0) infos.push(...parseStoreInfo(await must(lines.storeInfo(valid))));
      }
      return infos;
    },
    async closures(paths) {
      if (paths.length === 0) return [];
      const printed = await must(lines.closures(paths));
      return [...new Set(printed.split("\n").filter((line) => line !== ""))];
    },
    async importStaged(importing) {
      await must(lines.importStaged(importing));
    },
    async deletePaths(paths) {
      const printed = await must(lines.referrers(paths));
      const all = printed.split("\n").filter((line) => line !== "");
      const result = await run(lines.deletePaths(all));
      if (result.aborted || result.timedOut) throw nixFault(result, "nix-store --delete");
      return result.code === 0;
    },
    async corruptPaths(paths) {
      const corrupt: string[] = [];
      for (const some of inParts(paths, verifiedAtOnce)) {
        if (await isWhole(some)) continue;
        for (const path of some) if (!(await isWhole([path]))) corrupt.push(path);
      }
      return corrupt;
    },
    async verifyStore() {
      const result = await run(lines.verifyStore());
      if (result.code === 0) return [];
      const named = [...result.stderr.matchAll(modified)].map(([, path = ""]) => path);
      if (named.length === 0) throw nixFault(result, "nix-store --verify --check-contents");
      return [...new Set(named)].sort();
    },
    async repairPath(repairing) {
      const result = await run(lines.repairPath(repairing));
      if (result.aborted || result.timedOut) throw nixFault(result, "nix-store --repair-path");
      return result.code === 0;
    },
    async unpack({ program, packed, nar, maxBytes }) {
      const result = await run(lines.unpack(program, files.hostPath(packed), maxBytes));
      const made = packed.replace(/\.(xz|bz2)$/, "");
      if (result.code === 0) return files.rename(made, nar);
      files.remove(made);
      throw unpackFault(result, program);
    },
  };

  async function isWhole(paths: readonly string[]): Promise<boolean> {
    const result = await run(lines.verifyPaths(paths));
    if (result.code !== 0 && result.code !== 1) throw nixFault(result, "nix-store --verify-path");
    return result.code === 0;
  }
}

function unpackFault(result: ExecResult, program: string): Fault {
  if (result.code === notFound) {
    return new Fault("system/cache-unusable", `${program}: no such program to unpack with`);
  }
  const fault = nixFault(result, program, "system/cache-lied");
  if (fault.code !== "system/cache-lied") return fault; // a full disk is nobody's lie
  return new Fault("system/cache-lied", `the archive cannot be unpacked: ${fault.message}`);
}

function inParts<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, n) => items.slice(n * size, (n + 1) * size));
}

/** What {@link StoreCommands} that are only said work with. */
export interface DryStoreOptions {
  readonly files: Files;
  readonly lines: StoreLines;
  readonly say: (line: CommandLine) => void;
}

/** {@link StoreCommands} that are only said; a path that was taken in is a file that says itself. */
export function dryStore({ files, lines, say }: DryStoreOptions): StoreCommands {
  return {
    async storeInfo(paths) {
      return paths.flatMap((path) => {
        const text = files.stat(path)?.kind === "file" ? files.readText(path) : undefined;
        return text?.startsWith("{") === true ? [JSON.parse(text) as StoreInfo] : [];
      });
    },
    async closures(paths) {
      if (paths.length > 0) say(lines.closures(paths));
      return paths;
    },
    async verifyStore() {
      say(lines.verifyStore());
      return [];
    },
    async importStaged(importing) {
      say(lines.importStaged(importing));
      for (const entry of importing.entries) {
        files.write(entry.path, JSON.stringify(entry), { mode: 0o444 });
      }
    },
    async deletePaths(paths) {
      say(lines.deletePaths(paths));
      return true;
    },
    async corruptPaths(paths) {
      if (paths.length > 0) say(lines.verifyPaths(paths));
      return [];
    },
    async repairPath(repairing) {
      say(lines.repairPath(repairing));
      return true;
    },
    async unpack({ program }) {
      throw new Fault("system/cache-unusable", `${program}: nothing is unpacked in a dry run`);
    },
  };
}
