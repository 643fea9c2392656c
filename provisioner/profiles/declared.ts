import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { ProfileFile, Rule } from "#generated/provisioner/profiles/profile.ts";
import { type CompiledProfile, type CompiledProfiles, profileSet } from "./profile.ts";
import type { ProfileSource } from "./resolve.ts";

/** The generated file beside the folders of the profiles that are made by hand. */
export const declaredFile = "nixos-hardware.json";

const maxBytes = 4 * 1024 * 1024;

/** What a module brings with it that no machine gets without a person. */
export type Need = "unfree" | "kernel" | "boot-loader" | "device-off";

const needWords: Readonly<Record<Need, string>> = {
  unfree: "unfree packages",
  kernel: "another kernel",
  "boot-loader": "settings of the boot loader",
  "device-off": "a device turned off",
};

/** Needs in words. */
export function describeNeeds(needs: readonly Need[]): string {
  return needs.map((need) => needWords[need]).join(", ");
}

/**
 * A profile that imports one module of nixos-hardware and says nothing else: its rule was mined from
 * the names that real machines tell.
 */
export interface DeclaredProfile {
  readonly id: string;
  readonly title: string;
  readonly vendor: string;
  /** The profile made by hand whose settings it takes over. */
  readonly extends: string;
  /** Path of the module. */
  readonly module: string;
  readonly match: Rule;
  readonly needs: readonly Need[];
  /** What the rule was mined from. */
  readonly evidence: string;
}

/** A module without a rule. */
export interface LeftModule {
  readonly name: string;
  readonly path: string;
  readonly why: string;
}

/** The generated file. */
export interface DeclaredFile {
  readonly v: 1;
  /** Commit of nixos-hardware that the modules are of. */
  readonly revision: string;
  /** SRI hash of its tree's NAR. */
  readonly narHash: string;
  /** Test that evaluates the module of each profile on what is rendered for its machine, at that revision. */
  readonly evaluatedBy?: string;
  /** By id. */
  readonly profiles: readonly DeclaredProfile[];
  readonly left: readonly LeftModule[];
  /** Path of every module that can be imported, sorted. */
  readonly modules: readonly string[];
}

/** What can be imported from nixos-hardware, for the lint. */
export type ImportableModules = Pick<DeclaredFile, "revision" | "modules">;

/** Reads the declared profiles in `directory`; `undefined` without the file. Throws `profile/invalid`. */
export function readDeclared(files: Files, directory: string): DeclaredFile | undefined {
  const path = `${directory}/${declaredFile}`.replace("//", "/");
  const text = files.readText(path, { maxBytes });
  return text === undefined ? undefined : parseDeclared(text);
}

/** Reads the generated file from its text. Throws `profile/invalid`. */
export function parseDeclared(text: string): DeclaredFile {
  let value: Partial<DeclaredFile> | null;
  try {
    value = JSON.parse(text) as Partial<DeclaredFile> | null;
  } catch (cause) {
    throw new Fault("profile/invalid", `${declaredFile}: expected JSON, got something else`, {
      cause,
    });
  }
  if (value?.v !== 1 || !Array.isArray(value.profiles)) {
    throw new Fault("profile/invalid", `${declaredFile}: expected version 1 of its format`, {
      hint: "it is generated: docs/nixos-hardware.md says how",
    });
  }
  return value as DeclaredFile;
}

/**
 * Profiles made by hand with the declared ones among them, sorted by id; of two with the same id the one
 * made by hand counts. What a declared one takes over it shares with the other profile, so that some
 * hundred of them need little memory. Throws `profile/invalid` where one extends a profile that does
 * not exist.
 */
export function withDeclared(
  handMade: CompiledProfiles,
  declared: DeclaredFile | undefined,
): CompiledProfiles {
  if (declared === undefined) return handMade;
  const own = declared.profiles.filter(({ id }) => handMade.find(id) === undefined);
  const profiles = own.map((profile) => {
    const parent = handMade.find(profile.extends);
    if (parent !== undefined) return takeOver(profile, parent, declared);
    throw new Fault(
      "profile/invalid",
      `${declaredFile}: ${profile.id} extends ${profile.extends}, which does not exist`,
      { hint: "generate the file again: docs/nixos-hardware.md says how" },
    );
  });
  return {
    ...profileSet([...handMade.profiles, ...profiles]),
    minedRevision: declared.revision,
  };
}

/** A declared profile as it would be written by hand, for others to extend: they have decided on what it needs. */
export function sourceOfDeclared(profile: DeclaredProfile): ProfileSource {
  const { id, title, vendor, module, match, evidence } = profile;
  const file: ProfileFile = {
    ...{ id, title, vendor, match },
    extends: [profile.extends],
    nixos: { imports: [module] },
    status: { level: "declared", evidence },
  };
  return { file, module: null };
}

/** A declared profile with what it takes over; `file` is the one that it is from. */
export function takeOver(
  profile: DeclaredProfile,
  parent: CompiledProfile,
  { evaluatedBy }: Pick<DeclaredFile, "evaluatedBy">,
): CompiledProfile {
  return {
    ...parent,
    id: profile.id,
    title: profile.title,
    vendor: profile.vendor,
    status:
      evaluatedBy === undefined
        ? { level: "declared", evidence: profile.evidence }
        : { level: "evaluates", evidence: `${evaluatedBy}; ${profile.evidence}` },
    lineage: [profile.id, ...parent.lineage],
    match: profile.match,
    witness: null,
    nixos: { ...parent.nixos, imports: [...parent.nixos.imports, profile.module] },
    needs: profile.needs,
  };
}
