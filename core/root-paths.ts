import { lstatSync, readlinkSync } from "node:fs";
import path from "node:path";
import { Fault } from "./fault.ts";

const maxLinks = 40; // the kernel's own limit

/** Where the paths of a machine lie on this host; links are followed inside the root, never out of it. */
export interface RootPaths {
  /**
   * The host path with every link but the last component's (unless `last`) followed. Throws
   * `io/read-failed` where there are too many.
   */
  locate(file: string, last: boolean): string;
  /** Says that something else may be at a host path now, or (without one) anywhere. */
  forget(host?: string): void;
}

/** {@link RootPaths} below `base`, an absolute path. */
export function rootPaths(base: string): RootPaths {
  const { targetOf, forget } = seenInThisTurn();

  function locate(file: string, last: boolean): string {
    if (base === "/") return isPlain(file) ? file : path.posix.resolve("/", file);
    const clean = file.includes("/.") ? path.posix.resolve("/", file) : file;
    const pending = clean.split("/").reverse();
    const above: string[] = [];
    let here = base;
    let links = 0;
    for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
      if (part === "." || part === "") continue;
      if (part === "..") {
        here = above.pop() ?? base;
        continue;
      }
      const next = `${here}/${part}`;
      const target = pending.length > 0 || last ? targetOf(next) : undefined;
      if (target === undefined) {
        above.push(here);
        here = next;
        continue;
      }
      links += 1;
      if (links > maxLinks)
        throw new Fault("io/read-failed", `${file}: its symbolic links lead in a circle`, {
          hint: "let them lead to what is meant, or remove them",
        });
      if (target.startsWith("/")) {
        above.length = 0;
        here = base;
      }
      pending.push(...target.split("/").reverse());
    }
    return here;
  }

  return { locate, forget };
}

/** Absolute, with nothing to resolve: nearly every path is, and Node reads each of them letter by letter. */
function isPlain(file: string): boolean {
  const isClean = !file.includes("/.") && !file.includes("//");
  return isClean && file.startsWith("/") && (file === "/" || !file.endsWith("/"));
}

/** Target of a link as written, or `undefined` when there is no link. */
export function linkTarget(host: string): string | undefined {
  // lstat first: readlink of what is no link throws, and an exception costs ten times as much.
  const isLink = lstatSync(host, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return isLink ? readlinkSync(host) : undefined;
}

/** What was seen at a host path: where a link points, `undefined` where there is none. */
interface Seen {
  targetOf(host: string): string | undefined;
  forget(host: string | undefined): void;
}

/**
 * Directories and links that were looked at in this turn of the event loop, in which they are not
 * looked at again: a machine is read in one turn, by hundreds of paths that share their beginnings.
 */
function seenInThisTurn(): Seen {
  const seen = new Map<string, string | undefined>();

  function look(host: string): string | undefined {
    const stat = lstatSync(host, { throwIfNoEntry: false });
    const target = stat?.isSymbolicLink() === true ? readlinkSync(host) : undefined;
    if (target === undefined && stat?.isDirectory() !== true) return undefined;
    if (seen.size === 0) setImmediate(() => seen.clear()).unref();
    seen.set(host, target);
    return target;
  }

  return {
    targetOf: (host) => (seen.has(host) ? seen.get(host) : look(host)),
    forget(host) {
      if (host === undefined) seen.clear();
      else seen.delete(host);
    },
  };
}
