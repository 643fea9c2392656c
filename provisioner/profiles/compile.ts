import { type Finding, hasErrors } from "#core/finding.ts";
import type { Files } from "#core/io.ts";
import { nearest } from "#core/nearest.ts";
import { type DeclaredFile, readDeclared, sourceOfDeclared, withDeclared } from "./declared.ts";
import { lineageOf, type NoLineage, whyNoLineage } from "./lineage.ts";
import {
  type CompiledProfile,
  type CompiledProfiles,
  profileSet,
  type ShippedProfiles,
} from "./profile.ts";
import { folderOfSource, type ProfileFolder, readProfileFolders } from "./profile-folder.ts";
import { resolveProfile } from "./resolve.ts";

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
      const said = describeNoLineage(whyNoLineage(folder.file.id, heirs), [...heirs.keys()]);
      found.push(folder.find(["extends"], { level: "error", code: "profile/invalid", ...said }));
      continue;
    }
    const { profile, conflicts } = resolveProfile(lineage);
    profiles.push(profile);
    for (const { place, name, by } of conflicts) {
      const message = `${by.join(" and ")} give ${name} different values`;
      const hint = `set ${name} in ${folder.file.id} itself`;
      found.push(folder.find(place, { level: "error", code: "profile/lint", message, hint }));
    }
  }
  const compiled = profileSet(profiles);
  return { compiled, handMade: compiled, findings: found, folders };
}

function describeNoLineage(
  found: NoLineage | undefined,
  known: readonly string[],
): { readonly message: string; readonly hint: string } {
  switch (found?.why) {
    case "unknown": {
      const near = nearest(found.id, known);
      return {
        message: `${found.heir} extends ${found.id}, which does not exist or has an error itself`,
        hint:
          near === undefined
            ? "`firstlight profiles list` has those that ship; your own lie beside one another, each as VENDOR/MODEL/profile.yaml"
            : `did you mean ${near}?`,
      };
    }
    case "circle":
      return {
        message: `goes in a circle: ${found.ids.join(" extends ")}`,
        hint: "what several profiles share belongs into one that all of them extend",
      };
    default:
      return {
        message: `has no order: those that ${found?.id ?? "it"} extends disagree about which of two goes before the other`,
        hint: "let all of them name the two in the same order under `extends`",
      };
  }
}

/**
 * The profiles below `directory` with the shipped ones beside them; of two with the same id the one
 * below `directory` counts. They may extend any that ships, declared ones too. `folders` are those
 * below it.
 */
export function compileBeside(
  shipped: ShippedProfiles,
  files: Files,
  directory: string,
): Compilation {
  const { folders, findings } = readProfileFolders(files, directory);
  const own = new Set(folders.map(({ file }) => file.id));
  const kept = shipped.sources().filter(({ file }) => !own.has(file.id));
  const declared = shipped.declared();
  const named = new Set(folders.flatMap(({ file }) => file.extends ?? []));
  const extended = (declared?.profiles ?? []).filter(({ id }) => named.has(id) && !own.has(id));
  const sources = [...kept, ...extended.map(sourceOfDeclared)];
  const compilation = compileFolders([...sources.map(folderOfSource), ...folders]);
  const all = [...findings, ...compilation.findings];
  const handMade = without(compilation.handMade, new Set(extended.map(({ id }) => id)));
  const compiled = hasErrors(all) ? handMade : withDeclared(handMade, declared);
  return { ...compilation, compiled, handMade, folders, findings: all };
}

/** A set without some of it. */
function without(set: CompiledProfiles, ids: ReadonlySet<string>): CompiledProfiles {
  return ids.size === 0 ? set : profileSet(set.profiles.filter(({ id }) => !ids.has(id)));
}

/** What was compiled, for others to stand on. */
export function shippedProfiles(
  { compiled, folders }: Compilation,
  declared: DeclaredFile | undefined,
): ShippedProfiles {
  return {
    ...compiled,
    sources: () => folders,
    declared: () => declared,
    importable: () => declared,
  };
}
