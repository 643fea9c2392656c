import { describeFault, isFault } from "#core/fault.ts";
import type { UnfreePackage } from "#provisioner/render/manifest.ts";
import { type ClosureDifference, compareClosures, type StoreObject } from "./closure-difference.ts";
import {
  changedOptions,
  noOptions,
  type OptionChange,
  readOptions,
  type SetOptions,
} from "./plan-options.ts";
import { type PlanWarning, planWarnings } from "./plan-warnings.ts";
import { viewSystem } from "./system-view.ts";
import type { Work } from "./work.ts";

/** A system and what it was made from. */
export interface ComparedSystem {
  /** `null` where there is none yet. */
  readonly toplevel: string | null;
  readonly sourcesDigest: string | null;
}

/** What two systems differ in beside their files and units. */
export interface Comparison {
  readonly options: readonly OptionChange[] | null;
  /** Of the new system; `null` where its sources do not say it. */
  readonly unfree: readonly UnfreePackage[] | null;
  readonly difference: ClosureDifference | null;
  readonly warnings: readonly PlanWarning[];
}

/** Compares what runs with what would, by sources, files and closures; changes nothing. */
export async function compareSystems(
  work: Work,
  old: ComparedSystem,
  now: ComparedSystem & { readonly toplevel: string },
): Promise<Comparison> {
  const options = [optionsOf(work, old), optionsOf(work, now)] as const;
  const closures = await readClosures(work, old, now);
  const [before, after] = closures.objects ?? [[], []];
  const side = (toplevel: string, index: 0 | 1, objects: readonly StoreObject[]) => ({
    view: viewSystem(work.storeFiles, toplevel),
    options: options[index],
    objects,
  });
  const warnings =
    old.toplevel === null
      ? []
      : planWarnings(side(old.toplevel, 0, before), side(now.toplevel, 1, after));
  return {
    options: compareOptions(...options),
    unfree: options[1]?.unfree ?? null,
    difference: closures.objects === undefined ? null : compareClosures(before, after),
    warnings: [...closures.warnings, ...warnings],
  };
}

/** The options that differ; `null` where one side does not say its own. */
export function compareOptions(
  old: SetOptions | undefined,
  now: SetOptions | undefined,
): readonly OptionChange[] | null {
  return old === undefined || now === undefined ? null : changedOptions(old, now);
}

/** What a system's sources set; of a machine without a system nothing, of a foreign one it is unknown. */
export function optionsOf(
  { io, paths }: Work,
  { toplevel, sourcesDigest }: ComparedSystem,
): SetOptions | undefined {
  if (sourcesDigest === null) return toplevel === null ? noOptions : undefined;
  const maxBytes = 64 * 1024 * 1024;
  return readOptions((file) =>
    io.files.readText(`${paths.sources}/${sourcesDigest}/${file}`, { maxBytes }),
  );
}

interface Closures {
  readonly objects: readonly [readonly StoreObject[], readonly StoreObject[]] | undefined;
  readonly warnings: readonly PlanWarning[];
}

/** A store that does not answer is told of; what was built can be tried all the same. */
async function readClosures(
  { commands }: Work,
  old: ComparedSystem,
  now: ComparedSystem & { readonly toplevel: string },
): Promise<Closures> {
  const systems = [...(old.toplevel === null ? [] : [old.toplevel]), now.toplevel];
  try {
    const found = await commands.storeObjects(systems);
    if (found === null) return { objects: undefined, warnings: [] };
    const after = found.at(-1) ?? [];
    const before = old.toplevel === null ? [] : (found[0] ?? []);
    return { objects: [before, after], warnings: [] };
  } catch (error) {
    if (!isFault(error) || isFault(error, "system/canceled")) throw error;
    const message = `the packages could not be compared: ${describeFault(error).message}`;
    return { objects: undefined, warnings: [{ kind: "closure", message }] };
  }
}
