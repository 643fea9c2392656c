import { type Finding, formatFinding } from "#core/finding.ts";

/** Lines that a document is shown with at most, from its first. */
const maxLines = 10_000;

/**
 * A document with what is to be said of it below each line, for a person:
 *
 *     2 │ pakages: [htop]
 *       │ ^ error: cloud-config has no such key [cloud-config/unknown-key]
 *       │   did you mean `packages`?
 *
 * What has no line in it, and what is said of its parts, stands at the end.
 */
export function annotate(document: string, text: string, findings: readonly Finding[]): string {
  const lines = text.split(/\r\n?|\n/);
  if (lines.at(-1) === "") lines.pop();
  const width = String(Math.min(lines.length, maxLines)).length;
  // A part of it has lines of its own, where it was encoded.
  const byLine = Map.groupBy(findings, (each) => (each.document === document ? each.line : null));
  const shown = lines.slice(0, maxLines).flatMap((line, index) => {
    const number = index + 1;
    const said = (byLine.get(number) ?? []).flatMap((finding) => marked(finding, line));
    byLine.delete(number);
    return [
      `${String(number).padStart(width)} │ ${shownLine(line)}`.trimEnd(),
      ...said.map((words) => `${" ".repeat(width)} │ ${words}`),
    ];
  });
  const rest = [...byLine.values()].flat().map(formatFinding);
  return [...shown, ...rest, ""].join("\n");
}

function marked({ column, level, code, message, hint, path }: Finding, line: string): string[] {
  const before = [...line].slice(0, (column ?? 1) - 1).map((sign) => (sign === "\t" ? "\t" : " "));
  const margin = before.join("");
  const name = path === "" ? "" : ` ${path}`;
  const first = `${margin}^ ${level}${name}: ${message} [${code}]`;
  return hint === null ? [first] : [first, `${margin}  ${hint}`];
}

/** Without characters that a terminal acts on. */
function shownLine(line: string): string {
  return line
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => (sign === "\t" ? sign : "\ufffd"));
}
