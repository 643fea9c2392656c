import type { Finding } from "#core/finding.ts";

/** As many errors, and as many other findings, as a person may read. */
const maxFindings = 500;

/** The first findings of each kind, and one more that says how many are not listed. */
export function boundFindings(findings: readonly Finding[]): readonly Finding[] {
  const counts = { error: 0, other: 0 };
  const kept = findings.filter(({ level }) => {
    const kind = level === "error" ? "error" : "other";
    counts[kind] += 1;
    return counts[kind] <= maxFindings;
  });
  const [first] = findings;
  if (first === undefined || kept.length === findings.length) return kept;
  return [
    ...kept,
    {
      document: (kept.at(-1) ?? first).document,
      path: "",
      line: kept.at(-1)?.line ?? null,
      column: kept.at(-1)?.column ?? null,
      level: "warning",
      code: "user-data/more-findings",
      message: `${findings.length - kept.length} more findings are not listed`,
      hint: "mend those above first, then look again",
    },
  ];
}
