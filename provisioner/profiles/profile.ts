import type { Json } from "#core/canonical-json.ts";
import type { Finding } from "#core/finding.ts";
import type { ProfileFile, Quirk, Rule } from "#generated/provisioner/profiles/profile.ts";
import { type Composition, compose } from "./components.ts";
import type { DeclaredFile, ImportableModules, Need } from "./declared.ts";
import type { ProfileSource } from "./resolve.ts";

/** Options by dotted name, `fileSystems."/".device` among them. */
export type OptionValues = Readonly<Record<string, Json>>;

/** A profile with everything it takes over from others, ready to match and to render. */
export interface CompiledProfile {
  readonly id: string;
  readonly title: string;
  readonly vendor: string;
  readonly kind: NonNullable<ProfileFile["kind"]>;
  readonly status: ProfileFile["status"];
  /** Itself, then the profiles it extends, nearest first (C3 order). */
  readonly lineage: readonly string[];
  /** Of a base without any clause, so that it never holds. */
  readonly match: Rule;
  readonly witness: Rule | null;
  /** The processors that it is for, as the kernel names them, where it stands on a profile that asks for nothing else. */
  readonly architecture?: string;
  readonly nixos: {
    /** Modules of nixos-hardware by path, to import where its pin is there. */
    readonly imports: readonly string[];
    readonly options: OptionValues;
    /** For a machine that brought no configuration of its own; `null` where its mounts and firmware tell. Modules by path below `nixos/modules`. */
    readonly platform: {
      readonly modules: readonly string[];
      readonly options: OptionValues;
    } | null;
    /** Our own modules, those of extended profiles first. */
    readonly modules: readonly ProfileModule[];
  };
  readonly kernel: {
    readonly min: string | null;
    readonly params: Readonly<Record<string, string | number | true>>;
    readonly modules: readonly string[];
    readonly blacklist: readonly string[];
  };
  readonly initrd: {
    readonly availableModules: readonly string[];
    readonly modules: readonly string[];
  };
  readonly network: NonNullable<ProfileFile["network"]>;
  readonly install: NonNullable<ProfileFile["install"]>;
  /** What saves power; its options are among those above. `null` where the profile does not care. */
  readonly power: ProfileFile["power"] | null;
  readonly quirks: readonly Quirk[];
  /** What its module brings with it that no machine gets without a person; then it is offered and not applied. */
  readonly needs?: readonly Need[];
}

/** Text of a `module.nix`. */
export interface ProfileModule {
  /** Profile it belongs to. */
  readonly id: string;
  readonly text: string;
}

/** What matching looks at of a profile. */
export type ProfileRules = Pick<
  CompiledProfile,
  "id" | "kind" | "lineage" | "match" | "witness" | "architecture" | "needs"
>;

/** Profiles to choose from. A boot goes through the rules once, one after another, and asks for the few that it uses. */
export interface ProfileSet {
  /** Sorted by id. */
  readonly rules: Iterable<ProfileRules>;
  /** The whole profile; `undefined` where there is none of that id. */
  find(id: string): CompiledProfile | undefined;
  /** Commit of nixos-hardware that imports and mined rules were held against; absent where there are no declared profiles. */
  readonly minedRevision?: string;
  /** What is the matter with the profiles of the fleet's owner. */
  readonly findings?: readonly Finding[];
}

/** The profiles that come with the program, which others can stand on. */
export interface ShippedProfiles extends ProfileSet {
  /** Those made by hand, as they were written. */
  sources(): readonly ProfileSource[];
  /** Where they are stored, without the modules, which the lint alone looks at. */
  declared(): DeclaredFile | undefined;
  /** The modules that an import can name; `undefined` where that is not known. */
  importable(): ImportableModules | undefined;
}

/** Profiles that are all at hand. */
export interface CompiledProfiles extends ProfileSet {
  readonly profiles: readonly CompiledProfile[];
}

/** Every profile of a set, whole. */
export function allProfiles(set: ProfileSet): readonly CompiledProfile[] {
  return [...set.rules].map(({ id }) => set.find(id)).filter((each) => each !== undefined);
}

/** A set of these profiles, sorted by id. */
export function profileSet(profiles: readonly CompiledProfile[]): CompiledProfiles {
  const sorted = profiles.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const byId = new Map(sorted.map((profile) => [profile.id, profile]));
  return { profiles: sorted, rules: sorted, find: (id) => byId.get(id) };
}

/**
 * How sure a match is. `certain`: rule and witness agree; `likely`: one of them says so and the
 * other cannot tell; `disputed`: they contradict each other; `generic`: nothing but the kind of
 * processor; `ambiguous`: unrelated profiles fit equally well; `none`: none fits.
 */
export type Confidence = "certain" | "likely" | "disputed" | "generic" | "ambiguous" | "none";

/** Which profile a machine has. */
export interface Match {
  /** The profile that the evidence points at; `null` when it points at none, or at several. */
  readonly profile: string | null;
  readonly confidence: Confidence;
  /**
   * The profile that may be used without a person: the one above when the match is certain, likely
   * or generic and it needs nothing that a person has to agree to, else the best that nothing speaks
   * against; `null` when there is none.
   */
  readonly applied: string | null;
  /** Parts that the machine has by their own PCI or USB ids, added to whichever profile is used. */
  readonly components: readonly AttachedComponent[];
}

/** The same, and why. */
export interface ExplainedMatch extends Match {
  /** What spoke for and against `profile`, the rule's conditions first. */
  readonly evidence: readonly Evidence[];
  /** Those that fit too and that `profile` extends, nearest first. */
  readonly refines: readonly string[];
  /** The three that came nearest of those that are none of the above, nearest first, and what spoke against each. */
  readonly rejected: readonly Rejected[];
  /** How many more there are, which came less near. */
  readonly furtherRejected: number;
}

/** A component, and what it was known by. */
export interface AttachedComponent {
  readonly id: string;
  readonly evidence: readonly Evidence[];
}

/** One condition, looked at. */
export interface Evidence {
  /** Which rule it stands in. */
  readonly rule: "match" | "witness";
  /** `dmi.productName`, `dt.compatible`, `pci` … */
  readonly what: string;
  readonly expected: string;
  /** `null` when the machine does not tell, or tells a placeholder. */
  readonly got: string | null;
  readonly truth: Truth;
}

/** What becomes of a condition: the machine says so, says otherwise, or does not say. */
export type Truth = "holds" | "fails" | "unknown";

/** A profile that was not chosen. */
export interface Rejected {
  readonly id: string;
  readonly why: string;
}

/** What a profile is; a machine unless it says otherwise. */
export function kindOf(file: ProfileFile): NonNullable<ProfileFile["kind"]> {
  return file.kind ?? "model";
}

/** The profile that rendering and installing use, with its components; `null` when none may be. */
export function appliedProfile(match: Match, profiles: ProfileSet): CompiledProfile | null {
  return appliedComposition(match, profiles)?.profile ?? null;
}

/** The same, with where its components contradict it. */
export function appliedComposition(match: Match, profiles: ProfileSet): Composition | null {
  const model = match.applied === null ? undefined : profiles.find(match.applied);
  if (model === undefined) return null;
  const parts = match.components
    .map(({ id }) => profiles.find(id))
    .filter((part) => part !== undefined);
  return compose(model, parts);
}
