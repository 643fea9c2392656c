import { canonicalJson } from "#core/canonical-json.ts";
import { printable } from "#core/printable.ts";
import type { RootMetadata } from "#generated/protocol/trust/root.ts";
import type { Target, TargetsMetadata } from "#generated/protocol/trust/targets.ts";
import { timeOf } from "#protocol/trust/metadata.ts";
import { makeRoot, makeTargets, type RoleKeys } from "#protocol/trust/sign/make-metadata.ts";
import { newest, type Repository, type StagedRole } from "./repository.ts";
import { delegationsOf, rolesOf } from "./roles.ts";
import { imageOf } from "./stage.ts";

/**
 * What would change if what waits were signed, line by line, for the person who signs: made from the
 * content itself, never from what somebody said of it, and of what cannot be shown it is said that it is
 * there.
 */
export function describeStaged(repository: Repository, role: StagedRole): readonly string[] {
  const lines = role === "root" ? describeRoot(repository) : describeTargets(repository);
  const all = [...lines, ...hidden(repository, role)];
  return all.length === 0 ? ["the same as before, for longer"] : all.map(oneLine);
}

/** Words of others as one line that is no command to a terminal. */
export function oneLine(text: string): string {
  return printable(text).replaceAll(/[\n\t]+/g, " ");
}

/** A signature covers members that nobody here knows, too. */
function hidden({ staged }: Repository, role: StagedRole): readonly string[] {
  const metadata = staged[role];
  if (metadata === undefined) return [];
  const shown = role === "root" ? remadeRoot(staged.root) : remadeTargets(staged.targets);
  if (canonicalJson(shown) === canonicalJson(metadata.signed)) return [];
  return [`CAUTION it holds more than is shown here: look at staged/${role}.json`];
}

function remadeRoot(root: RootMetadata | undefined) {
  if (root === undefined) return undefined;
  const { version, expires, issued } = root.signed;
  const issuedMs = timeOf(issued ?? expires, "issued");
  const standing = { version, expiresMs: timeOf(expires, "expires") };
  return makeRoot(standing, { roles: rolesOf(root), issuedMs });
}

function remadeTargets(image: TargetsMetadata | undefined) {
  if (image === undefined) return undefined;
  const { version, expires, targets } = image.signed;
  const shown = Object.entries(targets).map(([path, { length, hashes, custom }]) => {
    const { number, minimumAgent, hardware, platforms, toplevel } = custom ?? {};
    const said = { number, minimumAgent, hardware, platforms, toplevel };
    return [path, { length, hashes: { sha256: hashes.sha256 }, ...(custom && { custom: said }) }];
  });
  const standing = { version, expiresMs: timeOf(expires, "expires") };
  return makeTargets(standing, { ...imageOf(image), targets: Object.fromEntries(shown) });
}

function describeRoot({ roots, staged, keys }: Repository): readonly string[] {
  const { root } = staged;
  if (root === undefined) return [];
  const last = newest(roots);
  const before = last === undefined ? undefined : rolesOf(last);
  const nameOf = namer(keys);
  return Object.entries(rolesOf(root)).flatMap(([role, now]) =>
    describeKeys(role, { before: before?.[role as keyof typeof before], now, nameOf }),
  );
}

function describeTargets({ targets, staged, keys }: Repository): readonly string[] {
  const image = staged.targets;
  if (image === undefined) return [];
  const last = newest(targets);
  const nameOf = namer(keys);
  const before = last === undefined ? [] : delegationsOf(last);
  const now = delegationsOf(image);
  const delegations = now.flatMap(({ name, paths, ...role }) => {
    const known = before.find((each) => each.name === name);
    const isOther = canonicalJson(known?.paths) !== canonicalJson(paths);
    return [
      ...describeKeys(name, { before: known, now: role, nameOf }),
      ...(isOther ? [`${name}: may name ${paths.join(", ")}`] : []),
    ];
  });
  const gone = before.filter(({ name }) => !now.some((each) => each.name === name));
  const { revoked = [], minimumRelease = 0 } = image.signed;
  const { revoked: revokedBefore = [], minimumRelease: minimumBefore = 0 } = last?.signed ?? {};
  return [
    ...delegations,
    ...gone.map(({ name }) => `${name}: has no say any more`),
    ...describeEach(last?.signed.targets ?? {}, image.signed.targets),
    ...revoked.filter((path) => !revokedBefore.includes(path)).map((path) => `${path}: revoked`),
    ...revokedBefore
      .filter((path) => !revoked.includes(path))
      .map((path) => `${path}: allowed again`),
    ...(minimumRelease === minimumBefore
      ? []
      : [`releases: from number ${minimumRelease} on (before: ${minimumBefore})`]),
  ];
}

function describeEach(
  before: Readonly<Record<string, Target>>,
  now: Readonly<Record<string, Target>>,
): readonly string[] {
  const added = Object.entries(now).flatMap(([path, target]) => {
    const known = Object.hasOwn(before, path) ? before[path] : undefined;
    if (canonicalJson(known) === canonicalJson(target)) return [];
    return [`${path}: ${known === undefined ? "new" : "changed"}: ${describeTarget(target)}`];
  });
  const removed = Object.keys(before).filter((path) => !Object.hasOwn(now, path));
  return [...added, ...removed.map((path) => `${path}: taken out`)];
}

/** A target as one line: its number, for which machines, and its bytes. */
export function describeTarget({ custom = {}, length, hashes }: Target): string {
  const { number, minimumAgent, hardware, platforms, toplevel } = custom;
  return [
    ...(number === undefined ? [] : [`number ${number}`]),
    ...(toplevel === undefined ? [] : [toplevel]),
    ...(minimumAgent === undefined ? [] : [`firstlight ${minimumAgent} or newer`]),
    ...(hardware === undefined ? [] : [`only ${hardware.join(", ")}`]),
    ...(platforms === undefined ? [] : [`on ${platforms.join(", ")}`]),
    `${length} bytes`,
    `sha256 ${hashes.sha256}`,
  ].join("; ");
}

interface KeysInput {
  readonly before: RoleKeys | undefined;
  readonly now: RoleKeys;
  readonly nameOf: (keyid: string) => string;
}

function describeKeys(role: string, { before, now, nameOf }: KeysInput): readonly string[] {
  const known = before?.keys ?? [];
  const isIn = (list: RoleKeys["keys"], keyid: string) => list.some((each) => each.keyid === keyid);
  const added = now.keys.filter(({ keyid }) => !isIn(known, keyid));
  const removed = known.filter(({ keyid }) => !isIn(now.keys, keyid));
  const isSame = before?.threshold === now.threshold && added.length + removed.length === 0;
  return [
    ...added.map(({ keyid }) => `${role}: key added: ${nameOf(keyid)}`),
    ...removed.map(({ keyid }) => `${role}: key taken out: ${nameOf(keyid)}`),
    ...(isSame ? [] : [`${role}: ${now.threshold} of ${now.keys.length} keys must sign`]),
  ];
}

/** Names of keys by their ids; a key that the repository does not know is called by its id alone. */
export function namer(keys: Repository["keys"]): (keyid: string) => string {
  const names = new Map([...keys.values()].map(({ keyid, name }) => [keyid, name]));
  return (keyid) => {
    const name = names.get(keyid);
    return name === undefined ? keyid.slice(0, 16) : `${name} (${keyid.slice(0, 16)})`;
  };
}
