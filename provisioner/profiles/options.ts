import type { Json } from "#core/canonical-json.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { parseOptionName } from "./option-name.ts";
import type { CompiledProfile } from "./profile.ts";

/** A NixOS option that a profile sets, as data; it is printed as a default (`lib.mkDefault`) unless it is a list. */
export interface ProfileOption {
  /** Parts of its name. */
  readonly path: readonly string[];
  readonly value: Json;
}

/** PCI classes whose drivers reach disks and keyboards: mass storage, and USB, FireWire and SD controllers. */
const bootClasses = /^(01|0c00|0c03|0805)/;

/**
 * Everything that a profile tells NixOS, as options in order of name: those it names, and those
 * that its kernel and initrd parts stand for. The facts of the machine add the modules its own disks
 * and controllers are reached by, so that the initial RAM disk finds its root even where no profile
 * knows the machine. Modules and imports come beside, from `profile.nixos`.
 */
export function profileOptions(
  profile: CompiledProfile | null,
  facts: Facts,
): readonly ProfileOption[] {
  const values = new Map<string, Json>(Object.entries(profile?.nixos.options ?? {}));
  const add = (name: string, items: readonly string[]) => {
    const present = values.get(name);
    const all = [
      ...new Set([...(Array.isArray(present) ? (present as readonly Json[]) : []), ...items]),
    ];
    if (all.length > 0) values.set(name, all);
  };
  add("boot.kernelParams", kernelParams(profile));
  add("boot.kernelModules", profile?.kernel.modules ?? []);
  add("boot.blacklistedKernelModules", profile?.kernel.blacklist ?? []);
  add(
    "boot.initrd.availableKernelModules",
    withMachineModules(profile?.initrd.availableModules ?? [], facts),
  );
  add("boot.initrd.kernelModules", profile?.initrd.modules ?? []);
  return toOptions(values);
}

/** Options of the platform part, for a machine that brought no configuration of its own. */
export function platformOptions(profile: CompiledProfile | null): readonly ProfileOption[] {
  return toOptions(new Map(Object.entries(profile?.nixos.platform?.options ?? {})));
}

function toOptions(values: ReadonlyMap<string, Json>): readonly ProfileOption[] {
  return [...values]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .flatMap(([name, value]) => {
      const path = parseOptionName(name);
      return path === undefined ? [] : [{ path, value }];
    });
}

function kernelParams(profile: CompiledProfile | null): readonly string[] {
  return Object.entries(profile?.kernel.params ?? {}).map(([name, value]) =>
    value === true ? name : `${name}=${value}`,
  );
}

/** The profile's modules, then the machine's own, each once: the kernel takes `-` and `_` for the same. */
function withMachineModules(listed: readonly string[], facts: Facts): readonly string[] {
  const known = new Set(listed.map((name) => name.replaceAll("-", "_")));
  const own = [
    ...(facts.blockDevices ?? []).flatMap((disk) => disk.modules),
    ...(facts.pci ?? []).flatMap(({ class: id, module }) =>
      module !== null && bootClasses.test(id ?? "") ? [module] : [],
    ),
  ];
  return [
    ...listed,
    ...[...new Set(own)].filter((name) => !known.has(name.replaceAll("-", "_"))).sort(),
  ];
}
