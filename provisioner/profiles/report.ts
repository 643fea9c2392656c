import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { knownText } from "./known-text.ts";
import { explainMatch } from "./match.ts";
import type { ExplainedMatch, ProfileSet } from "./profile.ts";

/** What a person sends, so that a machine gets a profile. */
export interface ProfileReport {
  readonly v: 1;
  /** What it has now, and what came near. */
  readonly match: ExplainedMatch;
  /** Strings of its firmware that say nothing, by their names. */
  readonly placeholders: readonly string[];
  /** Valid by the schema of facts: it can be the fixture of the profile's test. */
  readonly facts: Facts;
}

/**
 * The facts of a machine without what names this one machine or its owner: addresses, serial
 * numbers, names of disks, interfaces and devices that somebody chose; and its match. Pure.
 */
export function profileReport(facts: Facts, profiles: ProfileSet): ProfileReport {
  const { evidence } = explainMatch(facts, profiles);
  const isKnownByTag = evidence.some(
    ({ what, truth }) => what === "dmi.chassisAssetTag" && truth === "holds",
  );
  const scrubbed = scrub(isKnownByTag ? facts : withoutTag(facts));
  const strings = Object.entries(facts.dmi ?? {});
  return {
    v: 1,
    match: explainMatch(scrubbed, profiles),
    placeholders: strings
      .filter(([, text]) => typeof text === "string" && knownText(text) === null)
      .map(([name]) => name),
    facts: scrubbed,
  };
}

/** Clouds write their name there, owners the number of their inventory. */
function withoutTag(facts: Facts): Facts {
  return facts.dmi === null ? facts : { ...facts, dmi: { ...facts.dmi, chassisAssetTag: null } };
}

function scrub(facts: Facts): Facts {
  const physical = facts.network?.filter((each) => each.physical) ?? null;
  const seen: Facts = {
    ...facts,
    // A phone says whose it is.
    usb: facts.usb?.map((device) => ({ ...device, manufacturer: null, name: null })) ?? null,
    blockDevices: facts.blockDevices?.map((disk) => ({ ...disk, wwid: null, byId: [] })) ?? null,
    network:
      physical?.map((each, at) => ({ ...each, name: `${each.kind}${at}`, mac: null })) ?? null,
    // Other paths hold names of interfaces, and of what an owner made.
    unread: facts.unread.map(({ path, why }) => ({ path: placeOf(path), why })),
  };
  return withoutAddresses(seen) as Facts;
}

/** Where nothing has a name that somebody chose. */
const namelessPlaces = ["/sys/class/dmi/id/", "/proc/", "/sys/firmware/"];

/** The part of a path that every machine has: what is read, not of which device. */
function placeOf(path: string): string {
  if (namelessPlaces.some((place) => path.startsWith(place))) return path;
  const [, first, second, third] = path.split("/");
  return `/${[first, second, third].filter((part) => part !== undefined).join("/")}`;
}

const address = /\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5,}\b/gi;

/** Whatever else holds a hardware address. */
function withoutAddresses(value: unknown): unknown {
  if (typeof value === "string") return value.replace(address, "(address)");
  if (Array.isArray(value)) return value.map(withoutAddresses);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withoutAddresses(item)]),
  );
}
