import type { Facts } from "#generated/provisioner/facts/facts.ts";
import type { Clause, Conditions, Rule } from "#generated/provisioner/profiles/profile.ts";
import { type DmiField, fits, type Observation, observe } from "./conditions.ts";
import type { ProfileRules, Truth } from "./profile.ts";

/** What a rule says of a machine: its best clause, looked at. */
export interface RuleResult {
  readonly truth: Truth;
  /** Sum of the weights of that clause's conditions; never set by hand. */
  readonly specificity: number;
  readonly observations: readonly Observation[];
  /** Whether that clause looks at nothing but the processor, the chassis and the kind of firmware. */
  readonly generic: boolean;
}

/** A profile, looked at. */
export interface Candidate {
  readonly profile: ProfileRules;
  readonly match: RuleResult;
  readonly witness: RuleResult | null;
  /** `null` when the profile is out of the question. */
  readonly confidence: "certain" | "likely" | "disputed" | "generic" | null;
  readonly specificity: number;
}

/**
 * From this weight on a witness is an identity of its own (a board's name, a part number), so that
 * it counts where the rule cannot tell. Less (a chip that many machines have) only confirms.
 */
export const identityWeight = 6;

/** Looks at both rules of a profile. */
export function evaluateProfile(profile: ProfileRules, facts: Facts): Candidate {
  const match = evaluateRule(profile.match, facts);
  const told = profile.witness === null ? null : evaluateRule(profile.witness, facts);
  const witness = withProcessor(told, profile, facts);
  const confidence = confidenceOf(match, witness);
  const specificity = match.truth === "holds" ? match.specificity : (witness?.specificity ?? 0);
  return { profile, match, witness, confidence, specificity };
}

/**
 * A processor that the profile cannot be for speaks against what the firmware says, as a witness does: names are easily given to
 * a machine, its processor is not.
 */
function withProcessor(
  witness: RuleResult | null,
  { architecture }: ProfileRules,
  { cpu }: Facts,
): RuleResult | null {
  const got = cpu.architecture;
  if (architecture === undefined || got === null || familyOf(got) === familyOf(architecture))
    return witness;
  const { specificity = 0, observations = [], generic = false } = witness ?? {};
  const processor: Observation = {
    ...{ what: "cpu.architecture", expected: () => architecture, got },
    truth: "fails",
    weight: 0,
  };
  return { truth: "fails", specificity, observations: [...observations, processor], generic };
}

/** A kernel of 32 bits runs on many a processor of 64. */
function familyOf(architecture: string): string {
  if (/^(?:x86_64|i[3-6]86)$/.test(architecture)) return "x86";
  return /^(?:aarch64|arm)/.test(architecture) ? "arm" : architecture;
}

/**
 * Whether a profile may fit: quick, because nothing is written down. Where it says no, nothing of the profile can
 * hold, as its texts are others.
 */
export function mayFit({ match, witness }: ProfileRules, facts: Facts): boolean {
  return (
    match.any.some(({ all }) => textsMayFit(all, facts)) ||
    (witness?.any.some(({ all }) => isIdentity(all) && textsMayFit(all, facts)) ?? false)
  );
}

/** Whether a witness may weigh enough by itself: names do, of everything else it takes three kinds. */
function isIdentity(all: Conditions): boolean {
  return all.dmi !== undefined || all.dt !== undefined || Object.keys(all).length > 2;
}

/** Whether nothing that SMBIOS says, or leaves out, keeps a clause from holding. */
export function textsMayFit({ dmi }: Conditions, facts: Facts): boolean {
  for (const name in dmi) {
    const field = name as DmiField;
    const rule = dmi[field];
    const text = facts.dmi?.[field]?.trim();
    if (rule === undefined) continue;
    if (text === undefined || !fits(rule, text)) return false;
  }
  return true;
}

function confidenceOf(match: RuleResult, witness: RuleResult | null): Candidate["confidence"] {
  if (match.truth === "holds") {
    if (match.generic) return "generic";
    if (witness === null || witness.truth === "unknown") return "likely";
    return witness.truth === "holds" ? "certain" : "disputed";
  }
  const alone = witness?.truth === "holds" && witness.specificity >= identityWeight;
  if (!alone) return null;
  return match.truth === "unknown" ? "likely" : "disputed";
}

const truthOrder: readonly Truth[] = ["holds", "unknown", "fails"];

/** The clause that holds, most specific first; else the one that comes nearest. */
export function evaluateRule(rule: Rule, facts: Facts): RuleResult {
  const [best] = rule.any
    .map((clause) => evaluateClause(clause, facts))
    .sort(
      (a, b) =>
        truthOrder.indexOf(a.truth) - truthOrder.indexOf(b.truth) || heldWeight(b) - heldWeight(a),
    );
  return best ?? { truth: "fails", specificity: 0, observations: [], generic: false };
}

function evaluateClause(clause: Clause, facts: Facts): RuleResult {
  const wanted = observe(clause.all, facts);
  const excluded = (clause.not ?? [])
    .map((conditions) => observe(conditions, facts))
    .find((each) => each.every(({ truth }) => truth === "holds"));
  const observations = excluded === undefined ? wanted : [...wanted, ...excluded.map(exclude)];
  return {
    truth: truthOfAll(observations),
    specificity: wanted.reduce((sum, { weight }) => sum + weight, 0),
    observations,
    generic: wanted.every(
      ({ what }) => what.startsWith("cpu.") || what === "chassis" || what === "firmware.type",
    ),
  };
}

function exclude(observation: Observation): Observation {
  return {
    ...observation,
    expected: () => `not ${observation.expected()}`,
    truth: "fails",
    weight: 0,
  };
}

function truthOfAll(observations: readonly Observation[]): Truth {
  if (observations.some(({ truth }) => truth === "fails")) return "fails";
  return observations.some(({ truth }) => truth === "unknown") ? "unknown" : "holds";
}

/** How much of a clause holds. */
export function heldWeight(result: RuleResult): number {
  return result.observations.reduce(
    (sum, { truth, weight }) => sum + (truth === "holds" ? weight : 0),
    0,
  );
}
