import { canonicalJson } from "#core/canonical-json.ts";
import type { Finding } from "#core/finding.ts";
import type { Clause, Conditions, TextRule } from "#generated/provisioner/profiles/profile.ts";
import { fits } from "./conditions.ts";
import type { CompiledProfiles } from "./profile.ts";
import type { ProfileFolder } from "./profile-folder.ts";

/**
 * Clauses that never decide anything: a profile that extends this one holds wherever they do, and is
 * always taken before it.
 */
export function lintShadows(
  folders: readonly ProfileFolder[],
  { profiles }: CompiledProfiles,
): readonly Finding[] {
  return folders.flatMap((folder) => {
    const clauses = folder.file.kind === "component" ? [] : (folder.file.match?.any ?? []);
    const heirs = profiles.filter(
      ({ id, kind, lineage, witness }) =>
        id !== folder.file.id &&
        kind === "model" &&
        witness === null && // one that its witness disputes is not taken
        lineage.includes(folder.file.id),
    );
    return clauses.flatMap((clause, at) => {
      const heir = heirs.find(({ match }) => match.any.some((other) => implies(clause, other)));
      if (heir === undefined) return [];
      const message = `is never taken: ${heir.id}, which extends this profile, has every such machine`;
      const hint = "take the clause out, or make that of the other profile narrower";
      const remark = { level: "error", code: "profile/lint", message, hint } as const;
      return [folder.find(["match", "any", at], remark)];
    });
  });
}

/** Whether every machine for which `clause` holds has `other` hold as well. What cannot be told is no. */
export function implies(clause: Clause, other: Clause): boolean {
  if (other.not !== undefined && canonicalJson(other.not) !== canonicalJson(clause.not ?? null))
    return false;
  const [narrow, wide] = [clause.all, other.all];
  return (
    Object.entries(wide.dmi ?? {}).every(([field, rule]) =>
      textImplies(narrow.dmi?.[field as keyof NonNullable<Conditions["dmi"]>], rule),
    ) &&
    isWithin(narrow.dt?.compatible, wide.dt?.compatible) &&
    isWithin(narrow.pci, wide.pci) &&
    isWithin(narrow.usb, wide.usb) &&
    isWithin(narrow.chassis, wide.chassis) &&
    isWithin(narrow.virt, wide.virt) &&
    sameOrOpen(narrow.firmware, wide.firmware) &&
    sameOrOpen(narrow.cpu, wide.cpu)
  );
}

function textImplies(narrow: TextRule | undefined, wide: TextRule): boolean {
  if (narrow === undefined) return false;
  if (typeof narrow === "string") return fits(wide, narrow);
  if ("oneOf" in narrow) return narrow.oneOf.every((text) => fits(wide, text));
  if ("prefix" in narrow && typeof wide !== "string" && "prefix" in wide)
    return narrow.prefix.startsWith(wide.prefix);
  return canonicalJson(narrow) === canonicalJson(wide);
}

/** A machine has one of the first list: then it has one of the second. */
function isWithin(
  narrow: readonly string[] | undefined,
  wide: readonly string[] | undefined,
): boolean {
  return wide === undefined || (narrow?.every((each) => wide.includes(each)) ?? false);
}

function sameOrOpen(
  narrow: Readonly<Record<string, unknown>> | undefined,
  wide: Readonly<Record<string, unknown>> | undefined,
): boolean {
  return Object.entries(wide ?? {}).every(
    ([key, value]) => canonicalJson(narrow?.[key] ?? null) === canonicalJson(value),
  );
}
