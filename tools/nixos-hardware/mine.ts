import type { Clause } from "#generated/provisioner/profiles/profile.ts";
import type { DeclaredProfile, LeftModule, Need } from "#provisioner/profiles/declared.ts";
import { type Identity, matchIdentity, matchPc } from "#provisioner/profiles/identity.ts";
import { knownText } from "#provisioner/profiles/known-text.ts";
import type { CompiledProfiles } from "#provisioner/profiles/profile.ts";
import type { Module } from "./checkout.ts";
import {
  type Maker,
  makers,
  type NameString,
  type Names,
  nameStringsOf,
  variants,
} from "./makers.ts";

/** What profiles are mined from. */
export interface Mine {
  readonly modules: readonly Module[];
  readonly needs: (path: string) => readonly Need[];
  /** Whether a module refuses to be imported. */
  readonly refuses: (path: string) => boolean;
  readonly identities: readonly Identity[];
  /** Where the identities are from, for the evidence. */
  readonly source: string;
  /** Profiles made by hand: those stand, and are extended where they are of a family. */
  readonly handMade: CompiledProfiles;
}

/** What was found: profiles by id, and every other module with the reason. */
export interface Find {
  readonly profiles: readonly DeclaredProfile[];
  readonly left: readonly LeftModule[];
}

/** A name as machines tell it, with the machines. */
interface Told {
  readonly string: NameString;
  readonly names: readonly string[];
  readonly machines: Identity[];
}

/** A module whose machines are looked for. */
interface Claim {
  readonly module: Module;
  readonly maker: Maker;
  readonly names: Names;
  readonly told: Told[];
}

const anyPc = "generic/x86-64";
const nvidiaDevice = "10de:*";
const graphicsModes = ["hybrid", "nvidia"];

