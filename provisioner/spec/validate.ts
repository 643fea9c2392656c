import type { Finding } from "#core/finding.ts";
import { nearest } from "#core/nearest.ts";
import {
  knownKeys,
  type ValidationError,
  validate,
} from "#generated/provisioner/spec/v1.validate.js";
import type { Origin } from "#provisioner/userdata/translation.ts";

/** Finds where a value of the spec was set, by its path. */
export type FindOrigin = (path: readonly string[]) => Origin | undefined;

/**
 * Every way in which a value is no spec of version 1, each at the place of the document that set
 * it. The texts of findings never repeat a value.
 */
export function validateSpec(
  value: unknown,
  document: string,
  findOrigin: FindOrigin,
): readonly Finding[] {
  if (validate(value)) return [];
  const seen = new Set<string>();
  return (validate.errors ?? [])
    .filter(
      (error) => !["oneOf", "if", "propertyNames"].includes(error.keyword) || isOwnMessage(error),
    )
    .map((error) => toFinding(error, document, findOrigin))
    .filter((finding) => {
      const key = `${finding.path}\0${finding.message}`;
      return !seen.has(key) && seen.add(key) !== undefined;
    });
}

function isOwnMessage(error: ValidationError): boolean {
  return (
    error.keyword === "propertyNames" ||
    (error.keyword === "oneOf" && error.params["passingSchemas"] !== undefined)
  );
}

function toFinding(error: ValidationError, document: string, findOrigin: FindOrigin): Finding {
  const parent = error.instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  const added = error.params["additionalProperty"] ?? error.params["propertyName"];
  const path = typeof added === "string" ? [...parent, added] : parent;
  const origin = originOf(path, findOrigin);
  const { message, hint } = describe(error);
  return {
    document: origin?.document ?? document,
    path: path.join("."),
    line: origin?.line ?? null,
    column: origin?.column ?? null,
    level: "error",
    code: "spec/invalid",
    message,
    hint,
  };
}

function originOf(path: readonly string[], findOrigin: FindOrigin): Origin | undefined {
  for (let length = path.length; length > 0; length--) {
    const origin = findOrigin(path.slice(0, length));
    if (origin !== undefined) return origin;
  }
  return undefined;
}

function describe(error: ValidationError): {
  readonly message: string;
  readonly hint: string | null;
} {
  const { keyword, params } = error;
  switch (keyword) {
    case "additionalProperties": {
      const key = String(params["additionalProperty"]);
      return { message: "no such key", hint: suggestion(key, error) };
    }
    case "propertyNames":
      return {
        message: "this name is not allowed here",
        hint: "use small letters, digits, - and _",
      };
    case "required":
      return { message: `lacks \`${params["missingProperty"]}\``, hint: null };
    case "type":
      return { message: `must be ${article(String(params["type"]))}`, hint: null };
    case "enum":
      return {
        message: `must be one of ${(params["allowedValues"] as readonly unknown[]).join(", ")}`,
        hint: null,
      };
    case "const":
      return { message: `must be ${params["allowedValue"]}`, hint: null };
    case "pattern":
      return {
        message: "does not have the form that is expected here",
        hint: `it must match ${params["pattern"]}`,
      };
    case "oneOf":
      return {
        message: "exactly one of two forms must be given",
        hint: "see docs/spec.md for the forms",
      };
    default:
      return { message: error.message ?? "does not fit", hint: null };
  }
}

function suggestion(key: string, error: ValidationError): string | null {
  const known = knownKeys[error.schemaPath.replace(/\/additionalProperties$/, "")] ?? [];
  const near = nearest(key, known);
  return near === undefined ? "docs/spec.md lists every key" : `did you mean \`${near}\`?`;
}

function article(type: string): string {
  const words: Readonly<Record<string, string>> = {
    string: "text",
    integer: "a whole number",
    number: "a number",
    boolean: "true or false",
    array: "a list",
    object: "a mapping",
  };
  return words[type] ?? type;
}
