import type { Facts } from "#generated/provisioner/facts/facts.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { fromJson, type PlainData } from "#provisioner/nix-language/from-json.ts";
import {
  bool,
  call,
  interpolated,
  list,
  type NixExpr,
  path,
  ref,
  str,
} from "#provisioner/nix-language/tree.ts";
import { describeNeeds } from "#provisioner/profiles/declared.ts";
import {
  appliedProfile,
  type CompiledProfile,
  type Match,
  type OptionValues,
  type ProfileSet,
} from "#provisioner/profiles/profile.ts";
import { type Assignment, assign } from "./assignment.ts";
import type { Base } from "./base.ts";
import { splitOptionName } from "./option-name.ts";
import { fallback, renderPlatform } from "./platform-options.ts";
import type { SourceFile } from "./sources.ts";

/** What hardware adds to a system. */
export interface RenderedHardware {
  /** Comment at the head of the file. */
  readonly title: string;
  readonly imports: readonly NixExpr[];
  readonly assignments: readonly Assignment[];
  readonly files: readonly SourceFile[];
}

interface HardwareInput {
  readonly spec: Spec;
  readonly facts: Facts;
  readonly match: Match;
  readonly profiles: ProfileSet;
  readonly base: Base;
}

/** The profile's part, and what the facts alone say: drivers of the disks, microcode, platform. */
export function renderHardware({
  spec,
  facts,
  match,
  profiles,
  base,
}: HardwareInput): RenderedHardware {
  const profile = appliedProfile(match, profiles);
  const platform = base.kind === "platform" ? (profile?.nixos.platform ?? null) : null;
  const files = (profile?.nixos.modules ?? []).map((module) => ({
    path: `firstlight/hardware-profiles/${fileName(module.id)}.nix`,
    content: module.text,
    mode: 0o644,
  }));
  const assignments = unique([
    ...renderArchitecture(facts),
    ...renderKernel(profile),
    ...renderInitrd(profile, facts),
    ...renderMicrocode(facts),
    ...optionAssignments(profile?.nixos.options ?? {}),
    ...(platform === null
      ? renderPlatform(base.platform, spec)
      : optionAssignments(platform.options)),
  ]);
  return {
    title: [titleOf(profile), ...leftOut(profile, base), ...offered(match, profiles)].join("\n"),
    imports: [
      ...files.map((file) => path(`./${file.path.slice("firstlight/".length)}`)),
      ...(platform?.modules ?? []).map((module) => interpolated(ref("modulesPath"), `/${module}`)),
      ...nixosHardware(profile, base),
    ],
    assignments,
    files,
  };
}

function titleOf(profile: CompiledProfile | null): string {
  return profile === null
    ? "The hardware: no profile fits this machine."
    : `The hardware: ${profile.title}.`;
}

/** What the profile would take from nixos-hardware, where that tree is not pinned. */
function leftOut(profile: CompiledProfile | null, base: Base): readonly string[] {
  const imports = profile?.nixos.imports ?? [];
  const absent = imports.filter((name) => base.absentImports?.includes(name));
  if (absent.length > 0)
    return [`Without ${absent.join(", ")} of nixos-hardware, which the pinned tree has not.`];
  if (imports.length === 0 || base.pins["nixos-hardware"] !== undefined) return [];
  return [`Without ${imports.join(", ")} of nixos-hardware, which is not pinned here.`];
}

/** A profile that would fit better, and that is for a person to choose. */
function offered(match: Match, profiles: ProfileSet): readonly string[] {
  if (match.profile === null || match.profile === match.applied) return [];
  const better = profiles.find(match.profile);
  const needs = better?.needs ?? [];
  if (better === undefined || needs.length === 0) return [];
  const modules = better.nixos.imports.join(", ");
  return [`${modules} of nixos-hardware fits and is for you to import: ${describeNeeds(needs)}.`];
}

/** Modules of nixos-hardware, which profiles name by path (not by the names of its flake). */
function nixosHardware(profile: CompiledProfile | null, base: Base): readonly NixExpr[] {
  const pin = base.pins["nixos-hardware"];
  if (pin === undefined) return [];
  const present = (profile?.nixos.imports ?? []).filter(
    (name) => !base.absentImports?.includes(name),
  );
  return present.map((name) => str(`${pin.storePath}/${name}`));
}

