import type { ValueKind } from "#provisioner/nix-language/defined-options.ts";

/** What an option's type in words says about the values that fit it. */
export type OptionType =
  | { readonly kind: "any" }
  | { readonly kind: "scalar"; readonly accepts: readonly ValueKind[] }
  | { readonly kind: "list"; readonly of: OptionType }
  | { readonly kind: "attrs"; readonly of: OptionType }
  /** Only declared attributes, where the list of options declares any. */
  | { readonly kind: "submodule" }
  | { readonly kind: "union"; readonly of: readonly OptionType[] };

/**
 * Reads a type as the NixOS manual words it (`null or (list of string)`). What is not understood
 * becomes `any`, so that the checker never refuses a good value.
 */
export function parseOptionType(words: string): OptionType {
  const text = withoutParens(decoded(words).replace(/\s+/g, " ").trim());
  if (text === "string, path, bool, or integer") return mosquittoValue;
  const parts = splitOnOr(text);
  if (parts.length > 1) return { kind: "union", of: parts.map(parseOptionType) };
  for (const [pattern, build] of atoms) {
    const match = pattern.exec(text);
    if (match !== null) return build(match[1] ?? "");
  }
  return any;
}

const any: OptionType = { kind: "any" };

/** The only type that is worded as a list with commas. */
const mosquittoValue: OptionType = {
  kind: "scalar",
  accepts: ["string", "path", "package", "bool", "int"],
};

function scalar(...accepts: readonly ValueKind[]): () => OptionType {
  return () => ({ kind: "scalar", accepts });
}

const atoms: readonly (readonly [RegExp, (rest: string) => OptionType])[] = [
  [/^(?:non-empty )?list of (.+)$/, (rest) => ({ kind: "list", of: parseOptionType(rest) })],
  [/^a (?:non-empty )?list of them/, () => ({ kind: "list", of: any })],
  [/^non-empty \((list of .+)\)$/, parseOptionType],
  [/^(?:lazy )?attribute set of (.+)$/, (rest) => ({ kind: "attrs", of: parseOptionType(rest) })],
  [/^(?:lazy )?attribute set$/, () => ({ kind: "attrs", of: any })],
  [/^section of an INI file/, () => ({ kind: "attrs", of: any })],
  [/^submodule$/, () => ({ kind: "submodule" })],
  [/^function that evaluates/, scalar("function")],
  [/^null$/, scalar("null")],
  [/^boolean\b/, scalar("bool")],
  [/^package\b/, scalar("package")],
  [/^(?:absolute )?path\b/, scalar("path", "package")],
  [/^(?:signed |unsigned |positive |nonnegative |\d+ bit (?:un)?signed )?integer\b/, scalar("int")],
  [/^(?:positive |nonnegative )?floating point number\b/, scalar("float")],
  [/^number\b/, scalar("int", "float")],
  [/^(?:non-empty |printable |single-line )?strings?\b/, scalar("string")],
  [/^\(optionally newline-terminated\) single-line string\b/, scalar("string")],
  [/^file mode string$|^IPv4 or IPv6 address$|^session name$/, scalar("string")],
  [/^key ID prefixed with/, scalar("string")],
  [
    /^(?:INI )?atom \(null, bool, int, float or string\)/,
    scalar("null", "bool", "int", "float", "string"),
  ],
  [/^Nix config atom/, scalar("null", "bool", "int", "float", "string", "path", "package")],
  [/^sysctl option value$/, scalar("null", "bool", "int", "string")],
  [/^systemd option$/, scalar("null", "bool", "int", "float", "string", "path", "package", "list")],
  [/^value (.+) \(singular enum\)$/, enumeration],
  [/^one of (.+)$/, enumeration],
];

function enumeration(members: string): OptionType {
  const accepts: ValueKind[] = [];
  if (members.includes("“")) accepts.push("string");
  const bare = members.replace(/“[^”]*”/g, "");
  if (/-?\d/.test(bare)) accepts.push("int");
  if (/null/.test(bare)) accepts.push("null");
  if (/\b(true|false)\b/.test(bare)) accepts.push("bool");
  return accepts.length === 0 ? any : { kind: "scalar", accepts };
}

/** Alternatives outside of parentheses and quotation marks. */
function splitOnOr(text: string): readonly string[] {
  const masked = phrases.reduce((all, [from, to]) => all.replaceAll(from, to), text);
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < masked.length; index++) {
    const char = masked[index] ?? "";
    if ("(“".includes(char)) depth++;
    if (")”".includes(char)) depth--;
    if (depth === 0 && masked.startsWith(" or ", index)) {
      parts.push(masked.slice(start, index));
      start = index + 4;
    }
  }
  return [...parts, masked.slice(start)].map((part) => part.replace(/ convertible to it$/, ""));
}

/** Phrases whose "or" parts no types. */
const phrases: readonly (readonly [string, string])[] = [
  ["newlines or colons", "newlines/colons"],
  ["line breaks or quotes", "line breaks/quotes"],
  ["starting with / or ~/", "starting with / and ~/"],
  ["IPv4 or IPv6 address", "string"],
  [", or string", " or string"],
  ["either a number or a range", "a number/a range"],
];

function withoutParens(text: string): string {
  if (!text.startsWith("(") || !text.endsWith(")")) return text;
  let depth = 0;
  for (let index = 0; index < text.length - 1; index++) {
    if (text[index] === "(") depth++;
    if (text[index] === ")" && --depth === 0) return text;
  }
  return withoutParens(text.slice(1, -1).trim());
}

const entities: Readonly<Record<string, string>> = {
  "&gt;": ">",
  "&lt;": "<",
  "&quot;": '"',
  "&#39;": "'",
  "&amp;": "&",
};

function decoded(words: string): string {
  return words.replace(/&(?:gt|lt|quot|#39|amp);/g, (entity) => entities[entity] ?? entity);
}
