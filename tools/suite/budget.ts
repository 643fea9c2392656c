import { readFileSync } from "node:fs";

/** Seconds that each suite may take, and all of them together. */
export interface Budget {
  readonly limitSeconds: number;
  readonly suites: Readonly<Record<string, number>>;
}

/** Reads `.ci/budget.json`. Throws when the suites together may take longer than the limit. */
export function readBudget(path: string): Budget {
  const budget: unknown = JSON.parse(readFileSync(path, "utf8"));
  if (!isBudget(budget)) {
    throw new Error(`${path}: expected { limitSeconds, suites: { name: seconds } }`);
  }
  const sum = Object.values(budget.suites).reduce((total, seconds) => total + seconds, 0);
  if (sum > budget.limitSeconds) {
    throw new Error(
      `${path}: the suites may take ${sum} s, more than the ${budget.limitSeconds} s`,
    );
  }
  return budget;
}

function isBudget(value: unknown): value is Budget {
  const { limitSeconds, suites } = (value ?? {}) as Partial<Record<keyof Budget, unknown>>;
  return (
    typeof limitSeconds === "number" &&
    typeof suites === "object" &&
    suites !== null &&
    Object.values(suites).every((seconds) => typeof seconds === "number" && seconds > 0)
  );
}

/** Seconds that a suite may take. Throws for one that is not in the budget. */
export function secondsOf(budget: Budget, suite: string): number {
  const seconds = Object.hasOwn(budget.suites, suite) ? budget.suites[suite] : undefined;
  if (seconds === undefined) throw new Error(`budget: there is no suite named ${suite}`);
  return seconds;
}

/** What is wrong with how long a suite took, or `null`. */
export function overrun(budget: Budget, suite: string, took: number): string | null {
  const allowed = secondsOf(budget, suite);
  if (took <= allowed) return null;
  return `${suite} took ${Math.ceil(took)} s, its budget is ${allowed} s (.ci/budget.json)`;
}
