import type { Log } from "#core/log.ts";
import type { Health } from "#generated/provisioner/spec/v1.ts";
import type { Baseline } from "./judge.ts";
import type { Restarted } from "./restarts.ts";

/** What a judge goes by: kept with the trial, so that another process can go on with it. */
export interface Judging {
  /** What the spec calls healthy; the defaults where it says nothing. */
  readonly health?: Health;
  readonly baseline: Baseline;
}

/**
 * Reads what an earlier process kept, which may have been another version of firstlight: a part that
 * is not as its schema wants it is left out and told (`system/judging-unread`), and the trial judged
 * without it, by the defaults.
 */
export async function readJudging(value: unknown, log: Log): Promise<Judging> {
  const { health, baseline } = asObject(value);
  const { failedUnits, restarted, kept } = asObject(baseline);
  const wrong: string[] = [];
  const asHealth = async (part: string, read: unknown): Promise<Health | undefined> => {
    const { health: fits, problems } = await readHealth(part, read);
    wrong.push(...problems);
    return fits;
  };
  const judged = await asHealth("health", health);
  const { checks } = (await asHealth("baseline", kept && { checks: kept })) ?? {};
  const units = readNames(failedUnits);
  if (units === undefined) wrong.push("failedUnits: must be a list of names");
  const services = readRestartedUnits(restarted);
  if (services === undefined) wrong.push("restarted: must be a list of units and their restarts");
  if (wrong.length > 0) {
    const message = `judged without what is not as expected: ${wrong.join("; ").slice(0, 1000)}`;
    log.warning("system.judging", { code: "system/judging-unread", message });
  }
  return {
    ...(judged === undefined ? {} : { health: judged }),
    baseline: {
      failedUnits: units ?? null,
      restarted: services ?? null,
      kept: checks ?? [],
    },
  };
}

/** What fits of checks of health that come without a spec, and what does not. */
export async function readHealth(
  document: string,
  value: unknown,
): Promise<{ readonly health: Health | undefined; readonly problems: readonly string[] }> {
  if (value === undefined || value === null) return { health: undefined, problems: [] };
  const { checkSpec } = await import("#provisioner/spec/validate.ts");
  const { spec, findings } = checkSpec(
    { version: 1, health: structuredClone(value) },
    { document, findOrigin: () => undefined, secretNames: new Set() },
  );
  const problems = findings.map(({ path, message }) => `${path}: ${message}`);
  return { health: spec.health, problems };
}

function readNames(value: unknown): readonly string[] | null | undefined {
  if (value === undefined || value === null) return null;
  const names = Array.isArray(value) && value.every((name) => typeof name === "string");
  return names ? (value as string[]) : undefined;
}

/** As {@link readNames}. */
function readRestartedUnits(value: unknown): readonly Restarted[] | null | undefined {
  if (value === undefined || value === null) return null;
  const isRestarted = (one: unknown) => {
    const { unit, restarts, lately } = asObject(one);
    return typeof unit === "string" && typeof restarts === "number" && typeof lately === "boolean";
  };
  return Array.isArray(value) && value.every(isRestarted) ? (value as Restarted[]) : undefined;
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
