import { type NixExpr, str } from "#provisioner/nix-language/tree.ts";
import { describeNeeds } from "#provisioner/profiles/declared.ts";
import type { CompiledProfile, Match, ProfileSet } from "#provisioner/profiles/profile.ts";
import type { Base } from "../base.ts";

/** What the hardware is called. */
export function titleOf(profile: CompiledProfile | null): string {
  return profile === null
    ? "The hardware: no profile fits this machine."
    : `The hardware: ${profile.title}.`;
}

/** What the profile would take from nixos-hardware, where that tree is not pinned. */
export function leftOut(profile: CompiledProfile | null, base: Base): readonly string[] {
  const imports = profile?.nixos.imports ?? [];
  const absent = imports.filter((name) => base.absentImports?.includes(name));
  if (absent.length > 0)
    return [`Without ${absent.join(", ")} of nixos-hardware, which the pinned tree has not.`];
  if (imports.length === 0 || base.pins["nixos-hardware"] !== undefined) return [];
  return [`Without ${imports.join(", ")} of nixos-hardware, which is not pinned here.`];
}

/** A profile that would fit better, and that is for a person to choose. */
export function offered(match: Match, profiles: ProfileSet): readonly string[] {
  if (match.profile === null || match.profile === match.applied) return [];
  const better = profiles.find(match.profile);
  const needs = better?.needs ?? [];
  if (better === undefined || needs.length === 0) return [];
  const modules = better.nixos.imports.join(", ");
  return [`${modules} of nixos-hardware fits and is for you to import: ${describeNeeds(needs)}.`];
}

/** Modules of nixos-hardware, which profiles name by path (not by the names of its flake). */
export function nixosHardware(profile: CompiledProfile | null, base: Base): readonly NixExpr[] {
  const pin = base.pins["nixos-hardware"];
  if (pin === undefined) return [];
  const present = (profile?.nixos.imports ?? []).filter(
    (name) => !base.absentImports?.includes(name),
  );
  return present.map((name) => str(`${pin.storePath}/${name}`));
}
