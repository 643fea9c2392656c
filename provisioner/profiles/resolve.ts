import { canonicalJson, type Json } from "#core/canonical-json.ts";
import type { ProfileFile } from "#generated/provisioner/profiles/profile.ts";
import { joinValues } from "./join-values.ts";
import { type CompiledProfile, kindOf } from "./profile.ts";

/** A profile as it was written. */
export interface ProfileSource {
  readonly file: ProfileFile;
  /** Text of its `module.nix`, or `null` without one. */
  readonly module: string | null;
}

/** A profile, and where those that it takes over contradict each other. */
export interface Resolution {
  readonly profile: CompiledProfile;
  readonly conflicts: readonly ValueConflict[];
}

/** A value that two unrelated profiles give differently. */
export interface ValueConflict {
  /** The part of the file that it is in. */
  readonly place: readonly string[];
  readonly name: string;
  readonly by: readonly [string, string];
}

/**
 * A profile with what it takes over. `lineage`: itself, then the profiles that it extends, nearest
 * first; never empty.
 */
export function resolveProfile(lineage: readonly ProfileSource[]): Resolution {
  const files = lineage.map((each) => each.file);
  const [file] = files;
  if (file === undefined) throw new Error("expected a lineage that begins with the profile itself");
  const conflicts: ValueConflict[] = [];
  const lists = (pick: (each: ProfileFile) => readonly string[] | undefined) => [
    ...new Set(files.toReversed().flatMap((each) => pick(each) ?? [])),
  ];
  const first = <T>(pick: (each: ProfileFile) => T | undefined): T | null => {
    for (const each of files) {
      const value = pick(each);
      if (value !== undefined) return value;
    }
    return null;
  };
  const platform = first((each) => each.nixos?.platform);
  const options = (each: ProfileFile) => ({
    ...(each.power === undefined ? {} : powerOptions(each.power)),
    ...(each.nixos?.options as Readonly<Record<string, Json>> | undefined),
  });
  const architecture = first(architectureOf);
  const profile: CompiledProfile = {
    id: file.id,
    title: file.title,
    vendor: file.vendor,
    kind: kindOf(file),
    status: file.status,
    lineage: files.map((each) => each.id),
    match: file.match ?? { any: [] },
    witness: file.witness ?? null,
    ...(architecture === null ? {} : { architecture }),
    nixos: {
      imports: lists((each) => each.nixos?.imports),
      options: overlay(
        files,
        { place: ["nixos", "options"], pick: options, join: joinValues },
        conflicts,
      ),
      platform:
        platform === null
          ? null
          : {
              modules: platform.modules ?? [],
              options: (platform.options ?? {}) as Readonly<Record<string, Json>>,
            },
      modules: lineage
        .toReversed()
        .flatMap((each) => (each.module === null ? [] : [{ id: each.file.id, text: each.module }])),
    },
    kernel: {
      min: first((each) => each.kernel?.min),
      params: overlay(
        files,
        { place: ["kernel", "params"], pick: (each) => each.kernel?.params, join: () => undefined },
        conflicts,
      ),
      modules: lists((each) => each.kernel?.modules),
      blacklist: lists((each) => each.kernel?.blacklist),
    },
    initrd: {
      availableModules: lists((each) => each.initrd?.availableModules),
      modules: lists((each) => each.initrd?.modules),
    },
    network: Object.assign({}, ...files.toReversed().map((each) => each.network ?? {})),
    install: Object.assign({}, ...files.toReversed().map((each) => each.install ?? {})),
    power: first((each) => each.power),
    quirks: lineage.toReversed().flatMap((each) => each.file.quirks ?? []),
  };
  return { profile, conflicts };
}

/** What a profile asks of the processor in each of its clauses. */
function architectureOf({ match }: ProfileFile): string | undefined {
  const [asked, ...others] = new Set(match?.any.map(({ all }) => all.cpu?.architecture));
  return others.length === 0 ? asked : undefined;
}

/** One daemon on and the other one off, said of both: a module that only asks for one is answered. */
function powerOptions(power: NonNullable<ProfileFile["power"]>): Readonly<Record<string, Json>> {
  return {
    "services.power-profiles-daemon.enable": power === "power-profiles-daemon",
    "services.tlp.enable": power === "tlp",
  };
}

interface Overlay<T> {
  /** Where the values stand in the file, for findings. */
  readonly place: readonly string[];
  readonly pick: (file: ProfileFile) => Readonly<Record<string, T>> | undefined;
  /** Both values as one, where they can be; `undefined` where the nearer one replaces the other. */
  readonly join: (nearer: T, farther: T) => T | undefined;
}

/** Values by name, those of nearer profiles over those of farther ones; two unrelated ones must agree. */
function overlay<T>(
  files: readonly ProfileFile[],
  { place, pick, join }: Overlay<T>,
  conflicts: ValueConflict[],
): Readonly<Record<string, T>> {
  const values = new Map<string, { readonly value: T; readonly by: ProfileFile }>();
  for (const file of files) {
    for (const [name, value] of Object.entries(pick(file) ?? {})) {
      const nearer = values.get(name);
      if (nearer === undefined) {
        values.set(name, { value, by: file });
        continue;
      }
      const joined = join(nearer.value, value);
      if (joined !== undefined) {
        values.set(name, { value: joined, by: nearer.by });
      } else if (
        canonicalJson(nearer.value) !== canonicalJson(value) &&
        !extendsIt(nearer.by, file.id, files)
      ) {
        conflicts.push({ place, name, by: [nearer.by.id, file.id] });
      }
    }
  }
  return Object.fromEntries([...values].map(([name, { value }]) => [name, value]));
}

function extendsIt(file: ProfileFile, id: string, files: readonly ProfileFile[]): boolean {
  return (file.extends ?? []).some((parent) => {
    const next = files.find((each) => each.id === parent);
    return parent === id || (next !== undefined && extendsIt(next, id, files));
  });
}
