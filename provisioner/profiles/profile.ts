import type { Json } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { ProfileFile, Quirk, Rule } from "#generated/provisioner/profiles/profile.ts";
import { compose } from "./components.ts";
import type { Need } from "./declared.ts";

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

/** Every profile that ships, sorted by id: one JSON file beside the program. */
export interface CompiledProfiles {
  readonly v: 1;
  readonly profiles: readonly CompiledProfile[];
}

/**
 * How sure a match is. `certain`: rule and witness agree; `likely`: one of them says so and the
 * other cannot tell; `disputed`: they contradict each other; `generic`: nothing but the kind of
 * processor; `ambiguous`: unrelated profiles fit equally well; `none`: none fits.
 */
export type Confidence = "certain" | "likely" | "disputed" | "generic" | "ambiguous" | "none";

/** Which profile a machine has, and why. */
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
  /** What spoke for and against `profile`, the rule's conditions first. */
  readonly evidence: readonly Evidence[];
  /** The three that came nearest of the others, nearest first, and what spoke against each. */
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

/** The profile that rendering and installing use, with its components; `null` when none may be. */
export function appliedProfile(match: Match, profiles: CompiledProfiles): CompiledProfile | null {
  const find = (id: string | null) => profiles.profiles.find((profile) => profile.id === id);
  const model = find(match.applied);
  if (model === undefined) return null;
  const parts = match.components.map(({ id }) => find(id)).filter((part) => part !== undefined);
  return compose(model, parts).profile;
}

/** Reads the compiled profiles from their JSON text. Throws `profile/invalid`. */
export function parseCompiledProfiles(text: string): CompiledProfiles {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Fault("profile/invalid", "compiled profiles: expected JSON, got something else", {
      cause,
    });
  }
  if (!isCompiled(value)) {
    throw new Fault("profile/invalid", "compiled profiles: expected version 1 of their format");
  }
  return value;
}

function isCompiled(value: unknown): value is CompiledProfiles {
  const { v, profiles } = (value ?? {}) as Partial<CompiledProfiles>;
  return v === 1 && Array.isArray(profiles);
}