function renderArchitecture(facts: Facts): readonly Assignment[] {
  const { architecture } = facts.cpu;
  const known = architecture === "x86_64" || architecture === "aarch64";
  return known ? [assign(["nixpkgs", "hostPlatform"], fallback(str(`${architecture}-linux`)))] : [];
}

function renderKernel(profile: CompiledProfile | null): readonly Assignment[] {
  const params = Object.entries(profile?.kernel.params ?? {}).map(([key, value]) =>
    str(value === true ? key : `${key}=${value}`),
  );
  return [
    ...renderOldestKernel(profile),
    ...lists(["boot", "kernelParams"], params),
    ...lists(["boot", "kernelModules"], (profile?.kernel.modules ?? []).map(str)),
    ...lists(["boot", "blacklistedKernelModules"], (profile?.kernel.blacklist ?? []).map(str)),
  ];
}

/** Nothing is refused: an owner may have taken the driver into an older kernel. */
function renderOldestKernel(profile: CompiledProfile | null): readonly Assignment[] {
  const oldest = profile?.kernel.min ?? null;
  if (profile === null || oldest === null) return [];
  const version = ref("config", "boot", "kernelPackages", "kernel", "version");
  const isOlder = call(ref("lib", "versionOlder"), version, str(oldest));
  const text = str(`${profile.title}: expected Linux ${oldest} or newer.`);
  return [assign(["warnings"], call(ref("lib", "optional"), isOlder, text))];
}

/** What the profile says, and the drivers that are bound to controllers of disks and USB now. */
function renderInitrd(profile: CompiledProfile | null, facts: Facts): readonly Assignment[] {
  const bound = [
    ...(facts.pci ?? [])
      .filter((device) => /^(0x)?(01|0c03|0c00|0805)/.test(device.class ?? ""))
      .map((device) => device.module ?? device.driver),
    ...(facts.blockDevices ?? [])
      .filter((device) => device.removable !== true)
      .flatMap((device) => device.modules),
  ].filter((name): name is string => name !== null && /^[A-Za-z0-9_-]+$/.test(name));
  const available = [...new Set([...(profile?.initrd.availableModules ?? []), ...bound])].sort();
  return [
    ...lists(["boot", "initrd", "availableKernelModules"], available.map(str)),
    ...lists(["boot", "initrd", "kernelModules"], (profile?.initrd.modules ?? []).map(str)),
  ];
}

function renderMicrocode({ cpu, virtualisation }: Facts): readonly Assignment[] {
  if (cpu.architecture !== "x86_64" || virtualisation !== "none") return [];
  const vendor = { GenuineIntel: "intel", AuthenticAMD: "amd" }[cpu.vendor ?? ""];
  const firmware = assign(["hardware", "enableRedistributableFirmware"], fallback(bool(true)));
  return vendor === undefined
    ? [firmware]
    : [assign(["hardware", "cpu", vendor, "updateMicrocode"], fallback(bool(true))), firmware];
}

/** Options of a profile as defaults, so that the owner's own values win. Profiles are linted: their names are right. */
function optionAssignments(options: OptionValues): readonly Assignment[] {
  return Object.entries(options).map(([name, value]) => {
    const expr = fromJson(value as PlainData);
    return assign(splitOptionName(name) ?? [name], Array.isArray(value) ? expr : fallback(expr));
  });
}

/** The first that sets an option wins: facts and kernel before the profile's free options. */
function unique(assignments: readonly Assignment[]): readonly Assignment[] {
  const seen = new Set<string>();
  return assignments.filter(({ path: option }) => {
    const key = option.join("\0");
    return !seen.has(key) && seen.add(key) !== undefined;
  });
}

function lists(option: readonly string[], items: readonly NixExpr[]): readonly Assignment[] {
  return items.length === 0 ? [] : [assign(option, list(items))];
}

function fileName(id: string): string {
  return id.replaceAll("/", "-");
}
