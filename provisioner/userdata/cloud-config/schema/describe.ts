import type { Code } from "#core/codes.ts";
import { type FindingLevel, shownKey } from "#core/finding.ts";
import { kindInWords } from "#core/kind-in-words.ts";
import { nearest } from "#core/nearest.ts";
import { oneOf } from "#core/one-of.ts";
import {
  knownKeys,
  type ValidationError,
} from "#generated/provisioner/userdata/cloud-config/schema/cloud-config.validate.js";
import { exampleAt } from "./examples.ts";
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
/** Forms of a value that are all named. */
const maxForms = 12;

/**
 * Errors of the schema as problems: one for each place. Of a value that may have several forms the
 * form that it comes next to is judged, and where it has none of them, all are named. `most` are enough.
 */
export function describeErrors(
  errors: readonly ValidationError[],
  { value, most }: { readonly value: unknown; readonly most: number },
): readonly Problem[] {
  const byPlace = Map.groupBy(errors, ({ instancePath }) => instancePath);
  const above = new Set([...byPlace.keys()].flatMap(placesAbove));
  const problems = new Map<string, Problem>();
  for (const [place, here] of byPlace) {
    for (const said of describePlace({ place, value, deeper: above.has(place) }, here)) {
      const key = JSON.stringify([said.path, said.message]);
      if (!problems.has(key)) problems.set(key, said);
    }
    if (problems.size >= most) break; // each takes its time, and nobody reads more
  }
  return [...problems.values()];
}

function placesAbove(place: string): readonly string[] {
  const parts = place.split("/");
  return parts.slice(1).map((_, length) => parts.slice(0, length + 1).join("/"));
}

interface ErrorPlace {
  /** As a JSON pointer. */
  readonly place: string;
  /** Of the whole document. */
  readonly value: unknown;
  /** Whether there are errors below it as well. */
  readonly deeper: boolean;
}

function describePlace(
  { place, value, deeper }: ErrorPlace,
  errors: readonly ValidationError[],
): readonly Problem[] {
  const path = partsOf(place);
  const isChoice = errors.some(({ keyword }) => alternatives.has(keyword));
  const whole = errors.filter(({ keyword }) => wholeValue.has(keyword));
  const here = valueAt(value, path);
  const isMapping = typeof here === "object" && here !== null && !Array.isArray(here);
  const inside = errors.filter(
    // what may not stand together is asked of mappings, and of anything else means nothing
    ({ keyword }) =>
      !wholeValue.has(keyword) && !alternatives.has(keyword) && (isMapping || keyword !== "not"),
  );
  const required = inside.filter(({ keyword }) => keyword === "required");
  const alternativesOfKeys = new Set(required.map(({ schemaPath }) => schemaPath));
  const isOneOfKeys =
    isChoice && alternativesOfKeys.size > 1 && alternativesOfKeys.size === required.length;
  const parts = [
    ...(isOneOfKeys ? [lacksOneOf(path, required)] : []),
    ...inside
      .filter(({ keyword }) => !isOneOfKeys || keyword !== "required")
      .map((error) => describeInside(error, path)),
  ];
  if (isOneOfKeys && parts.length === 1) return parts;
  if (whole.length === 0 || (isChoice && (deeper || inside.length > 0))) return parts;
  const forms = [...new Set(whole.flatMap(formsOf))];
  const isText = whole.some(({ params }) => params["type"] === "string");
  const isUnquoted = isText && (typeof here === "number" || typeof here === "boolean");
  const hint = nearWord(here, whole) ?? (isUnquoted ? "put it in quotes" : toWrite(path));
  return [...parts, problem(path, `must be ${shortly(forms)}`, hint)];
}

function lacksOneOf(path: readonly string[], errors: readonly ValidationError[]): Problem {
  const keys = [...new Set(errors.map(({ params }) => String(params["missingProperty"])))];
  const [first = ""] = keys;
  return problem(path, `lacks ${oneOf(keys.map(quoted))}`, toAdd([...path, first]));
}

/** The word that a text comes near to, of those that may stand in its place. */
function nearWord(value: unknown, errors: readonly ValidationError[]): string | undefined {
  const words = errors
    .flatMap(wordsOf)
    .filter((word) => typeof word !== "number")
    .map(String);
  const near = typeof value === "string" ? nearest(value.trim(), words) : undefined;
  return near === undefined ? undefined : `did you mean \`${near}\`?`;
}

