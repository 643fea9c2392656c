import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { type DeclaredFile, type DeclaredProfile, readDeclared, takeOver } from "./declared.ts";
import type { CompiledProfile, CompiledProfiles, ProfileRules, ProfileSet } from "./profile.ts";
import { type ProfileSource, resolveProfile } from "./resolve.ts";

/**
 * Profiles as they lie beside the program: the rules of all in one file, a line each, and each
 * profile made by hand as it was written, to be resolved when it is asked for. So a boot, which has
 * little memory, never holds more than the few that it uses.
 */
const directory = "/hardware-profiles";
const rulesFile = `${directory}/rules.jsonl`;
const version = 1;
const lineFeed = 10;
const idForm = /^[a-z0-9-]+\/[a-z0-9-]+$/;

/** A profile made by hand, with what it takes over by name. */
interface StoredProfile extends ProfileSource {
  readonly lineage: readonly string[];
}

/** Profiles to be stored. */
export interface ToStore {
  readonly compiled: CompiledProfiles;
  readonly sources: readonly ProfileSource[];
  readonly declared: DeclaredFile;
}

/** The files that hold profiles, by path below the directory of the program. */
export function storeProfiles({
  compiled,
  sources,
  declared,
}: ToStore): ReadonlyMap<string, string> {
  const json = (value: unknown) => `${JSON.stringify(value)}\n`;
  const rules = compiled.profiles.map(({ id, kind, lineage, match, witness, needs }) =>
    json({ id, kind, lineage, match, witness, needs }),
  );
  const files = new Map([[rulesFile, json({ v: version }) + rules.join("")]]);
  for (const { file, module } of sources) {
    const { tests: _, ...kept } = file;
    const lineage = compiled.find(file.id)?.lineage ?? [];
    const stored: StoredProfile = { lineage, file: kept, module };
    files.set(fileOf(file.id), json(stored));
  }
  files.set(`${directory}/nixos-hardware.json`, json({ ...declared, left: [], modules: [] }));
  return files;
}

function fileOf(id: string): string {
  return `${directory}/${id}.json`;
}

/** Every profile that is stored, with those made by hand as they were written. */
export interface StoredProfiles extends ProfileSet {
  /** `undefined` for a declared one. */
  source(id: string): ProfileSource | undefined;
}

/** Opens stored profiles; `undefined` where there are none. Throws `profile/invalid`, later as well. */
export function openStoredProfiles(files: Files): StoredProfiles | undefined {
  const bytes = files.read(rulesFile);
  if (bytes === undefined) return undefined;
  const rules = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const first = rules.indexOf(lineFeed);
  const head = parse(rulesFile, rules.toString("utf8", 0, first)) as { readonly v?: unknown };
  if (head.v !== version)
    throw new Fault("profile/invalid", `${rulesFile}: expected version ${version} of its format`);
  const read = (id: string): StoredProfile | undefined => {
    const text = idForm.test(id) ? files.readText(fileOf(id)) : undefined;
    return text === undefined ? undefined : (parse(fileOf(id), text) as StoredProfile);
  };
  const known = (id: string): StoredProfile => {
    const profile = read(id);
    if (profile !== undefined) return profile;
    throw new Fault(
      "profile/invalid",
      `${fileOf(id)}: is missing; the program was not installed whole`,
    );
  };
  const madeByHand = ({ lineage }: StoredProfile) => resolveProfile(lineage.map(known)).profile;
  let declared: readonly DeclaredProfile[] | undefined;
  const findDeclared = (id: string): CompiledProfile | undefined => {
    declared ??= readDeclared(files, directory)?.profiles ?? [];
    const profile = declared.find((each) => each.id === id);
    return profile && takeOver(profile, madeByHand(known(profile.extends)));
  };
  return {
    rules: { [Symbol.iterator]: () => lines(rules, first + 1) },
    source: read,
    find(id) {
      const stored = read(id);
      return stored === undefined ? findDeclared(id) : madeByHand(stored);
    },
  };
}

function* lines(rules: Buffer, from: number): Generator<ProfileRules> {
  for (let at = from; at < rules.length; ) {
    const end = rules.indexOf(lineFeed, at);
    yield parse(rulesFile, rules.toString("utf8", at, end < 0 ? undefined : end)) as ProfileRules;
    at = end < 0 ? rules.length : end + 1;
  }
}

function parse(file: string, text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // said below
  }
  throw new Fault("profile/invalid", `${file}: expected JSON, got something else`, {
    hint: "install the program anew",
  });
}
