import { canonicalJson, type Json } from "#core/canonical-json.ts";
import type { Finding } from "#core/finding.ts";
import type { Files } from "#core/io.ts";
import type { ProfileFile } from "#generated/provisioner/profiles/profile.ts";
import { readDeclared, withDeclared } from "./declared.ts";
import { joinValues } from "./join-values.ts";
import { lineageOf } from "./lineage.ts";
import type { CompiledProfile, CompiledProfiles } from "./profile.ts";
import { kindOf, type ProfileFolder, readProfileFolders } from "./profile-folder.ts";

/** Profiles as compiled, and what is the matter with their files. */
export interface Compilation {
  readonly compiled: CompiledProfiles;
  /** Those of them that are made by hand. */
  readonly handMade: CompiledProfiles;
  readonly findings: readonly Finding[];
  /** The folders they come from, for the lint. */
  readonly folders: readonly ProfileFolder[];
}

/** The profiles below `directory`, made by hand and declared. */
export function compileProfiles(files: Files, directory: string): Compilation {
  const compilation = compileHandMade(files, directory);
  const compiled = withDeclared(compilation.handMade, readDeclared(files, directory));
  return { ...compilation, compiled };
}

/**
 * Reads every `profile.yaml` with its `module.nix` below `directory` and resolves what profiles
 * take over from others. A profile with an error is left out, and named in the findings.
 */
export function compileHandMade(files: Files, directory: string): Compilation {
  const { folders, findings } = readProfileFolders(files, directory);
  const compilation = compileFolders(folders);
  return { ...compilation, findings: [...findings, ...compilation.findings] };
}

/** The same of profiles that have been read. */
export function compileFolders(folders: readonly ProfileFolder[]): Compilation {
  const byId = new Map(folders.map((folder) => [folder.file.id, folder]));
  const heirs = new Map(
    folders.map(({ file }) => [file.id, { id: file.id, extends: file.extends ?? [] }]),
  );
  const profiles: CompiledProfile[] = [];
  const found: Finding[] = [];
  for (const folder of folders) {
    const order = lineageOf(folder.file.id, heirs);
    const lineage = order?.map((id) => byId.get(id)).filter((each) => each !== undefined);
    if (order === undefined || lineage === undefined) {
      const message = "names a profile that does not exist, goes in a circle, or has no order";
      const hint = "profiles lie beside one another, each as VENDOR/MODEL/profile.yaml";
      const remark = { level: "error", code: "profile/invalid", message, hint } as const;
      found.push(folder.find(["extends"], remark));
      continue;
    }
    const conflicts: Finding[] = [];
    profiles.push(resolve(folder, lineage, conflicts));
    found.push(...conflicts);
  }
  profiles.sort((a, b) => (a.id < b.id ? -1 : 1));
  const compiled: CompiledProfiles = { v: 1, profiles };
  return { compiled, handMade: compiled, findings: found, folders };
}

function resolve(
  folder: ProfileFolder,
  lineage: readonly ProfileFolder[],
  conflicts: Finding[],
): CompiledProfile {
  const { file } = folder;
  const files = lineage.map((each) => each.file);
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
  return {
    id: file.id,
    title: file.title,
    vendor: file.vendor,
    kind: kindOf(file),
    status: file.status,
    lineage: files.map((each) => each.id),
    match: file.match ?? { any: [] },
    witness: file.witness ?? null,
    nixos: {
      imports: lists((each) => each.nixos?.imports),
      options: overlay(
        folder,
        lineage,
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
        folder,
        lineage,
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
  folder: ProfileFolder,
  lineage: readonly ProfileFolder[],
  { place, pick, join }: Overlay<T>,
  conflicts: Finding[],
): Readonly<Record<string, T>> {
  const values = new Map<string, { readonly value: T; readonly by: ProfileFile }>();
  for (const { file } of lineage) {
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
        !extendsIt(nearer.by, file.id, lineage)
      ) {
        const message = `${nearer.by.id} and ${file.id} give ${name} different values`;
        const hint = `set ${name} in ${folder.file.id} itself`;
        conflicts.push(folder.find(place, { level: "error", code: "profile/lint", message, hint }));
      }
    }
  }
  return Object.fromEntries([...values].map(([name, { value }]) => [name, value]));
}

function extendsIt(file: ProfileFile, id: string, lineage: readonly ProfileFolder[]): boolean {
  return (file.extends ?? []).some((parent) => {
    const next = lineage.find((each) => each.file.id === parent);
    return parent === id || (next !== undefined && extendsIt(next.file, id, lineage));
  });
}
