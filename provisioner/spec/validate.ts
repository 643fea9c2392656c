import { isDay } from "#core/calendar.ts";
import { type Finding, findingPath } from "#core/finding.ts";
import type { Moves } from "#core/list-moves.ts";
import { nearest } from "#core/nearest.ts";
import { isSecretRef } from "#core/secret.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { type ValidationError, validate } from "#generated/provisioner/spec/v1.validate.js";
import type { Origin } from "#provisioner/userdata/translation.ts";
import { describeError } from "./describe-error.ts";
import { healthTimes } from "./health-times.ts";
import { keepValid } from "./keep-valid.ts";
import type { SpecProblem } from "./problem.ts";

/** What checking needs beside the value. */
export interface CheckOptions {
  /** Name for findings about values that no document set. */
  readonly document: string;
  /** Finds where a value of the spec, or its key, was set. */
  readonly findOrigin: (path: readonly string[], target: "key" | "value") => Origin | undefined;
  /** Names that a `secretRef` may have. */
  readonly secretNames: ReadonlySet<string>;
}

/** A spec that fits its schema, and everything that did not. */
export interface CheckedSpec {
  /** What is left without the values that do not fit; it fits always. */
  readonly spec: Spec;
  /** Every one of them is an error. */
  readonly findings: readonly Finding[];
  /** Where what is left stands now, in lists that something was taken out of. */
  readonly moves: readonly Moves[];
}

/**
 * Every way in which a value is no spec of version 1, each at the place of the document that set
 * it. The value is changed: what does not fit is taken out of it, so that a password under a
 * misspelt key goes no further. The texts of findings never repeat a value.
 */
export function checkSpec(value: object, options: CheckOptions): CheckedSpec {
  const problems = [
    ...schemaProblems(value),
    ...textProblems(value),
    ...secretProblems(value, options.secretNames),
    ...timeProblems(value),
    ...dayProblems(value),
  ];
  const { spec, moves } = keepValid(value, problems, (left) =>
    validate(left) ? left : schemaProblems(left),
  );
  const seen = new Set<string>();
  const findings = problems
    .map((problem) => toFinding(problem, options))
    .filter(({ path, message }) => {
      const key = `${path}\0${message}`;
      return !seen.has(key) && seen.add(key) !== undefined;
    });
  return { spec, findings, moves };
}

/**
 * Of a text that is too short or too long its form is not said as well, and of what is of another kind
 * not which keys it has.
 */
function schemaProblems(value: unknown): readonly SpecProblem[] {
  if (validate(value)) return [];
  const errors = (validate.errors ?? []).filter((error) => !isSaidElsewhere(error));
  const lengths = errors.filter(({ keyword }) => /^m(?:in|ax)Length$/.test(keyword));
  const wrongLength = new Set(lengths.map(({ instancePath }) => instancePath));
  const ofType = errors.filter(({ keyword }) => keyword === "type");
  const wrongKind = new Set(ofType.map(({ instancePath }) => instancePath));
  return errors
    .filter(({ keyword, instancePath }) => keyword !== "pattern" || !wrongLength.has(instancePath))
    .filter(({ keyword, instancePath }) => keyword !== "not" || !wrongKind.has(instancePath))
    .map((error) => toProblem(error, value));
}

/** What a name violates stands beside the error that names it; a missing tag is `required` already. */
function isSaidElsewhere({ keyword, schemaPath, params }: ValidationError): boolean {
  const untagged = keyword === "discriminator" && params["tagValue"] === undefined;
  return untagged || schemaPath.includes("/propertyNames/");
}

function toProblem(error: ValidationError, value: unknown): SpecProblem {
  const parent = error.instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  const { additionalProperty, propertyName, j } = error.params;
  const key = additionalProperty ?? propertyName;
  const named = typeof key === "string";
  const inner = named ? [key] : error.keyword === "uniqueItems" ? [String(j)] : [];
  return {
    path: [...parent, ...inner],
    target: named ? "key" : "value",
    code: "spec/invalid",
    ...describeError(error, parent, parent.reduce<unknown>(valueUnder, value)),
  };
}

