import type { TextRule } from "#generated/provisioner/profiles/profile.ts";
import type { Observation } from "./conditions.ts";
import type { Candidate, RuleResult } from "./evaluate.ts";
import type { Truth } from "./profile.ts";

/** How near a profile came to be the one of a machine: what a person would take for the next one. */
export interface Near {
  readonly candidate: Candidate;
  /** The first that differs decides; more is nearer. */
  readonly nearness: readonly number[];
}

/** The nearest of them, as many as are asked for, nearest first. */
export function nearestOf(candidates: readonly Near[], count: number): readonly Near[] {
  return candidates.toSorted(byNearness).slice(0, count);
}

function byNearness(a: Near, b: Near): number {
  for (const [at, value] of a.nearness.entries()) {
    const other = b.nearness[at] ?? 0;
    if (value !== other) return other - value;
  }
  return 0;
}

/**
 * How near: those that fit; of the others those that a name speaks for, be it the maker's; then the
 * generic ones, then the rest, and last what is of another maker or architecture. Among equals those
 * that a witness by name stands for come first, then by what holds of the names, by how long the name
 * that failed is the same, and by what else holds.
 */
export function nearnessOf(candidate: Candidate): Near {
  const { match, witness, specificity } = candidate;
  const named = nameWeight(match);
  const claimed = witness?.truth === "holds" ? nameWeight(witness) : 0;
  const rank = rankOf(candidate, Math.max(named, claimed));
  const held = rank === ranks.fits ? specificity : named;
  return {
    candidate,
    nearness: [rank, claimed, held, likeness(match), otherWeight(match) + otherWeight(witness)],
  };
}

const ranks = { fits: 4, named: 3, generic: 2, silent: 1, stranger: 0 } as const;

function rankOf({ confidence, match, witness }: Candidate, named: number): number {
  if (confidence === "generic") return ranks.generic;
  if (confidence !== null) return ranks.fits;
  if (isOfStranger(match) || isForOtherProcessor(match) || isForOtherProcessor(witness))
    return ranks.stranger;
  return named > 0 ? ranks.named : ranks.silent;
}

/** By the maker of the machine, or of the board where the rule does not ask for that one. */
function isOfStranger(match: RuleResult): boolean {
  return (truthOf(match, "dmi.sysVendor") ?? truthOf(match, "dmi.boardVendor")) === "fails";
}

function isForOtherProcessor(result: RuleResult | null): boolean {
  return result !== null && truthOf(result, "cpu.architecture") === "fails";
}

function truthOf({ observations }: RuleResult, name: string): Truth | undefined {
  return observations.find(({ what }) => what === name)?.truth;
}

/** What holds of strings of SMBIOS and of the device tree; many machines have the same processor. */
function nameWeight({ observations }: RuleResult): number {
  return sumOfHeld(observations.filter(isName));
}

function otherWeight(result: RuleResult | null): number {
  return sumOfHeld((result?.observations ?? []).filter((each) => !isName(each)));
}

function isName({ what }: Observation): boolean {
  return what.startsWith("dmi.") || what === "dt.compatible";
}

function sumOfHeld(observations: readonly Observation[]): number {
  return observations.reduce((sum, { truth, weight }) => sum + (truth === "holds" ? weight : 0), 0);
}

/** For how many characters a name that failed is the one that was wanted, at most. */
function likeness({ observations }: RuleResult): number {
  return Math.max(
    0,
    ...observations.map(({ truth, rule, got }) =>
      truth !== "fails" || rule === undefined || got === null
        ? 0
        : Math.max(...textsOf(rule).map((text) => commonLength(text, got))),
    ),
  );
}

function textsOf(rule: TextRule): readonly string[] {
  if (typeof rule === "string") return [rule];
  if ("oneOf" in rule) return rule.oneOf;
  return "prefix" in rule ? [rule.prefix] : [""];
}

function commonLength(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  return at;
}
