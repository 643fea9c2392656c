import type { Finding } from "#core/finding.ts";
import { type Item, type Member, mappingValue } from "../yaml-values.ts";
import { type CombinedKinds, combineKinds } from "./combine-kinds.ts";
import { MergeLimits } from "./merge-limits.ts";
import type { PartsOptions } from "./merge-parts.ts";
import { MergeProblem } from "./merge-problem.ts";

/** The configs of one machine, and how far somebody stands for the user's. */
export interface Kinds {
  readonly user: Item | undefined;
  /** Of vendor-data2 and vendor-data, that which counts most first. */
  readonly vendors: readonly Item[];
  /** Whether the user's is signed. */
  readonly isSigned: boolean;
}

/** The part of a config that is no cloud-config, which cloud-init knows nothing of. */
const ownKey = "firstlight";

/**
 * Puts the configs of all kinds together as cloud-init does, but for what it has no word for: a config that is
 * signed is what was signed, and `firstlight` of the user's is what the user wrote. Vendor-data is put below both,
 * whatever it says of merging.
 */
export function layKinds({ user, vendors, isSigned }: Kinds, options: PartsOptions): CombinedKinds {
  const all = combineKinds(user === undefined ? vendors : [user, ...vendors], options);
  if (user === undefined || vendors.length === 0) return all;
  const isOwn = [user, ...vendors].filter(({ value }) => value.members?.has(ownKey)).length > 1;
  if (!isSigned && !isOwn) return all;
  const apart = { ...options, limits: new MergeLimits() };
  const own = combineKinds([user], apart);
  const others = combineKinds(vendors, apart);
  const findings = isSigned ? [...own.findings, ...others.findings] : all.findings;
  try {
    const item = isSigned ? below(own, others, apart) : withOwnKey(all, own, others, apart);
    return { item, findings };
  } catch (error) {
    if (!(error instanceof MergeProblem)) throw error;
    const { at = others.item?.at ?? user.at, code, message, hint } = error;
    const problem: Finding = {
      ...{ path: "", ...options.row.place(at), level: "error" },
      ...{ code, message, hint },
    };
    return { item: own.item, findings: [...findings, problem] };
  }
}

type Kind = Pick<CombinedKinds, "item">;

/** All of the one, and of the other what stands at places of which that says nothing. */
function below(own: Kind, others: Kind, { limits }: PartsOptions): Item | undefined {
  if (own.item === undefined || own.item.value.members?.size === 0) return others.item ?? own.item;
  return others.item === undefined ? own.item : putBelow(own.item, others.item, limits);
}

function withOwnKey(all: Kind, own: Kind, others: Kind, options: PartsOptions): Item | undefined {
  const ofUser = own.item?.value.members?.get(ownKey);
  const ofOthers = others.item?.value.members?.get(ownKey);
  if (all.item === undefined || ofUser === undefined || ofOthers === undefined) return all.item;
  const laid: Member = { ...ofUser, ...putBelow(ofUser, ofOthers, options.limits) };
  const members = new Map<string, Member>(all.item.value.members ?? []).set(ownKey, laid);
  const value = mappingValue(members);
  options.limits.check(value, all.item.at);
  return { at: all.item.at, value };
}

/** A mapping gets members that it has not. Whatever else there is stays: a list is whole, and nothing is nothing. */
function putBelow(own: Item, other: Item, limits: MergeLimits): Item {
  const { members } = own.value;
  if (members === null || members.size === 0 || other.value.members === null) return own;
  limits.spend(members.size + other.value.members.size);
  const all = new Map(members);
  for (const [name, member] of other.value.members) {
    const present = all.get(name);
    all.set(
      name,
      present === undefined ? member : { ...present, ...putBelow(present, member, limits) },
    );
  }
  const value = mappingValue(all);
  limits.check(value, own.at);
  return { at: own.at, value };
}
