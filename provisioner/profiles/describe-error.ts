import { kindInWords } from "#core/kind-in-words.ts";
import { nearest } from "#core/nearest.ts";
import { oneOf } from "#core/one-of.ts";
import { wordHint } from "#core/word-hint.ts";
import {
  knownKeys,
  type ValidationError,
} from "#generated/provisioner/profiles/profile.validate.js";

const page = "docs/own-profiles.md shows a whole profile";

/** What each `pattern` of the schema wants, as it would be said. */
export const forms: Readonly<Record<string, string>> = {
  "^[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*$":
    "VENDOR/MODEL in small letters and digits, with single - between them",
  "^[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)*$":
    "the path of a module in nixos-hardware, such as lenovo/thinkpad/t480",
  "^[a-z0-9-]+(/[a-z0-9-]+)*\\.nix$":
    "the path of a module below nixos/modules, such as virtualisation/google-compute-config.nix",
  "^[0-9]+(\\.[0-9]+){1,2}$": "the version of a kernel in quotes, such as '6.12'",
  "^[A-Za-z0-9_.-]+$": "letters, digits, - _ and .",
  '^[^ "\\\\]+$': "one word, without quotes",
  "^[A-Za-z0-9_-]+$": "the name of a kernel module: letters, digits, - and _",
  "^([0-9a-f]{4}|\\*):([0-9a-f]{4}|\\*)(:([0-9a-f]{4}|\\*):([0-9a-f]{4}|\\*))?$":
    "VENDOR:DEVICE, with :VENDOR:DEVICE of the subsystem behind it where that matters; each four hexadecimal digits in small letters, or *",
  "^([0-9a-f]{4}|\\*):([0-9a-f]{4}|\\*)$":
    "VENDOR:PRODUCT, each four hexadecimal digits in small letters, or *",
  "^[0-9a-f]{4}:[0-9a-f]{4}$": "VENDOR:DEVICE, each four hexadecimal digits in small letters",
  "^[a-z0-9]+(-[a-z0-9]+)*$": "small letters and digits, with single - between them",
  "^https://[^ ]+$": "an address that begins with https://",
  "^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "a day in quotes, such as '2026-11-28'",
  "^fixtures/[A-Za-z0-9._-]+\\.json$": "the path of a fixture, such as fixtures/machine.json",
};

/** What a finding says of an error of the schema of profiles; `value` is what stands there. */
export function describeError(
  error: ValidationError,
  value: unknown,
): { readonly message: string; readonly hint: string } {
  const { keyword, schemaPath, params } = error;
  const limit = Number(params["limit"]);
  switch (keyword) {
    case "additionalProperties":
      return {
        message: "no such key",
        hint: keyHint(String(params["additionalProperty"]), keysBeside(error)),
      };
    case "propertyNames":
      return { message: "this name is not allowed here", hint: "use letters, digits, - _ and ." };
    case "required":
      return {
        message: `lacks \`${params["missingProperty"]}\``,
        hint: `add \`${params["missingProperty"]}\`; ${page}`,
      };
    case "type":
      return { message: `must be ${kindInWords(String(params["type"]))}`, hint: page };
    case "enum": {
      const known = (params["allowedValues"] as readonly unknown[]).map(String);
      return { message: `must be ${oneOf(known)}`, hint: wordHint(value, known) };
    }
    case "pattern": {
      const form = forms[String(params["pattern"])];
      const message =
        form === undefined ? "does not have the form that is expected here" : `must be ${form}`;
      return { message, hint: page };
    }
    case "minLength":
      return { message: "must not be empty", hint: "write a text, or remove the key" };
    case "maxLength":
      return { message: `must have at most ${limit} characters`, hint: "write a shorter one" };
    case "minItems":
      return {
        message: `must have at least ${counted(limit, "entry", "entries")}`,
        hint: schemaPath.includes("/tests/properties/noMatch/")
          ? "give a machine that must not get this profile, the one most like it"
          : "add one, or remove the key",
      };
    case "maxItems":
      return {
        message: `must have at most ${counted(limit, "entry", "entries")}`,
        hint: "take some out",
      };
    case "minProperties":
      return { message: "says nothing", hint: "give one of its keys, or remove it" };
    case "maxProperties":
      return {
        message: `must have at most ${counted(limit, "key", "keys")}`,
        hint: "take some out",
      };
    case "minimum":
      return { message: `must be at least ${limit}`, hint: "write a larger number" };
    case "maximum":
      return { message: `must be at most ${limit}`, hint: "write a smaller number" };
    case "anyOf":
      return schemaPath.includes("/textRule/")
        ? {
            message: "is no rule for a text",
            hint: "write the whole text, or `prefix: …`, `oneOf: […]`, or `regex: …` with its `reason: …`",
          }
        : {
            message: "has none of the forms that are allowed here",
            hint: "write one word, a whole number, or `true` for a name alone",
          };
    default:
      return { message: "does not fit", hint: page };
  }
}

/** Definitions of the schema by where they are used; ajv's paths into the schema begin anew in each. */
const definitions: readonly (readonly [RegExp, name: string])[] = [
  [/^\/(?:match|witness)\/any\/\d+\/(?:all|not\/\d+)(?:\/|$)/, "conditions"],
  [/^\/(?:match|witness)\/any\/\d+$/, "clause"],
  [/^\/(?:match|witness)$/, "rule"],
  [/^\/quirks\/\d+(?:\/|$)/, "quirk"],
  [/^\/tests\/(?:match|noMatch)\/\d+(?:\/|$)/, "testCase"],
];

/** The keys that may stand where there is one too many. */
function keysBeside({ instancePath, schemaPath }: ValidationError): readonly string[] {
  const place = schemaPath.replace(/\/additionalProperties$/, "");
  const definition = definitions.find(([form]) => form.test(instancePath))?.[1];
  const isWhole = definition === undefined || place.startsWith("#/$defs/");
  return knownKeys[isWhole ? place : `#/$defs/${definition}${place.slice(1)}`] ?? [];
}

function keyHint(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  if (near !== undefined) return `did you mean \`${near}\`?`;
  return known.length === 0 ? page : `known are ${known.join(", ")}`;
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
