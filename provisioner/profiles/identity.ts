import { Fault } from "#core/fault.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { chassisClass, chassisType } from "#provisioner/facts/chassis.ts";
import { genericFacts } from "#provisioner/facts/generic-facts.ts";
import { type Candidate, evaluateProfile } from "./evaluate.ts";
import { choose } from "./match.ts";
import type { Confidence, ProfileSet } from "./profile.ts";
import { indexProfiles } from "./profile-index.ts";

/**
 * A machine known only by SMBIOS strings: `[id, sys_vendor, product_name, product_family,
 * product_version, product_sku, board_vendor, board_name, board_version, chassis_type]`, the last
 * one in words. One such array a line is the batch format of `firstlight profiles match --batch`.
 */
export type Identity = readonly [id: string, ...strings: string[]];

/** What became of one identity. */
export interface IdentityMatch {
  readonly id: string;
  readonly profile: string | null;
  readonly confidence: Confidence;
}

const fields = 10;

/** Checks one identity as parsed from JSON. Throws `profile/identity-malformed`. */
export function parseIdentity(value: unknown): Identity {
  if (
    Array.isArray(value) &&
    value.length === fields &&
    value.every((each) => typeof each === "string")
  ) {
    const [id = "", ...strings] = value as string[];
    if (id !== "") return [id, ...strings];
  }
  const got = Array.isArray(value) ? `a list of ${value.length}` : typeof value;
  throw new Fault(
    "profile/identity-malformed",
    `identity: expected a list of ${fields} strings that begins with an id, got ${got}`,
  );
}

/** Which profile an identity has. Pure; for many of them there is {@link identityMatcher}. */
export function matchIdentity(identity: Identity, profiles: ProfileSet): IdentityMatch {
  const facts = factsOfIdentity(identity);
  const models = [...profiles.rules].filter(({ kind }) => kind === "model");
  return answer(
    identity,
    models.map((profile) => evaluateProfile(profile, facts)),
  );
}

/**
 * The profile that an identity has if it is a PC that no other profile knows, which its chassis decides;
 * `null` where the chassis says nothing.
 */
export function matchPc(identity: Identity, profiles: ProfileSet): string | null {
  const facts = factsOfIdentity(identity);
  if (chassisClass(facts.dmi?.chassisType ?? null) === null) return null;
  const pc: Facts = { ...facts, cpu: { ...facts.cpu, architecture: "x86_64" } };
  const models = [...profiles.rules].filter(({ kind }) => kind === "model");
  const generic = models
    .map((profile) => evaluateProfile(profile, pc))
    .filter(({ confidence }) => confidence === "generic");
  return choose(generic).chosen?.profile.id ?? null;
}

/** Which profile each identity of a batch has: the profiles are indexed once. */
export function identityMatcher(profiles: ProfileSet): (identity: Identity) => IdentityMatch {
  const index = indexProfiles(profiles);
  return (identity) => answer(identity, index.candidates(factsOfIdentity(identity)));
}

function answer(identity: Identity, candidates: readonly Candidate[]): IdentityMatch {
  const { chosen, confidence } = choose(candidates);
  return { id: identity[0], profile: chosen?.profile.id ?? null, confidence };
}

const unknown = genericFacts(null);

/** What is known of a machine by its SMBIOS strings alone. */
export function factsOfIdentity(identity: Identity): Facts {
  const text = (at: number) => identity[at] || null;
  return {
    ...unknown,
    dmi: {
      sysVendor: text(1),
      productName: text(2),
      productFamily: text(3),
      productVersion: text(4),
      productSku: text(5),
      boardVendor: text(6),
      boardName: text(7),
      boardVersion: text(8),
      biosVendor: null,
      biosVersion: null,
      biosDate: null,
      chassisType: chassisType(identity[9] ?? ""),
      chassisVendor: null,
      chassisAssetTag: null,
    },
  };
}
