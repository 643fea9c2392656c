import { compareVersions, packageName } from "./package-name.ts";

/** An object of the store, with what its content takes there. */
export interface StoreObject {
  readonly path: string;
  readonly bytes: number;
}

/** What two systems are made of, compared. */
export interface ClosureDifference {
  /** Packages whose versions differ, by name; what has no version is not among them. */
  readonly packages: readonly PackageChange[];
  /** Store paths that only the one or only the other has, packages and all else. */
  readonly paths: { readonly added: number; readonly removed: number };
  readonly bytes: {
    readonly before: number;
    readonly after: number;
    /** Of paths that only the new system has. */
    readonly added: number;
    /** Of paths that only the old system has. */
    readonly removed: number;
  };
}

export interface PackageChange {
  readonly name: string;
  readonly change: "added" | "removed" | "upgraded" | "downgraded" | "changed";
  /** Every version of this name, oldest first. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Of all its paths. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** Compares two closures, each a list of every path of a system. */
export function compareClosures(
  before: readonly StoreObject[],
  after: readonly StoreObject[],
): ClosureDifference {
  const [old, now] = [byPath(before), byPath(after)];
  const added = [...now.values()].filter(({ path }) => !old.has(path));
  const removed = [...old.values()].filter(({ path }) => !now.has(path));
  return {
    packages: comparePackages(packagesOf(old.values()), packagesOf(now.values())),
    paths: { added: added.length, removed: removed.length },
    bytes: {
      before: sum(old.values()),
      after: sum(now.values()),
      added: sum(added),
      removed: sum(removed),
    },
  };
}

/** A package of a closure. */
export interface Package {
  /** Oldest first. */
  readonly versions: readonly string[];
  readonly bytes: number;
  /** Versions of which the package itself is there, and not only its libraries or manual. */
  readonly whole: readonly string[];
}

/** The packages of a closure by name. */
export function packagesOf(objects: Iterable<StoreObject>): ReadonlyMap<string, Package> {
  const found = new Map<string, Package>();
  for (const { path, bytes } of objects) {
    const { name, version, output } = packageName(path);
    if (version === "" || name.startsWith("nixos-system-")) continue; // the system itself is no package
    const known = found.get(name) ?? { versions: [], bytes: 0, whole: [] };
    found.set(name, {
      versions: withVersion(known.versions, version),
      bytes: known.bytes + bytes,
      whole: output === "out" ? withVersion(known.whole, version) : known.whole,
    });
  }
  return found;
}

function withVersion(versions: readonly string[], version: string): readonly string[] {
  if (versions.includes(version)) return versions;
  return [...versions, version].sort((a, b) => compareVersions(a, b) || (a < b ? -1 : 1));
}

const absent: Package = { versions: [], bytes: 0, whole: [] };

function comparePackages(
  old: ReadonlyMap<string, Package>,
  now: ReadonlyMap<string, Package>,
): readonly PackageChange[] {
  const names = [...new Set([...old.keys(), ...now.keys()])].sort();
  return names.flatMap((name): readonly PackageChange[] => {
    const [was, is] = [old.get(name) ?? absent, now.get(name) ?? absent];
    const [before, after] = [was.versions, is.versions];
    if (before.join(" ") === after.join(" ")) return [];
    const change = kindOf(before, after);
    return [{ name, change, before, after, bytesBefore: was.bytes, bytesAfter: is.bytes }];
  });
}

/** By the newest version of each side that the other has not. */
function kindOf(before: readonly string[], after: readonly string[]): PackageChange["change"] {
  if (before.length === 0) return "added";
  if (after.length === 0) return "removed";
  const gone = before.filter((version) => !after.includes(version)).at(-1);
  const come = after.filter((version) => !before.includes(version)).at(-1);
  if (gone === undefined || come === undefined) return "changed";
  const order = compareVersions(gone, come);
  return order < 0 ? "upgraded" : order > 0 ? "downgraded" : "changed";
}

function byPath(objects: readonly StoreObject[]): ReadonlyMap<string, StoreObject> {
  return new Map(objects.map((object) => [object.path, object]));
}

function sum(objects: Iterable<StoreObject>): number {
  let total = 0;
  for (const { bytes } of objects) total += bytes;
  return total;
}
