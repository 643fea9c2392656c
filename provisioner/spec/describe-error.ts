import type { ValidationError } from "#generated/provisioner/spec/v1.validate.js";

/** What a finding says of an error of the schema: the kind of thing expected, never the value. */
export function describeError(
  error: ValidationError,
  suggestion: string | null,
): { readonly message: string; readonly hint: string | null } {
  const { keyword, params, schemaPath } = error;
  switch (keyword) {
    case "additionalProperties":
      return { message: "no such key", hint: suggestion };
    case "propertyNames":
      return { message: "this name is not allowed here", hint: nameHint(schemaPath) };
    case "required":
      return { message: `lacks \`${params["missingProperty"]}\``, hint: null };
    case "type":
      return { message: `must be ${article(String(params["type"]))}`, hint: null };
    case "enum":
      return { message: `must be one of ${list(params["allowedValues"])}`, hint: null };
    case "const":
      return { message: `must be ${params["allowedValue"]}`, hint: null };
    case "pattern":
      return {
        message: "does not have the form that is expected here",
        hint: `it must match ${params["pattern"]}`,
      };
    case "not":
      return { message: notMessage(schemaPath), hint: "give one of them" };
    case "discriminator":
      return {
        message: "`type` must be one of http, tcp, command, unit, file",
        hint: "docs/spec.md shows each kind of check",
      };
    case "minLength":
      return { message: "must not be empty", hint: null };
    case "minItems":
      return { message: `must have at least ${params["limit"]} items`, hint: null };
    case "maxLength":
      return { message: `must have at most ${params["limit"]} characters`, hint: null };
    case "minimum":
      return { message: `must be at least ${params["limit"]}`, hint: null };
    case "maximum":
      return { message: `must be at most ${params["limit"]}`, hint: null };
    case "uniqueItems":
      return { message: "stands in the list already", hint: "remove it" };
    default:
      return { message: "does not fit", hint: "docs/spec.md lists every key" };
  }
}

/** Pairs of keys of which one excludes the other, by the place of their `not` in the schema. */
const exclusions: Readonly<Record<string, string>> = {
  "#/$defs/file/not": "has both `content` and `secret`",
  "#/$defs/unit/not": "has both `text` and `dropIn`",
};

function notMessage(schemaPath: string): string {
  return exclusions[schemaPath] ?? "has keys that exclude each other";
}

const nameHints: readonly (readonly [RegExp, string])[] = [
  [/\/units\//, "use the full name of a unit, such as web.service"],
  [/\/hosts\//, "use an address of IPv4 or IPv6"],
  [/\/ethernets\//, "use letters, digits, - _ and ."],
];

function nameHint(schemaPath: string): string {
  const found = nameHints.find(([pattern]) => pattern.test(schemaPath));
  return found?.[1] ?? "use small letters, digits, - and _, at most 32";
}

function list(values: unknown): string {
  return Array.isArray(values) ? values.join(", ") : String(values);
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
