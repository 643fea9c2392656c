import type { ValidationError } from "#generated/provisioner/spec/v1.validate.js";
import { exampleAt } from "./known-keys.ts";

/** What each `pattern` of the schema wants, as it would be said. */
const forms: Readonly<Record<string, string>> = {
  "^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$":
    "one name of letters, digits and -, without a dot or blank, at most 63 characters",
  "^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$": "a domain: letters, digits, - and .",
  "^[a-z_][a-z0-9_.-]{0,30}\\$?$": "small letters, digits, - _ and ., at most 32 characters",
  "^[A-Za-z_][A-Za-z0-9_'-]*(\\.[A-Za-z_][A-Za-z0-9_'-]*)*$": "the attribute of a package",
  "^[A-Za-z0-9_]([A-Za-z0-9_.+-]*|[A-Za-z0-9_.+-]{2,}\\*)$":
    "the name of a package, or at least three characters of one with a * at the end",
  "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$": "a time zone of the tz database",
  "^[A-Za-z0-9_.@-]+$": "the name of a locale",
  "^\\S+$": "one word, without blanks",
  "-----BEGIN CERTIFICATE-----": "a certificate in PEM",
  "^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$": "the name of a secret: letters, digits, - _ and .",
  "^(/(?!\\.{1,2}(/|$))[A-Za-z0-9._+:@-]{1,100}){1,20}$":
    "an absolute path of letters, digits and . _ + : @ -",
  "^[A-Za-z0-9:_.@-]{1,200}\\.service$": "the full name of a service",
  "^[A-Za-z0-9:_.-]{1,200}\\.(service|socket|timer|path)$":
    "the full name of a service, socket, timer or path",
  "^[^:\\n\\r]*$": "one line without a colon",
  "^/[^:\\n\\r]*$": "an absolute path without a colon",
  "^[^\\n\\r]+$": "one line",
  "^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "a day, as year, month and day with - between them",
  "^/([^/\\u0000]+/)*[^/\\u0000]+$": "the absolute path of a file, with one / between names",
  "^[0-7]{3,4}$": "three or four octal digits, in quotes",
  "^[a-zA-Z0-9_.$-]+$": "a name or number of letters, digits, - _ . and $",
  "^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$": "letters, digits, - _ and ., at most 100 characters",
  "^[0-9]+(ms|s|m|h|d)$": "a time: a whole number and one of ms, s, m, h, d",
  "^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$": "a MAC address of six pairs with : between them",
  "^([0-9A-Fa-f]{2}:){5}([0-9A-Fa-f]{2}:){0,14}[0-9A-Fa-f]{2}$":
    "a hardware address of six pairs, or of twenty, with : between them",
  "^\\S+( \\S+)*$": "words with one blank between them",
  "^[^\\s:]{1,15}(:[^\\s]{0,13})?$": "a label of at most 15 characters, without blanks",
  "^[0-9A-Fa-f:.]+$": "an IP address",
  "^[0-9.]+$": "an address of IPv4",
  "^[A-Z]{2}$": "two capital letters",
  "^([0-9]{1,10}|[0-9]{1,3}(\\.[0-9]{1,3}){3})$": "a number, or one in the form of an address",
  "^[A-Za-z0-9+/]{43}=$": "a key of WireGuard: 32 bytes in base64",
  "^\\S+:[0-9]{1,5}$": "a name or an address with a port after a colon",
  "^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$":
    "the name of an interface: at most 15 letters, digits, - _ and .",
  "^[A-Za-z0-9_.-]{1,15}$": "the name of an interface: at most 15 letters, digits, - _ and .",
  "^[0-9A-Fa-f.:]+/[0-9]{1,3}$": "an IP address with the length of its prefix",
  "^/[^\\n\\r]*$": "an absolute path",
  "^/[^\\n\\r]+$": "an absolute path",
  "^/": "an absolute path",
  "^[a-z0-9][a-z0-9-]*$": "small letters, digits and -",
  "^https?://\\S+$": "an address of http or https",
  "^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$": "a host name",
  "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$": "letters, digits, - _ and ., at most 64 characters",
  "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$": "letters, digits, - and _, at most 64 characters",
  "^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$": "letters, digits, - _ and ., at most 128 characters",
};

/** What a finding says of a text that does not have the form that the schema asks for. */
export function describePattern(
  error: ValidationError,
  path: readonly string[],
): { readonly message: string; readonly hint: string } {
  const form = forms[String(error.params["pattern"])];
  const example = exampleAt(error, path);
  return {
    message:
      form === undefined ? "does not have the form that is expected here" : `must be ${form}`,
    hint: example === undefined ? "docs/spec.md shows each key" : `write it like \`${example}\``,
  };
}

/** What a finding says of a number below or above its limits. */
export function describeLimit(
  error: ValidationError,
  path: readonly string[],
): { readonly message: string; readonly hint: string } {
  const bound = error.keyword === "minimum" ? "at least" : "at most";
  const example = exampleAt(error, path);
  return {
    message: `must be ${bound} ${error.params["limit"]}`,
    hint:
      example === undefined
        ? `write a number that is ${bound} ${error.params["limit"]}`
        : `write a number such as ${example}`,
  };
}