/** Mines a rule for every module that can have one. Pure; the same input gives the same answer. */
export function mineProfiles(mine: Mine): Find {
  const left: LeftModule[] = [];
  const leave = ({ name, path }: Module, why: string) => left.push({ name, path, why });
  const claims: Claim[] = [];
  const ways: Module[] = [];
  const paths = new Set(mine.modules.map(({ path }) => path));
  for (const module of mine.modules) {
    const maker = makers.find(({ folder }) => folder.test(module.path));
    if (/^common\/|\.nix$/.test(module.path)) leave(module, "a part of modules, and no machine");
    else if (module.path.startsWith("framework"))
      leave(module, "profiles of this maker are made by hand");
    else if (maker === undefined) leave(module, "no rule for this maker's names, or no SMBIOS");
    else if (isWay(module) && paths.has(parentOf(module))) ways.push(module);
    else claims.push({ module, maker, names: maker.names(module), told: [] });
  }
  for (const told of tellNames(mine.identities)) assign(told, claims);
  const profiles = claims.flatMap((claim) => {
    const rival = rivalOf(claim, claims);
    const profile = rival === undefined ? profileOf(claim, mine) : rival;
    if (typeof profile !== "string") return [profile];
    leave(claim.module, profile);
    return [];
  });
  for (const module of ways) {
    const base = profiles.find((each) => each.module === parentOf(module));
    const why = whyNoWay(module, ways, base);
    if (why !== undefined || base === undefined) leave(module, why ?? "");
    else profiles.push(withNvidia(module, base, mine));
  }
  // Its rule was still that of its variants.
  const refused = claims.filter(
    ({ module }) =>
      mine.refuses(module.path) && profiles.some((profile) => profile.module === module.path),
  );
  for (const { module } of refused)
    leave(module, "it refuses to be imported: a variant has to be named");
  const usable = profiles.filter((profile) => !mine.refuses(profile.module));
  return {
    profiles: usable.sort((a, b) => (a.id < b.id ? -1 : 1)),
    left: left.sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

const lastOf = ({ path }: Module) => path.split("/").at(-1) ?? "";
const parentOf = ({ path }: Module) => path.slice(0, path.lastIndexOf("/"));

function isWay(module: Module): boolean {
  return variants.includes(lastOf(module));
}

/** Every different name among the identities, of every maker, with its machines. */
function tellNames(identities: readonly Identity[]): readonly (Told & { readonly maker: Maker })[] {
  const all = new Map<string, Told & { readonly maker: Maker }>();
  for (const maker of makers) {
    for (const identity of identities) {
      for (const string of nameStringsOf(identity, maker)) {
        if (knownText(string.text) !== string.text || knownText(string.vendor) !== string.vendor)
          continue;
        const key = JSON.stringify([makers.indexOf(maker), string]);
        const told = all.get(key);
        if (told === undefined) {
          const names = maker.read(string.text);
          all.set(key, { maker, string, names, machines: [identity] });
        } else told.machines.push(identity);
      }
    }
  }
  return [...all.values()];
}

/** Gives a name to the modules that mean it: the whole name before a series, the longer series before the shorter. */
function assign(told: Told & { readonly maker: Maker }, claims: readonly Claim[]): void {
  const mine = claims.filter(({ maker }) => maker === told.maker);
  const whole = mine.filter(({ names }) => names.exact.some((name) => told.names.includes(name)));
  const takers = whole.length > 0 ? whole : longestSeries(told, mine);
  if (takers.length > 0) for (const taker of takers) taker.told.push(told);
  else
    for (const claim of mine) {
      const code = claim.names.code ?? [];
      const has = told.names.some((name) => code.every((word) => name.split(" ").includes(word)));
      if (code.length > 0 && has) claim.told.push(told);
    }
}

function longestSeries(told: Told, claims: readonly Claim[]): readonly Claim[] {
  const lengthOf = ({ names }: Claim) =>
    Math.max(
      0,
      ...(names.series ?? [])
        .filter((series) =>
          told.names.some(
            (name) => name.startsWith(series) && /^[a-z]+$/.test(name.slice(series.length)),
          ),
        )
        .map((series) => series.length),
    );
  const longest = Math.max(0, ...claims.map(lengthOf));
  return longest === 0 ? [] : claims.filter((claim) => lengthOf(claim) === longest);
}

/**
 * Why a claim has to give way to another one on the same names. Of two ways to run one machine, with
 * no module for the machine itself, the one with a graphics processor of NVIDIA needs one to be there.
 */
function rivalOf(claim: Claim, claims: readonly Claim[]): string | undefined {
  const { module, names } = claim;
  const rivals = claims.filter(
    (other) =>
      other !== claim &&
      other.names.cpu === names.cpu &&
      other.told.some((told) => claim.told.includes(told)),
  );
  const isOtherMode = (other: Claim) =>
    parentOf(other.module) === parentOf(module) &&
    isWay(module) &&
    isWay(other.module) &&
    needsNvidia(module) !== needsNvidia(other.module);
  const [rival] = rivals.filter((other) => !isOtherMode(other));
  return rival === undefined ? undefined : `its names are those of ${rival.module.name} too`;
}

function needsNvidia(module: Module): boolean {
  return graphicsModes.includes(lastOf(module));
}

/** The profile of a claim, or why it has none. */
function profileOf(claim: Claim, mine: Mine): DeclaredProfile | string {
  const { module, names } = claim;
  const whole = claim.told.filter((told) => isWhole(told, names));
  const told = whole.length > 0 ? whole : claim.told;
  if (told.length === 0) return "no machine of the data set has this name";
  if (whole.length === 0 && new Set(told.map((each) => each.names.join("|"))).size > 1) {
    const several = [...new Set(told.map(({ string }) => string.text))].sort().join(", ");
    return `several models are meant by its name: ${several}`;
  }
  const machines = [...new Set(told.flatMap((each) => each.machines))];
  const families = new Set(
    machines.map((machine) => matchIdentity(machine, mine.handMade).profile ?? anyPc),
  );
  if (families.size > 1)
    return `its machines have several profiles made by hand: ${[...families].sort().join(", ")}`;
  const [known = anyPc] = families;
  const parent = known === anyPc ? genericOf(machines, mine.handMade) : known;
  const family = mine.handMade.profiles.find(({ id }) => id === parent);
  if (family?.nixos.imports.includes(module.path)) return `${parent} is made by hand`;
  const fields = [...new Set(told.map(({ string }) => string.field))].sort().join(", ");
  const isNvidias = isWay(module) && needsNvidia(module);
  const clauses = clausesOf(told, names);
  const count = machines.length === 1 ? "one machine" : `${machines.length} machines`;
  return {
    id: idOf(module),
    title: module.title ?? module.name,
    vendor: told[0]?.string.vendor ?? "",
    extends: parent,
    module: module.path,
    match: { any: (isNvidias ? clauses.map(besideNvidia) : clauses) as [Clause, ...Clause[]] },
    needs: [...mine.needs(module.path)],
    evidence: `${fields} of ${count}, ${mine.source}${names.cpu === undefined ? "" : cpuToo}${isNvidias ? nvidiaToo : ""}`,
  };
}

/**
 * The profile that most machines would get by their chassis alone, so that a model is never given less
 * than a machine that nobody knows. What tells no chassis has no say.
 */
function genericOf(machines: readonly Identity[], handMade: CompiledProfiles): string {
  const given = machines.map((machine) => matchPc(machine, handMade)).filter((id) => id !== null);
  const isMost = (id: string) => given.filter((each) => each === id).length * 2 > given.length;
  return given.find(isMost) ?? anyPc;
}

function isWhole({ names: told }: Told, { exact, series = [] }: Names): boolean {
  return told.some((name) => exact.includes(name) || series.some((each) => name.startsWith(each)));
}

/** One clause for each pair of fields, and one more where the name leaves the processor open. */
function clausesOf(told: readonly Told[], names: Names): readonly Clause[] {
  const groups = new Map<string, { readonly first: Told; readonly strings: NameString[] }>();
  const isOpen = ({ names: read }: Told) =>
    names.cpu !== undefined && !read.some((name) => / (?:amd|intel)$/.test(name));
  for (const each of told) {
    const key = `${each.string.vendorField} ${each.string.field} ${isOpen(each)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { first: each, strings: [each.string] });
    else group.strings.push(each.string);
  }
  return [...groups.keys()].sort().map((key) => {
    const { first, strings } = groups.get(key) ?? { first: told[0] as Told, strings: [] };
    const { vendorField, field } = first.string;
    const dmi = {
      [vendorField]: anyOf(strings.map(({ vendor }) => vendor)),
      [field]: anyOf(strings.map(({ text }) => text)),
    };
    const cpu = isOpen(first) && names.cpu !== undefined ? { cpu: { vendor: names.cpu } } : {};
    return { all: { dmi, ...cpu } };
  });
}

type TextRule = NonNullable<Clause["all"]["dmi"]>["productName"];

function anyOf(texts: readonly string[]): NonNullable<TextRule> {
  const [first = "", ...others] = [...new Set(texts)].sort();
  return others.length === 0 ? first : { oneOf: [first, ...others] };
}

/** Why another way to run a machine has no profile of its own. */
function whyNoWay(
  module: Module,
  ways: readonly Module[],
  base: DeclaredProfile | undefined,
): string | undefined {
  if (base === undefined) return `${parentOf(module)} has no rule`;
  if (!needsNvidia(module))
    return `a choice of a person: leaves the devices unused that ${parentOf(module)} uses`;
  const siblings = ways.filter((each) => parentOf(each) === parentOf(module) && needsNvidia(each));
  return siblings.length > 1
    ? "a choice of a person: which graphics processor the firmware is set to"
    : undefined;
}

function withNvidia(module: Module, base: DeclaredProfile, mine: Mine): DeclaredProfile {
  return {
    ...base,
    id: idOf(module),
    title: module.title ?? module.name,
    module: module.path,
    match: { any: base.match.any.map(besideNvidia) as [Clause, ...Clause[]] },
    needs: [...mine.needs(module.path)],
    evidence: base.evidence + nvidiaToo,
  };
}

const cpuToo = " (of some names the processor decides, which the data set does not tell)";
const nvidiaToo = "; with a device of NVIDIA";

function besideNvidia(clause: Clause): Clause {
  return { ...clause, all: { ...clause.all, pci: [nvidiaDevice] } };
}

function idOf({ name }: Module): string {
  return `nixos-hardware/${name.toLowerCase().replaceAll("_", "-")}`;
}
