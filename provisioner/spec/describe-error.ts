import { nearest } from "#core/nearest.ts";
import { oneOf } from "#core/one-of.ts";
import type { ValidationError } from "#generated/provisioner/spec/v1.validate.js";
import { describeLimit, describePattern } from "./expected-forms.ts";
import { checkTypes, keysBeside } from "./known-keys.ts";

/**
 * What a finding says of an error of the schema at a path: the kind of thing expected, never the
 * value.
 */
export function describeError(
  error: ValidationError,
  path: readonly string[],
): { readonly message: string; readonly hint: string | null } {
  const { keyword, params } = error;
  switch (keyword) {
    case "additionalProperties":
      return { message: "no such key", hint: suggestion(error, path) };
    case "propertyNames":
      return { message: "this name is not allowed here", hint: nameHint(path) };
    case "required":
      return { message: `lacks \`${params["missingProperty"]}\``, hint: null };
    case "type":
      return { message: `must be ${article(String(params["type"]))}`, hint: null };
    case "enum":
      return {
        message: `must be ${oneOf(params["allowedValues"] as readonly unknown[])}`,
        hint: null,
      };
    case "const":
      return { message: `must be ${params["allowedValue"]}`, hint: null };
    case "pattern":
      return describePattern(error, path);
    case "not":
      return { message: notMessage(path), hint: "give one of them" };
    case "discriminator":
      return {
        message: `\`type\` must be ${oneOf(checkTypes())}`,
        hint: "docs/spec.md shows each kind of check",
      };
    case "minLength":
      return { message: "must not be empty", hint: null };
    case "minItems":
      return { message: `must have at least ${params["limit"]} items`, hint: null };
    case "minProperties":
      return {
        message: "names no limit to be held against",
        hint: "docs/spec.md shows each kind of check",
      };
    case "maxLength":
      return { message: `must have at most ${params["limit"]} characters`, hint: null };
    case "minimum":
    case "maximum":
      return describeLimit(error, path);
    case "uniqueItems":
      return { message: "stands in the list already", hint: "remove it" };
    default:
      return { message: "does not fit", hint: "docs/spec.md lists every key" };
  }
}

function suggestion(error: ValidationError, path: readonly string[]): string {
  const near = nearest(String(error.params["additionalProperty"]), keysBeside(error, path));
  return near === undefined ? "docs/spec.md lists every key" : `did you mean \`${near}\`?`;
}

function notMessage([top]: readonly string[]): string {
  return top === "files" ? "has both `content` and `secret`" : "has both `text` and `dropIn`";
}

function nameHint(path: readonly string[]): string {
  switch (path.at(-1)) {
    case "units":
      return "use the full name of a unit, such as web.service";
    case "hosts":
      return "use an address of IPv4 or IPv6";
    case "ethernets":
    case "wifis":
      return "use letters, digits, - _ and .";
    case "dummies":
    case "veths":
    case "bonds":
    case "bridges":
    case "vlans":
    case "vrfs":
    case "tunnels":
      return "use letters, digits, - _ and ., at most 15";
    case "addressOptions":
      return "use one of the addresses, with its prefix length";
    default:
      return "use small letters, digits, - and _, at most 32";
  }
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
