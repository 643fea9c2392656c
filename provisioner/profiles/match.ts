import type { Facts } from "#generated/provisioner/facts/facts.ts";
import {
  type Candidate,
  evaluateProfile,
  evaluateRule,
  mayFit,
  type RuleResult,
} from "./evaluate.ts";
import { type Near, nearestOf, nearnessOf } from "./nearness.ts";
import type {
  AttachedComponent,
  Confidence,
  Evidence,
  ExplainedMatch,
  Match,
  ProfileRules,
  ProfileSet,
  Rejected,
} from "./profile.ts";

/** How many of the others are told of: what came less near is no answer to "why not that one". */
const explained = 3;
/** A few more, since those that the chosen one refines are among them and are left out in the end. */
const kept = explained + 5;

/**
 * Which profile a machine has. Pure; the same facts give the same answer. The most specific rule wins. Unrelated
 * profiles that fit equally well are `ambiguous`: none of them is taken.
 */
export function matchProfile(facts: Facts, profiles: ProfileSet): Match {
  const { fitting, attached } = lookAtAll(facts, profiles);
  return matchOf(choose(fitting), attached);
}

/** The same with the evidence, and with what speaks against those that came nearest. */
export function explainMatch(facts: Facts, profiles: ProfileSet): ExplainedMatch {
  let near: readonly Near[] = [];
  let unfit = 0;
  const { fitting, attached } = lookAtAll(facts, profiles, (candidate) => {
    unfit += 1;
    near = nearestOf([...near, nearnessOf(candidate)], kept);
  });
  const choice = choose(fitting);
  const { chosen } = choice;
  const refines = ancestorsOf(chosen, fitting);
  const others = rivalsOf(choice, [...fitting.map(nearnessOf), ...near]);
  const told = new Set([chosen, choice.applied, ...refines, ...others]);
  told.delete(null);
  return {
    ...matchOf(choice, attached),
    evidence:
      chosen === null
        ? []
        : [...evidenceOf("match", chosen.match), ...evidenceOf("witness", chosen.witness)],
    refines: refines.map((each) => each.profile.id),
    rejected: others.map((each) => ({ id: each.profile.id, why: whyNot(each, choice) })),
    furtherRejected: fitting.length + unfit - told.size,
  };
}

function matchOf({ chosen, confidence, applied }: Choice, attached: readonly Attached[]): Match {
  return {
    profile: chosen?.profile.id ?? null,
    confidence,
    applied: applied?.profile.id ?? null,
    components: attachedComponents(attached),
  };
}

/** Those that fit too and that this one extends, nearest first. */
function ancestorsOf(heir: Candidate | null, fitting: readonly Candidate[]): readonly Candidate[] {
  const lineage = heir?.profile.lineage ?? [];
  const ancestors = fitting.filter((each) => each !== heir && lineage.includes(each.profile.id));
  return ancestors.sort((a, b) => lineage.indexOf(a.profile.id) - lineage.indexOf(b.profile.id));
}

/** The nearest of those that might have been taken: neither what is used nor what the chosen one refines. */
function rivalsOf(choice: Choice, others: readonly Near[]): readonly Candidate[] {
  const { chosen, applied, tied } = choice;
  const lineage = chosen?.profile.lineage ?? [];
  const rivals = others.filter(
    ({ candidate }) =>
      candidate !== applied && !tied.includes(candidate) && !lineage.includes(candidate.profile.id),
  );
  const nearest = nearestOf(rivals, explained).map(({ candidate }) => candidate);
  return [...tied, ...nearest].slice(0, explained);
}

/** What is kept of all profiles; the others are looked at and forgotten, as a boot has little memory. */
interface Look {
  readonly fitting: readonly Candidate[];
  readonly attached: readonly Attached[];
}

/** A component whose rule holds. */
interface Attached {
  readonly component: ProfileRules;
  readonly result: RuleResult;
}

/** Looks at all profiles once; `onUnfit`, where there is one, is given each model that is out of the question. */
function lookAtAll(
  facts: Facts,
  { rules }: ProfileSet,
  onUnfit?: (candidate: Candidate) => void,
): Look {
  const fitting: Candidate[] = [];
  const attached: Attached[] = [];
  for (const profile of rules) {
    if (profile.kind === "component") {
      const result = evaluateRule(profile.match, facts);
      if (result.truth === "holds") attached.push({ component: profile, result });
    } else if (profile.kind === "model" && (onUnfit !== undefined || mayFit(profile, facts))) {
      const candidate = evaluateProfile(profile, facts);
      if (candidate.confidence === null) onUnfit?.(candidate);
      else fitting.push(candidate);
    }
  }
  return { fitting, attached };
}

/** Every component that is there; one that others of these extend is in them already. */
function attachedComponents(attached: readonly Attached[]): AttachedComponent[] {
  return attached
    .filter(
      ({ component }) =>
        !attached.some(
          (other) =>
            other.component !== component && other.component.lineage.includes(component.id),
        ),
    )
    .map(({ component, result }) => ({
      id: component.id,
      evidence: evidenceOf("match", result),
    }));
}

