import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import {
  type DeclaredFile,
  declaredFile,
  type ImportableModules,
  readDeclared,
  takeOver,
} from "./declared.ts";
import type {
  CompiledProfile,
  CompiledProfiles,
  ProfileRules,
  ShippedProfiles,
} from "./profile.ts";
import { type ProfileSource, resolveProfile } from "./resolve.ts";

const rulesFile = "rules.jsonl";
const modulesFile = "nixos-hardware-modules.json";
const version = 1;
const lineFeed = 10;
const idForm = /^[a-z0-9-]+\/[a-z0-9-]+$/;

/** First line of the rules. */
interface Head {
  readonly v?: unknown;
  readonly digest?: unknown;
  readonly minedRevision?: unknown;
}

/** A profile made by hand, with what it takes over by name. */
interface StoredProfile extends ProfileSource {
  readonly lineage: readonly string[];
}

/** Profiles to be stored. */
export interface ToStore {
  readonly compiled: CompiledProfiles;
  readonly sources: readonly ProfileSource[];
  readonly declared: DeclaredFile;
  /** Of what they were compiled of. */
  readonly digest: string;
}

/**
 * The files that hold profiles, by path below their directory: the rules of all in one, a line
 * each, and each profile made by hand as it was written, to be resolved when it is asked for. So a
 * boot, which has little memory, never holds more than the few that it uses.
 */
export function storeProfiles({
  compiled,
  sources,
  declared,
  digest,
}: ToStore): ReadonlyMap<string, string> {
  const json = (value: unknown) => `${JSON.stringify(value)}\n`;
  const rules = compiled.profiles.map(
    ({ id, kind, lineage, match, witness, architecture, needs }) =>
      json({ id, kind, lineage, match, witness, architecture, needs }),
  );
  const { revision, modules } = declared;
  const head: Head = { v: version, digest, minedRevision: revision };
  const files = new Map([[rulesFile, json(head) + rules.join("")]]);
  for (const { file, module } of sources) {
    const { tests: _, ...kept } = file;
    const lineage = compiled.find(file.id)?.lineage ?? [];
    const stored: StoredProfile = { lineage, file: kept, module };
    files.set(`${file.id}.json`, json(stored));
  }
  files.set(declaredFile, json({ ...declared, left: [], modules: [] }));
  files.set(modulesFile, json({ revision, modules } satisfies ImportableModules));
  return files;
}

/** Every profile that is stored, and what it was compiled of. */
export interface StoredProfiles extends ShippedProfiles {
  /** Of what they were compiled of. */
  readonly digest: string;
}

/** Opens the profiles stored in `directory`; `undefined` where there are none. Throws `profile/invalid`, later as well. */
export function openStoredProfiles(files: Files, directory: string): StoredProfiles | undefined {
  const rulesPath = `${directory}/${rulesFile}`;
  const bytes = files.read(rulesPath);
  if (bytes === undefined) return undefined;
  const rules = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const first = rules.indexOf(lineFeed);
  const head: Head = parse(rulesPath, rules.toString("utf8", 0, first));
  if (head.v !== version)
    throw new Fault("profile/invalid", `${rulesPath}: expected version ${version} of its format`);
  const readJson = (name: string): object | undefined => {
    const path = `${directory}/${name}`;
    const text = files.readText(path);
    return text === undefined ? undefined : parse(path, text);
  };
  const needJson = (name: string): object => {
    const value = readJson(name);
    if (value !== undefined) return value;
    throw new Fault(
      "profile/invalid",
      `${directory}/${name}: is missing; the program was not installed whole`,
    );
  };
  const readBefore = new Map<string, StoredProfile>();
  const read = (id: string): StoredProfile | undefined => {
    const stored = readBefore.get(id);
    if (stored !== undefined || !idForm.test(id)) return stored;
    const found = readJson(`${id}.json`) as StoredProfile | undefined;
    if (found !== undefined) readBefore.set(id, found);
    return found;
  };
  const known = (id: string) => read(id) ?? (needJson(`${id}.json`) as StoredProfile);
  const madeByHand = ({ lineage }: StoredProfile) => resolveProfile(lineage.map(known)).profile;
  let file: DeclaredFile | undefined;
  const declared = (): DeclaredFile | undefined => {
    file ??= readDeclared(files, directory);
    return file;
  };
  const findDeclared = (id: string): CompiledProfile | undefined => {
    const from = declared();
    const profile = from?.profiles.find((each) => each.id === id);
    return from && profile && takeOver(profile, madeByHand(known(profile.extends)), from);
  };
  const allRules = { [Symbol.iterator]: () => lines(rules, first + 1, rulesPath) };
  return {
    digest: String(head.digest),
    ...(typeof head.minedRevision === "string" ? { minedRevision: head.minedRevision } : {}),
    rules: allRules,
    sources: () => [...allRules].map(({ id }) => read(id)).filter((each) => each !== undefined),
    declared,
    importable: () => needJson(modulesFile) as ImportableModules,
    find(id) {
      const stored = read(id);
      return stored === undefined ? findDeclared(id) : madeByHand(stored);
    },
  };
}

function* lines(rules: Buffer, from: number, file: string): Generator<ProfileRules> {
  for (let at = from; at < rules.length; ) {
    const end = rules.indexOf(lineFeed, at);
    yield parse(file, rules.toString("utf8", at, end < 0 ? undefined : end)) as ProfileRules;
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
