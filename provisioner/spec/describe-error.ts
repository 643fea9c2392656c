import { kindInWords } from "#core/kind-in-words.ts";
import { nearest } from "#core/nearest.ts";
import { oneOf } from "#core/one-of.ts";
import { wordHint } from "#core/word-hint.ts";
import type { ValidationError } from "#generated/provisioner/spec/v1.validate.js";
import { describeLimit, describePattern } from "./expected-forms.ts";
import { checkTypes, exampleAt, exampleBelow, keysBeside } from "./known-keys.ts";

/**
 * What a finding says of an error of the schema at a path: the kind of thing expected, never the
 * value.
 */
export function describeError(
  error: ValidationError,
  path: readonly string[],
  value: unknown,
): { readonly message: string; readonly hint: string } {
  const { keyword, params } = error;
  switch (keyword) {
    case "additionalProperties":
      return { message: "no such key", hint: suggestion(error, path) };
    case "propertyNames":
      return { message: "this name is not allowed here", hint: nameHint(path) };
    case "required":
      return {
        message: `lacks \`${params["missingProperty"]}\``,
        hint: addHint([...path, String(params["missingProperty"])]),
      };
    case "type":
      return {
        message: `must be ${kindInWords(String(params["type"]))}`,
        hint: writeHint(error, path, value),
      };
    case "enum": {
      const known = (params["allowedValues"] as readonly unknown[]).map(String);
      return { message: `must be ${oneOf(known)}`, hint: wordHint(value, known) };
    }
    case "const":
      return {
        message: `must be ${params["allowedValue"]}`,
        hint: `write \`${params["allowedValue"]}\``,
      };
    case "pattern":
      return describePattern(error, path);
    case "not":
      return { message: notMessage(path), hint: "give one of them" };
    case "discriminator":
      return {
        message: `\`type\` must be ${oneOf(checkTypes())}`,
        hint: wordHint(params["tagValue"], checkTypes()),
      };
    case "minLength":
      return { message: "must not be empty", hint: writeHint(error, path, value) };
    case "minItems":
      return {
        message: `must have at least ${params["limit"]} items`,
        hint: "add what is missing, or remove the key",
      };
    case "minProperties":
      return {
        message: "names no limit to be held against",
        hint: "docs/spec.md shows each kind of check",
      };
    case "maxLength":
      return {
        message: `must have at most ${params["limit"]} characters`,
        hint: "write a shorter one",
      };
    case "minimum":
    case "maximum":
      return describeLimit(error, path);
    case "uniqueItems":
      return { message: "stands in the list already", hint: "remove it" };
    default:
      return { message: "does not fit", hint: "docs/spec.md lists every key" };
  }
}

/** By the schema's example, else by the kind of the value. */
function writeHint(error: ValidationError, path: readonly string[], value: unknown): string {
  const { type } = error.params;
  const near =
    type === "boolean" && typeof value === "string" ? nearest(value, ["true", "false"]) : undefined;
  if (near !== undefined) return `did you mean \`${near}\`?`;
  const example = exampleAt(error, path);
  if (example !== undefined) return `write it like \`${example}\``;
  return kindHints[String(type)] ?? "docs/spec.md shows each key";
}

const kindHints: Readonly<Record<string, string>> = {
  string: "write one text, in quotes where YAML may read it as something else",
  integer: "write digits alone, such as `1000`",
  number: "write a number, such as `1.5`",
  boolean: "write `true` or `false`, without quotes",
  array: "write it in brackets, as `[a, b]`, or one line each after `- `",
  object: "write its keys below it, each on a line of its own and indented further",
};

function addHint(path: readonly string[]): string {
  const key = path.at(-1);
  const example = exampleBelow(path);
  return example === undefined
    ? `add \`${key}\`; docs/spec.md shows how it is written`
    : `add \`${key}: ${example}\``;
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
