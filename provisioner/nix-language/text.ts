// biome-ignore-all lint/suspicious/noTemplateCurlyInString: in Nix texts the sign is the subject
/**
 * Why `text` cannot stand in a Nix string, or `undefined` when it can. Nix strings end at NUL, and
 * half of a surrogate pair would silently become U+FFFD when the file is written as UTF-8.
 */
export function unprintableReason(text: string): string | undefined {
  if (text.includes("\0")) return "a NUL character";
  if (!text.isWellFormed()) return "a lone surrogate (half of a character)";
  return undefined;
}

const identifier = /^[A-Za-z_][A-Za-z0-9_'-]*$/;
const keywords = new Set([
  "assert",
  "else",
  "if",
  "in",
  "inherit",
  "let",
  "or",
  "rec",
  "then",
  "with",
]);

/** Whether a name may stand bare: as a variable, and as an attribute name without quotes. */
export function isIdentifier(name: string): boolean {
  return identifier.test(name) && !keywords.has(name);
}

/**
 * `text` in double quotes. Newline, carriage return and tab are escaped: Nix reads a raw CR or CRLF
 * as LF (nix.dev manual, string literals). Other characters stay as they are.
 */
export function quoted(text: string): string {
  return `"${escaped(text)}"`;
}

/** The inside of a double-quoted string; `beforeInterpolation` keeps a final `$` from joining `${`. */
export function escaped(text: string, beforeInterpolation = false): string {
  const body = text.replace(/["\\\n\r\t]|\$(?=\{)/g, (found) => escapes[found] ?? found);
  return beforeInterpolation && body.endsWith("$") ? `${body.slice(0, -1)}\\$` : body;
}

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  $: "\\$",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** An attribute path as Nix writes it: `services."a b".enable`. Quoted parts cannot interpolate. */
export function attrPath(parts: readonly string[]): string {
  return parts.map((part) => (isIdentifier(part) ? part : quoted(part))).join(".");
}

/**
 * The lines of an indented (`''`) string that holds exactly `text`, escaped, or `undefined` where
 * only a double-quoted string is provably right. Refused are: `''`; an interpolation right behind a
 * quote or a dollar (`'${`, `$${`: its escape would join them, and the interpolation would run);
 * characters that editors or Nix change; lines of blanks only; and a common indentation, which Nix
 * would strip. `text` must be two lines or more, the last one ended, so that the closing quotes
 * stand alone.
 */
export function indentedLines(text: string): readonly string[] | undefined {
  if (!text.endsWith("\n") || text.indexOf("\n") === text.length - 1) return undefined;
  if (unsafeIndented.test(text)) return undefined;
  const lines = text.slice(0, -1).split("\n");
  const filled = lines.filter((line) => line !== "");
  if (filled.length === 0 || filled.every((line) => line.startsWith(" "))) return undefined;
  return lines.map((line) => line.replaceAll("${", "''${"));
}

const unsafeIndented = new RegExp(
  ["''|['$]\\$\\{", "[^\\P{Cc}\\n\\t]", "[\\p{Cf}\\p{Zl}\\p{Zp}]", "^[ \\t]*\\t", "^[ \\t]+$"].join(
    "|",
  ),
  "mu",
);

/**
 * A comment's lines, each beginning with `#`. Every character that ends a line for Nix or for a
 * reader starts a new comment line; other control characters, and those that reorder or hide text
 * (Unicode TR 36), become U+FFFD, so that no text can leave the comment.
 */
export function commentLines(text: string): readonly string[] {
  return text
    .toWellFormed()
    .split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/)
    .map((line) =>
      `# ${line.replaceAll("\t", "  ").replace(/[\p{Cc}\p{Cf}]/gu, "\ufffd")}`.trimEnd(),
    );
}
