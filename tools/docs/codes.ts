import type { CodeEntry } from "#core/codes/entry.ts";
import { codes } from "#core/codes.ts";

const introduction = `# Codes

Every fault and every finding carries one of these codes. They are public: a code is never renamed,
and \`firstlight explain CODE\` prints its entry. The message beside a code says what happened this
time; the code says what kind of thing it is and what to do.

This page is made from \`core/codes/\` by \`npm run docs\`.
`;

/** `docs/codes.md`: a table for each area, the part of a code before its slash. */
export function codesPage(): string {
  const areas = Map.groupBy(Object.entries<CodeEntry>(codes), ([code]) => areaOf(code));
  const sections = [...areas.keys()].sort().map((area) => section(area, areas.get(area) ?? []));
  return [introduction, ...sections].join("\n");
}

function areaOf(code: string): string {
  return code.slice(0, code.indexOf("/"));
}

function section(area: string, entries: readonly (readonly [string, CodeEntry])[]): string {
  const rows = [...entries]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { means, action }]) => `| \`${code}\` | ${cell(means)} | ${cell(action)} |\n`);
  return `## ${area}\n\n| code | means | what to do |\n|---|---|---|\n${rows.join("")}`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