function valueUnder(value: unknown, key: string): unknown {
  return (value as { readonly [key: string]: unknown } | undefined)?.[key];
}

/** Nix holds no text with NUL; half surrogate pairs are refused where documents are read. */
function* textProblems(value: unknown, path: readonly string[] = []): Generator<SpecProblem> {
  if (typeof value === "string" && value.includes("\0")) yield nulProblem(path, "value");
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key.includes("\0")) yield nulProblem([...path, key], "key");
    else yield* textProblems(inner, [...path, key]);
  }
}

function nulProblem(path: readonly string[], target: "key" | "value"): SpecProblem {
  const message = `the ${target === "key" ? "key" : "text"} holds the character NUL`;
  return { path, target, code: "spec/invalid", message, hint: "remove it" };
}

/** Checks that can never have passed in time would take every change back. */
function timeProblems(value: object): readonly SpecProblem[] {
  const { health } = value as { readonly health?: unknown };
  const spec: unknown = { version: 1, health };
  if (health === undefined || !validate(spec) || spec.health?.timeout === undefined) return [];
  const { leastMs, timeoutMs } = healthTimes(spec.health);
  if (leastMs < timeoutMs) return [];
  const message = `the checks take ${leastMs} ms at least (soak, or passes times interval), and so never pass in time`;
  const hint = "give more time, or ask for less";
  return [{ path: ["health", "timeout"], target: "value", code: "spec/invalid", message, hint }];
}

/** NixOS hands the day on to programs that read another one, or none, from what is no day. */
function dayProblems(value: object): readonly SpecProblem[] {
  const { users } = value as { readonly users?: unknown };
  if (typeof users !== "object" || users === null) return [];
  return Object.entries(users).flatMap(([name, user]): SpecProblem[] => {
    const expires: unknown = user?.expires;
    const form = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(
      typeof expires === "string" ? expires : "",
    );
    const [year, month, day] = (form ?? []).slice(1).map(Number);
    if (year === undefined || month === undefined || day === undefined) return [];
    if (isDay(year, month, day)) return [];
    const path = ["users", name, "expires"];
    const message = "the calendar has no such day";
    const hint = "write year, month and day, such as `2027-12-31`";
    return [{ path, target: "value", code: "spec/invalid", message, hint }];
  });
}

/** Parts of the spec whose values are data for others: nothing in them is a reference of ours. */
const foreign: readonly string[] = ["options", "home", "templates"];

function* secretProblems(
  value: unknown,
  names: ReadonlySet<string>,
  path: readonly string[] = [],
): Generator<SpecProblem> {
  if (isSecretRef(value)) {
    if (names.has(value.secretRef)) return;
    const message = "no secret of this name was given";
    const near = nearest(value.secretRef, [...names]);
    const hint =
      near === undefined
        ? "give it under `secrets`, or put the secret itself here; firstlight moves it to the credential store"
        : `did you mean \`${near}\`?`;
    yield { path, target: "value", code: "spec/unknown-secret", message, hint };
    return;
  }
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (path.length > 0 || !foreign.includes(key)) {
      yield* secretProblems(inner, names, [...path, key]);
    }
  }
}

function toFinding(problem: SpecProblem, { document, findOrigin }: CheckOptions): Finding {
  const { path, target, code, message, hint } = problem;
  const origin = originOf(path, target, findOrigin);
  return {
    document: origin?.document ?? document,
    path: findingPath(path),
    line: origin?.line ?? null,
    column: origin?.column ?? null,
    level: "error",
    code,
    message,
    hint,
  };
}

function originOf(
  path: readonly string[],
  target: "key" | "value",
  findOrigin: CheckOptions["findOrigin"],
): Origin | undefined {
  for (let length = path.length; length > 0; length--) {
    const origin = findOrigin(path.slice(0, length), length === path.length ? target : "value");
    if (origin !== undefined) return origin;
  }
  return undefined;
}
