import type { Code } from "#core/codes.ts";
import { shownKey } from "#core/finding.ts";
import { type Comment, comment, type NixExpr, str } from "#provisioner/nix-language/tree.ts";
import { describeNeeds } from "#provisioner/profiles/declared.ts";
import type { CompiledProfile, Match, ProfileSet } from "#provisioner/profiles/profile.ts";
import type { Concern } from "../assignment.ts";
import type { Base } from "../base.ts";
import { pinsFile } from "../decide-base.ts";

/** What the hardware is called. */
export function titleOf(profile: CompiledProfile | null): string {
  return profile === null
    ? "The hardware: no profile fits this machine."
    : `The hardware: ${profile.title}.`;
}

/** What the profile would take from nixos-hardware, where that tree is not pinned. */
export function leftOut(profile: CompiledProfile | null, base: Base): readonly string[] {
  const imports = profile?.nixos.imports ?? [];
  const absent = absentImports(profile, base);
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
export function nixosHardware(
  profile: CompiledProfile | null,
  base: Base,
  profiles: ProfileSet,
): readonly (NixExpr | Comment)[] {
  const pin = base.pins["nixos-hardware"];
  const present = presentImports(profile, base);
  if (pin === undefined || present.length === 0) return [];
  const other = otherRevision(base, profiles);
  return [
    ...(other === undefined
      ? []
      : [
          comment(
            `Rules were taken from nixos-hardware ${other.mined}, the pin is ${other.pinned}.`,
          ),
        ]),
    ...present.map((name) => str(`${pin.storePath}/${name}`)),
  ];
}

/** Says that the pinned tree is another one than the rules are of, and what of the profile it has not. */
export function tellOfImports(
  { base, findings }: Concern,
  profile: CompiledProfile | null,
  profiles: ProfileSet,
): void {
  const say = (path: string, code: Code, message: string, hint: string) =>
    findings.push({
      ...{ document: pinsFile, path, line: null, column: null },
      ...{ level: "note", code, message, hint },
    });
  const present = presentImports(profile, base);
  const other = otherRevision(base, profiles);
  if (present.length > 0 && other !== undefined)
    say(
      "nixos-hardware.revision",
      "render/import-revision",
      `the pin is ${other.pinned}, and rules were taken from ${other.mined}: ${present.join(", ")} may say something else there`,
      "look at what has changed there between the two, or pin the other one",
    );
  const absent = absentImports(profile, base);
  if (absent.length > 0)
    say(
      "nixos-hardware.storePath",
      "render/import-absent",
      `the pinned tree has no module ${absent.join(", ")}, which ${profile?.id} imports: left out`,
      "pin a revision that has it, or import in your configuration what has taken its place",
    );
}

function absentImports(profile: CompiledProfile | null, base: Base): readonly string[] {
  return (profile?.nixos.imports ?? []).filter((name) => base.absentImports?.includes(name));
}

/** What is imported: nothing without the pin. */
function presentImports(profile: CompiledProfile | null, base: Base): readonly string[] {
  if (base.pins["nixos-hardware"] === undefined) return [];
  return (profile?.nixos.imports ?? []).filter((name) => !base.absentImports?.includes(name));
}

const abbreviated = /^[0-9a-f]{7,}$/;

/** The revision that is pinned and the one that rules were taken from, where they are known and differ. */
function otherRevision(
  { pins }: Base,
  { minedRevision: mined }: ProfileSet,
): { readonly pinned: string; readonly mined: string } | undefined {
  const pinned = pins["nixos-hardware"]?.revision;
  if (mined === undefined || pinned == null || pinned === mined) return undefined;
  if (abbreviated.test(pinned) && mined.startsWith(pinned)) return undefined;
  return { pinned: shownKey(pinned), mined };
}
