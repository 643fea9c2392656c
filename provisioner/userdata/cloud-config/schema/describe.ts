import type { Code } from "#core/codes.ts";
import type { FindingLevel } from "#core/finding.ts";
import { nearest } from "#core/nearest.ts";
import { oneOf } from "#core/one-of.ts";
import {
  knownKeys,
  type ValidationError,
} from "#generated/provisioner/userdata/cloud-config/schema/cloud-config.validate.js";
import { forms } from "./forms.ts";

/** A problem at a path of a document. */
export interface Problem {
  readonly path: readonly string[];
  /** Whether the key itself is what is wrong. */
  readonly target: "key" | "value";
  readonly level: FindingLevel;
  readonly code: Code;
  readonly message: string;
  readonly hint: string | null;
}

/** What is wrong with the value at a path as a whole: several such errors are alternatives. */
const wholeValue = new Set(["type", "enum", "const", "pattern"]);
const alternatives = new Set(["anyOf", "oneOf"]);

/**
 * Errors of the schema as problems: one for each place. Of a value that may have several forms the
 * form that it comes next to is judged, and where it has none of them, all are named.
 */
export function describeErrors(errors: readonly ValidationError[]): readonly Problem[] {
  const byPlace = Map.groupBy(errors, ({ instancePath }) => instancePath);
  const above = new Set([...byPlace.keys()].flatMap(placesAbove));
  const seen = new Set<string>();
  return [...byPlace]
    .flatMap(([place, here]) => describePlace(place, here, above.has(place)))
    .filter((problem) => {
      const key = JSON.stringify([problem.path, problem.message]);
      return !seen.has(key) && seen.add(key) !== undefined;
    });
}

function placesAbove(place: string): readonly string[] {
  const parts = place.split("/");
  return parts.slice(1).map((_, length) => parts.slice(0, length + 1).join("/"));
}

function describePlace(
  place: string,
  errors: readonly ValidationError[],
  deeper: boolean,
): readonly Problem[] {
  const path = partsOf(place);
  const isChoice = errors.some(({ keyword }) => alternatives.has(keyword));
  const whole = errors.filter(({ keyword }) => wholeValue.has(keyword));
  const inside = errors.filter(
    ({ keyword }) => !wholeValue.has(keyword) && !alternatives.has(keyword),
  );
  const required = inside.filter(({ keyword }) => keyword === "required");
  if (isChoice && required.length > 1 && required.length === inside.length) {
    const keys = required.map(({ params }) => `\`${params["missingProperty"]}\``);
    return [problem(path, `lacks ${oneOf([...new Set(keys)])}`)];
  }
  const parts = inside.map((error) => describeInside(error, path));
  if (whole.length === 0 || (isChoice && (deeper || inside.length > 0))) return parts;
  const forms = [...new Set(whole.flatMap(formsOf))];
  return [...parts, problem(path, `must be ${oneOf(forms)}`)];
}

function problem(path: readonly string[], message: string, hint: string | null = null): Problem {
  return { path, target: "value", level: "error", code: "cloud-config/invalid", message, hint };
}

function describeInside(error: ValidationError, path: readonly string[]): Problem {
  const { keyword, params } = error;
  switch (keyword) {
    case "additionalProperties":
      return unknownKey(error, path, String(params["additionalProperty"]));
    case "propertyNames":
      return {
        ...problem([...path, String(params["propertyName"])], "this name is not allowed here"),
        target: "key",
        hint: "use letters, digits and _",
      };
    case "required":
      return problem(path, `lacks \`${params["missingProperty"]}\``);
    case "minItems":
    case "minLength":
    case "minProperties":
      return params["limit"] === 1
        ? problem(path, "must not be empty", "give it a value, or remove it")
        : problem(path, `must have at least ${params["limit"]} items`);
    case "maxItems":
      return problem(path, `must have at most ${params["limit"]} items`);
    case "minimum":
      return problem(path, `must be at least ${params["limit"]}`);
    case "uniqueItems":
      return problem([...path, String(params["j"])], "stands in the list already", "remove it");
    case "not":
      return problem(path, "has two keys of which only one may stand", "remove one of them");
    default:
      return problem(path, "does not fit");
  }
}

/** One that is unknown to cloud-init at the top is told by the same words as where it is translated. */
function unknownKey(error: ValidationError, path: readonly string[], key: string): Problem {
  const place = error.schemaPath.replace(/\/additionalProperties$/, "");
  const near = nearest(key, knownKeys[place] ?? []);
  const isTop = path.length === 0;
  return {
    path: [...path, key],
    target: "key",
    level: "error",
    code: isTop ? "cloud-config/unknown-key" : "cloud-config/invalid",
    message: `${isTop ? "cloud-config" : ownerOf(path)} has no such key`,
    hint: near === undefined ? "remove it" : `did you mean \`${near}\`?`,
  };
}

/** What a path leads to: a key, or one of its entries. */
function ownerOf(path: readonly string[]): string {
  const key = path.findLast((part) => !/^[0-9]+$/.test(part));
  return key === path.at(-1) ? `\`${key}\`` : `an entry of \`${key}\``;
}

const typeWords: Readonly<Record<string, string>> = {
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  null: "empty",
};

function formsOf({ keyword, params }: ValidationError): readonly string[] {
  switch (keyword) {
    case "type":
      return [typeWords[String(params["type"])] ?? String(params["type"])];
    case "enum":
      return (params["allowedValues"] as readonly unknown[]).map((value) => `\`${value}\``);
    case "const":
      return [`\`${params["allowedValue"]}\``];
    default:
      return [forms[String(params["pattern"])] ?? "text of another form"];
  }
}

function partsOf(pointer: string): readonly string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}