/** What came of weighing the candidates. */
export interface Choice {
  readonly chosen: Candidate | null;
  readonly confidence: Confidence;
  /** What may be used without a person. */
  readonly applied: Candidate | null;
  /** Profiles that fit equally well and have nothing to do with each other; else empty. */
  readonly tied: readonly Candidate[];
}

/**
 * Weighs candidates: named machines before generic ones, a profile before those it extends, then by
 * specificity.
 */
export function choose(candidates: readonly Candidate[]): Choice {
  const fitting = withoutFamilies(candidates.filter((each) => each.confidence !== null));
  const tied = tiedAtTheTop(fitting);
  const [first] = fitting;
  if (first === undefined) return { chosen: null, confidence: "none", applied: null, tied: [] };
  if (tied.length > 1) {
    return { chosen: null, confidence: "ambiguous", applied: undisputed(candidates, tied), tied };
  }
  const chosen = tied[0] ?? first;
  const confidence = chosen.confidence ?? "none";
  const isFree = confidence !== "disputed" && !needsPerson(chosen);
  const applied = isFree ? chosen : undisputed(candidates, [chosen]);
  return { chosen, confidence, applied, tied: [] };
}

/** Those that no other one refines that fits without a doubt: a model says more than its family, however few strings it looks at. */
function withoutFamilies(fitting: readonly Candidate[]): readonly Candidate[] {
  const sure = fitting.filter(({ confidence }) => confidence !== "disputed");
  return fitting
    .filter(
      ({ profile }) =>
        !sure.some(
          (other) => other.profile !== profile && other.profile.lineage.includes(profile.id),
        ),
    )
    .sort(byRank);
}

/** What its module brings with it is for a person to decide. */
function needsPerson({ profile }: Candidate): boolean {
  return (profile.needs ?? []).length > 0;
}

function byRank(a: Candidate, b: Candidate): number {
  return (
    Number(a.confidence === "generic") - Number(b.confidence === "generic") ||
    b.specificity - a.specificity
  );
}

/** Those that no other of the same rank extends. */
function tiedAtTheTop(fitting: readonly Candidate[]): readonly Candidate[] {
  const [first] = fitting;
  if (first === undefined) return [];
  const equal = fitting.filter((each) => byRank(first, each) === 0);
  return equal.filter(
    (each) =>
      !equal.some((other) => other !== each && other.profile.lineage.includes(each.profile.id)),
  );
}

/** The best that nothing speaks against, that is not in doubt itself, and that needs no person. */
function undisputed(
  candidates: readonly Candidate[],
  doubted: readonly Candidate[],
): Candidate | null {
  const rest = candidates.filter(
    (each) =>
      each.confidence !== null &&
      each.confidence !== "disputed" &&
      !doubted.includes(each) &&
      !needsPerson(each),
  );
  const best = tiedAtTheTop(withoutFamilies(rest));
  return best.length === 1 ? (best[0] ?? null) : null;
}

/** Whether a board or another name of its own says that it is this one, and its rule does not. */
function isClaimed({ confidence, match }: Candidate): boolean {
  return confidence !== null && match.truth !== "holds";
}

function evidenceOf(rule: Evidence["rule"], result: RuleResult | null): Evidence[] {
  return (result?.observations ?? []).map(({ what, expected, got, truth }) => ({
    rule,
    what,
    expected: expected(),
    got,
    truth,
  }));
}

function whyNot(candidate: Candidate, choice: Choice): Rejected["why"] {
  if (choice.tied.includes(candidate)) {
    const others = choice.tied.filter((each) => each !== candidate).map((each) => each.profile.id);
    return `fits as well as ${others.join(", ")} (specificity ${candidate.specificity}), and neither extends the other`;
  }
  if (candidate.confidence === "generic")
    return "only says what the processor is; a more specific profile fits";
  const heir = [choice.chosen, ...choice.tied].find((each) =>
    each?.profile.lineage.includes(candidate.profile.id),
  );
  if (candidate.confidence !== null && heir != null) return `${heir.profile.id} refines it`;
  if (isClaimed(candidate)) return `${doubtOf(candidate)}; its witness holds`;
  if (candidate.confidence !== null) {
    const best = choice.chosen?.specificity ?? choice.tied[0]?.specificity ?? 0;
    return `less specific: ${candidate.specificity} of ${best}`;
  }
  return doubtOf(candidate);
}

/** What speaks against it most. */
function doubtOf(candidate: Candidate): string {
  const doubts = candidate.match.observations.filter(({ truth }) => truth !== "holds");
  const [worst] = [...doubts].sort(
    (a, b) => Number(b.truth === "fails") - Number(a.truth === "fails"),
  );
  if (worst === undefined) return "none of its clauses holds";
  const got = worst.got === null ? "the machine does not tell" : `got ${JSON.stringify(worst.got)}`;
  return `${worst.what}: expected ${worst.expected()}; ${got}`;
}
