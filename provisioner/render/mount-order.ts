import { unitOfPath } from "#core/unit-of-path.ts";
import type { Mount, Spec } from "#generated/provisioner/spec/v1.ts";
import { comesOverNetwork } from "./network-file-systems.ts";

/** A mount of the spec, as units of files and commands are ordered after it. */
export interface MountUnit {
  readonly path: string;
  /** What stands for the place: the mount, or where it is mounted when it is first used, that. */
  readonly unit: string;
  /** Whether the machine mounts it by itself. */
  readonly isWanted: boolean;
  /** Whether it may wait for the network, so that nothing before the network can wait for it. */
  readonly isLate: boolean;
}

/** Where a mount of the spec is, without what says the same place otherwise. */
export function mountPlace(path: string): string {
  return path.replace(/\/+/g, "/").replace(/(?<=.)\/$/, "");
}

/** Whether a path is a directory, or below it. */
export function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}

/** The mounts of a spec. */
export function mountUnits(spec: Spec): readonly MountUnit[] {
  const early = new Set(preparingUnits(spec));
  const all = (spec.mounts ?? []).map((mount) => ({ ...mount, path: mountPlace(mount.path) }));
  const late = new Set(all.filter((mount) => waitsForNetwork(mount, early)));
  // What is mounted below another one, or is a directory of it, waits for it.
  for (let before = -1; before !== late.size; ) {
    before = late.size;
    const places = [...late].map(({ path }) => path);
    for (const mount of all) {
      const uses = [mount.path, mount.device, ...requiredPaths(mount)];
      if (uses.some((path) => places.some((place) => isBelow(path, place)))) late.add(mount);
    }
  }
  return all.map((mount) => {
    const { path, options = [] } = mount;
    const kind = options.includes("x-systemd.automount") ? "automount" : "mount";
    return {
      path,
      unit: unitOfPath(path, kind),
      isWanted: !options.includes("noauto"),
      isLate: late.has(mount),
    };
  });
}

function waitsForNetwork({ type = "auto", options = [] }: Mount, early: ReadonlySet<string>) {
  if (comesOverNetwork(type) || options.includes("_netdev")) return true;
  const waits = /^x-systemd\.(?:after|requires)=(.+)$/;
  return options.some((option) => {
    const unit = waits.exec(option)?.[1];
    return unit !== undefined && !early.has(unit);
  });
}

function requiredPaths({ options = [] }: Mount): readonly string[] {
  const named = /^x-systemd\.(?:requires|wants)-mounts-for=(\/.*)$/;
  return options.flatMap((option) => named.exec(option)?.[1] ?? []);
}

/** The mounts that a path lies on. */
export function mountsAt(mounts: readonly MountUnit[], path: string): readonly MountUnit[] {
  return mounts.filter((mount) => isBelow(path, mount.path));
}

/** Units of the spec that come before local file systems are mounted, as one that makes them does. */
export function preparingUnits({ units = {} }: Spec): readonly string[] {
  return Object.entries(units)
    .filter(([, { text = "", enable }]) => {
      return enable !== false && /^Before=(?:.*\s)?local-fs\.target(?:\s|$)/m.test(text);
    })
    .map(([name]) => name);
}

/**
 * What comes late in a boot, and may use every disk of the spec, comes after these. Mounts are not
 * waited for by local-fs.target where they may be missing (`nofail`), as most of cloud-config are; and a
 * switch starts all that is new together. What cannot be mounted keeps nothing back.
 */
export function storageUnits(spec: Spec): readonly string[] {
  return [...preparingUnits(spec), ...mountUnits(spec).map(({ unit }) => unit)];
}
