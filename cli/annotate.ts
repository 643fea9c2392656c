import { type Finding, formatFinding } from "#core/finding.ts";

/** Lines that a document is shown with at most, from its first. */
const maxLines = 10_000;

/** A part of a document: its text, and the line of the document that it begins in. */
export interface AnnotatedPart {
  readonly document: string;
  readonly text?: string | undefined;
  readonly firstLine: number;
}

/**
 * A document with what is to be said of it below each line, for a person:
 *
 *     2 │ pakages: [htop]
 *       │ ^ error: cloud-config has no such key [cloud-config/unknown-key]
 *       │   did you mean `packages`?
 *
 * What is said of a part stands below its line as well, where the part is in the document as text. What has
 * no line in it, and what is said of a part that is encoded, stands at the end.
 */
export function annotate(
  document: string,
  text: string,
  {
    findings,
    parts = [],
  }: { readonly findings: readonly Finding[]; readonly parts?: readonly AnnotatedPart[] },
): string {
  const lines = text.split(/\r\n?|\n/);
  if (lines.at(-1) === "") lines.pop();
  const width = String(Math.min(lines.length, maxLines)).length;
  const placed = findings.map((finding) => inWhole(finding, lines, { document, parts }));
  const byLine = Map.groupBy(placed, (each) => (each.document === document ? each.line : null));
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

/** A finding about a part as one about the whole, where the line of the part is one of the whole. */
function inWhole(
  finding: Finding,
  lines: readonly string[],
  { document, parts }: { readonly document: string; readonly parts: readonly AnnotatedPart[] },
): Finding {
  const { line, column } = finding;
  const part = parts.find((each) => each.document === finding.document);
  if (line === null || part?.text === undefined || !part.document.startsWith(`${document}: `))
    return finding;
  const own = part.text.split(/\r\n?|\n/)[line - part.firstLine];
  const whole = lines[line - 1];
  if (own === undefined || whole?.endsWith(own) !== true) return finding;
  // what an archive indents is no part of the text
  const before = [...whole].length - [...own].length;
  return { ...finding, document, column: (column ?? 1) + before };
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
