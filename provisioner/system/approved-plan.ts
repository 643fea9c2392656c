import { canonicalJson, prettyJson } from "#core/canonical-json.ts";
import type { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { SystemPaths } from "./paths.ts";
import { makePlan } from "./plan.ts";
import { planStale } from "./plan-stale.ts";
import type { Plan } from "./system.ts";
import type { Work } from "./work.ts";

/** So many plans are kept, the newest. */
const maxKept = 20;
/** So many differences of a kind are named, and so many characters of each. */
const maxNamed = 3;
const longestName = 100;
const maxBytes = 64 * 1024 * 1024;

/** Writes a plan down by its digest, so that a later one can be held against it. */
export function keepPlan({ io, paths }: Work, plan: Plan): void {
  io.files.write(`${paths.plans}/${plan.digest}.json`, prettyJson(plan), { mode: 0o600 });
  const kept = io.files
    .list(paths.plans)
    .filter((name) => /^[0-9a-f]{64}\.json$/.test(name))
    .map((name) => `${paths.plans}/${name}`)
    .sort((a, b) => madeMs(io.files, b) - madeMs(io.files, a) || (a < b ? -1 : 1));
  for (const file of kept.slice(maxKept)) io.files.remove(file);
}

/**
 * Throws `system/plan-stale` unless the plan is the approved one and would still be made now: the
 * same system runs, and the same units would be touched.
 */
export async function checkApproved(work: Work, plan: Plan, approved: string): Promise<void> {
  if (plan.digest !== approved) {
    const kept = readKept(work.io.files, work.paths, approved);
    throw stale(approved, kept === undefined ? undefined : planDifferences(kept, plan));
  }
  const now = await makePlan(work, plan.closure);
  if (now.digest !== approved) throw stale(approved, planDifferences(plan, now));
}

function stale(approved: string, differences: readonly string[] | undefined): Fault {
  const told =
    differences?.join("; ") ?? "and it was not kept here, so that what differs is not known";
  return planStale(approved, told);
}

/** What the second plan has otherwise than the first, one short sentence for each kind of thing. */
export function planDifferences(approved: Plan, now: Plan): readonly string[] {
  const isSameSystem = approved.closure.toplevel === now.closure.toplevel;
  const other = (what: string, before: string | null, after: string | null) =>
    before === after ? [] : [`${what} is ${after ?? "none"}, expected ${before ?? "none"}`];
  return [
    ...other("the running system", approved.from.toplevel, now.from.toplevel),
    ...other("the new system", approved.closure.toplevel, now.closure.toplevel),
    ...lists("file", approved.files, now.files, ({ path, change }) => `${change} ${path}`),
    ...lists("option", approved.options ?? [], now.options ?? [], ({ option }) => option),
    ...lists(
      "package",
      approved.difference?.packages ?? [],
      now.difference?.packages ?? [],
      ({ name }) => name,
    ),
    ...(["start", "stop", "restart", "reload"] as const).flatMap((verb) =>
      lists(`unit to ${verb}`, approved.units[verb], now.units[verb], (unit) => unit),
    ),
    ...lists("reason to reboot", approved.reboot.why, now.reboot.why, (why) => why),
    ...lists("warning", approved.warnings, now.warnings, ({ message }) => message),
    // Those of another system differ because it is another.
    ...(isSameSystem
      ? lists("command", commandsOf(approved), commandsOf(now), (each) => each)
      : []),
  ];
}

function lists<T>(
  what: string,
  before: readonly T[],
  after: readonly T[],
  name: (item: T) => string,
): readonly string[] {
  const known = new Set(before.map(canonicalJson));
  const found = new Set(after.map(canonicalJson));
  const fresh = after.filter((item) => !known.has(canonicalJson(item)));
  const gone = before.filter((item) => !found.has(canonicalJson(item)));
  const names = new Set(fresh.map(name));
  return [
    ...named(`another ${what}`, fresh.map(name)),
    ...named(
      `no ${what}`,
      gone.map(name).filter((each) => !names.has(each)),
    ),
  ];
}

/** The first of some names, and how many more there are. */
function named(what: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const first = names.slice(0, maxNamed).map((each) => shortened(each));
  const more = names.length > maxNamed ? ` and ${names.length - maxNamed} more` : "";
  return [`${what}: ${first.join(", ")}${more}`];
}

function shortened(name: string): string {
  return name.length <= longestName ? name : `${name.slice(0, longestName - 1).toWellFormed()}…`;
}

function commandsOf({ commands, closure }: Plan): readonly string[] {
  return commands.map((argv) => argv.join(" ").replaceAll(closure.transaction, "…"));
}

function readKept(files: Files, paths: SystemPaths, digest: string): Plan | undefined {
  if (!/^[0-9a-f]{64}$/.test(digest)) return undefined;
  const text = files.readText(`${paths.plans}/${digest}.json`, { maxBytes });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Plan;
  } catch {
    return undefined; // written over by hand: it says nothing
  }
}

function madeMs(files: Files, path: string): number {
  return files.stat(path)?.modifiedMs ?? 0;
}