function wordsOf({ keyword, params }: ValidationError): readonly unknown[] {
  if (keyword === "enum") return params["allowedValues"] as readonly unknown[];
  if (keyword === "const") return [params["allowedValue"]];
  return keyword === "type" && params["type"] === "boolean" ? [true, false] : [];
}

function toWrite(path: readonly string[]): string {
  const example = exampleAt(path);
  if (example !== undefined) return `write it like \`${example}\``;
  return `docs/cloud-config.md shows how \`${shownKey(path[0] ?? "")}\` is written`;
}

function toAdd(path: readonly string[]): string {
  return `add \`${exampleAt(path) ?? `${shownKey(path.at(-1) ?? "")}: …`}\``;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (here, part) => (here as { readonly [key: string]: unknown } | undefined)?.[part],
    value,
  );
}

function quoted(text: string): string {
  return `\`${text}\``;
}

/** Many words are not all of them read. */
function shortly(forms: readonly string[]): string {
  if (forms.length <= maxForms) return oneOf(forms);
  return `one of ${forms.length} words, such as ${oneOf(forms.slice(0, 3))}`;
}

function problem(path: readonly string[], message: string, hint: string): Problem {
  return { path, target: "value", level: "error", code: "cloud-config/invalid", message, hint };
}

function describeInside(error: ValidationError, path: readonly string[]): Problem {
  const { keyword, params } = error;
  switch (keyword) {
    case "additionalProperties":
      return unknownKey(error, path, String(params["additionalProperty"]));
    case "propertyNames":
      return {
        ...problem(
          [...path, String(params["propertyName"])],
          "this name is not allowed here",
          "use letters, digits and _",
        ),
        target: "key",
      };
    case "required":
      return problem(
        path,
        `lacks \`${params["missingProperty"]}\``,
        toAdd([...path, String(params["missingProperty"])]),
      );
    case "minItems":
    case "minLength":
    case "minProperties":
      return params["limit"] === 1
        ? problem(path, "must not be empty", "give it a value, or remove it")
        : problem(path, `must have at least ${params["limit"]} items`, toWrite(path));
    case "maxItems":
      return problem(path, `must have at most ${params["limit"]} items`, "remove the rest");
    case "minimum":
      return problem(
        path,
        `must be at least ${params["limit"]}`,
        `write ${params["limit"]} or more`,
      );
    case "uniqueItems":
      return problem([...path, String(params["j"])], "stands in the list already", "remove it");
    case "not":
      return problem(path, "has two keys of which only one may stand", "remove one of them");
    default:
      return problem(path, "does not fit", toWrite(path));
  }
}

/** One that is unknown to cloud-init at the top is told by the same words as where it is translated. */
function unknownKey(error: ValidationError, path: readonly string[], key: string): Problem {
  const place = error.schemaPath.replace(/\/additionalProperties$/, "");
  const known = knownKeys[place] ?? [];
  const near = nearest(key, known);
  const isTop = path.length === 0;
  return {
    path: [...path, key],
    target: "key",
    level: "error",
    code: isTop ? "cloud-config/unknown-key" : "cloud-config/invalid",
    message: `${isTop ? "cloud-config" : ownerOf(path)} has no such key`,
    hint: near === undefined ? otherwise(known) : `did you mean \`${near}\`?`,
  };
}

/** What to do about a key that looks like none of those that are known. */
function otherwise(known: readonly string[]): string {
  const isShort = known.length > 0 && known.length <= maxForms;
  return isShort ? `remove it; known are ${known.map(quoted).join(", ")}` : "remove it";
}

/** What a path leads to: a key, or one of its entries. */
function ownerOf(path: readonly string[]): string {
  const key = path.findLast((part) => !/^[0-9]+$/.test(part));
  return key === path.at(-1) ? `\`${key}\`` : `an entry of \`${key}\``;
}

function formsOf({ keyword, params }: ValidationError): readonly string[] {
  switch (keyword) {
    case "type":
      return [kindInWords(String(params["type"]))];
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
