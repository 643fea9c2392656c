import type { Facts } from "#generated/provisioner/facts/facts.ts";
import type { Clause, Conditions, TextRule } from "#generated/provisioner/profiles/profile.ts";
import { chassisClass } from "#provisioner/facts/chassis.ts";
import { genericFacts } from "#provisioner/facts/generic-facts.ts";
import { type DmiField, dmiWeights, observe } from "./conditions.ts";
import { type Candidate, evaluateProfile, identityWeight, textsMayFit } from "./evaluate.ts";
import type { ProfileRules, ProfileSet } from "./profile.ts";

/**
 * Finds the profiles that may fit a machine without looking at all of them. A profile is in question
 * only when one of its clauses holds, and a clause holds only when each of its conditions does: so
 * every clause is filed under one condition, the one that says most, by the values it may have.
 */
export interface ProfileIndex {
  /** What is in question, looked at; the others have no confidence. In the order of the profiles. */
  candidates(facts: Facts): readonly Candidate[];
}

/** Profiles by a value. */
type Shelf = Map<string, number[]>;

/** Every shelf, by what the value is. */
interface Shelves {
  readonly text: Map<DmiField, Shelf>;
  readonly beginning: Map<DmiField, Shelf>;
  readonly board: Shelf;
  readonly pciVendor: Shelf;
  readonly usbVendor: Shelf;
  readonly architecture: Shelf;
  readonly virtualisation: Shelf;
  readonly chassis: Shelf;
  readonly firmware: Shelf;
  /** Clauses that no value leads to. */
  readonly always: number[];
}

/** Prefixes are filed by so many characters; shorter ones are no key. */
const beginningLength = 4;

/** Files every clause of every model. */
export function indexProfiles({ rules }: ProfileSet): ProfileIndex {
  const models = [...rules].filter(({ kind }) => kind === "model");
  const shelves: Shelves = {
    ...{ text: new Map(), beginning: new Map(), board: new Map(), always: [] },
    ...{ pciVendor: new Map(), usbVendor: new Map(), architecture: new Map() },
    ...{ virtualisation: new Map(), chassis: new Map(), firmware: new Map() },
  };
  const counting = models.map(clausesThatCount);
  for (const [at, clauses] of counting.entries())
    for (const clause of clauses) file(shelves, clause.all, at);
  return {
    candidates: (facts) =>
      [...lookUp(shelves, facts)]
        .filter((at) => counting[at]?.some(({ all }) => textsMayFit(all, facts)))
        .sort((a, b) => a - b)
        .map((at) => models[at])
        .filter((model) => model !== undefined)
        .map((model) => evaluateProfile(model, facts)),
  };
}

/** Those that can bring a profile into question by themselves: a witness only where it weighs enough. */
function clausesThatCount({ match, witness }: ProfileRules): readonly Clause[] {
  const identities = (witness?.any ?? []).filter(
    ({ all }) =>
      observe(all, nothingKnown).reduce((sum, { weight }) => sum + weight, 0) >= identityWeight,
  );
  return [...match.any, ...identities];
}

/** Of which each condition has its full weight. */
const nothingKnown = genericFacts(null);

function file(shelves: Shelves, all: Conditions, at: number): void {
  const put = (shelf: Shelf, keys: readonly string[]) => {
    for (const key of keys) {
      const known = shelf.get(key);
      if (known === undefined) shelf.set(key, [at]);
      else if (!known.includes(at)) known.push(at);
    }
  };
  const vendors = (patterns: readonly string[]) => patterns.map((pattern) => pattern.slice(0, 4));
  const named = strongestText(all);
  const pci = vendors(all.pci ?? ["*"]);
  const usb = vendors(all.usb ?? ["*"]);
  if (named !== undefined) {
    const [field, rule] = named;
    const shelf = "prefix" in rule ? shelves.beginning : shelves.text;
    const ofField = shelf.get(field) ?? new Map<string, number[]>();
    shelf.set(field, ofField);
    put(ofField, "prefix" in rule ? [rule.prefix.slice(0, beginningLength)] : rule.oneOf);
  } else if (all.dt !== undefined) put(shelves.board, all.dt.compatible);
  else if (pci.every((vendor) => !vendor.startsWith("*"))) put(shelves.pciVendor, pci);
  else if (usb.every((vendor) => !vendor.startsWith("*"))) put(shelves.usbVendor, usb);
  else if (all.virt !== undefined) put(shelves.virtualisation, all.virt);
  else if (all.cpu?.architecture !== undefined) put(shelves.architecture, [all.cpu.architecture]);
  else if (all.chassis !== undefined) put(shelves.chassis, all.chassis);
  else if (all.firmware?.type !== undefined) put(shelves.firmware, all.firmware.type);
  else if (!shelves.always.includes(at)) shelves.always.push(at);
}

type Keyed = { readonly oneOf: readonly string[] } | { readonly prefix: string };

/** The text that says most of a machine, of those that can be looked up. */
function strongestText({ dmi }: Conditions): readonly [DmiField, Keyed] | undefined {
  let best: readonly [DmiField, Keyed] | undefined;
  for (const [name, rule] of Object.entries(dmi ?? {})) {
    const field = name as DmiField;
    const key = keyOf(rule);
    if (key !== undefined && (best === undefined || dmiWeights[field] > dmiWeights[best[0]]))
      best = [field, key];
  }
  return best;
}

function keyOf(rule: TextRule): Keyed | undefined {
  if (typeof rule === "string") return { oneOf: [rule] };
  if ("oneOf" in rule) return rule;
  return "prefix" in rule && rule.prefix.length >= beginningLength ? rule : undefined;
}

function lookUp(shelves: Shelves, facts: Facts): ReadonlySet<number> {
  const found = new Set<number>(shelves.always);
  const take = (shelf: Shelf, key: string | null) => {
    if (key !== null) for (const at of shelf.get(key) ?? []) found.add(at);
  };
  // Placeholders need no sieve here: who is found by one is looked at, and does not hold.
  for (const [field, shelf] of shelves.text) take(shelf, facts.dmi?.[field]?.trim() ?? null);
  for (const [field, shelf] of shelves.beginning)
    take(shelf, facts.dmi?.[field]?.trim().slice(0, beginningLength) ?? null);
  for (const name of facts.deviceTree?.compatible ?? []) take(shelves.board, name);
  if (shelves.pciVendor.size > 0)
    for (const { vendor } of facts.pci ?? []) take(shelves.pciVendor, vendor);
  if (shelves.usbVendor.size > 0)
    for (const { vendor } of facts.usb ?? []) take(shelves.usbVendor, vendor);
  take(shelves.virtualisation, facts.virtualisation);
  take(shelves.architecture, facts.cpu.architecture);
  take(shelves.firmware, facts.firmware.type);
  if (shelves.chassis.size > 0) take(shelves.chassis, chassisClass(facts.dmi?.chassisType ?? null));
  return found;
}
