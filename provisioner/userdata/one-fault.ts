import type { Code } from "#core/codes.ts";
import { type Finding, placeOfFinding } from "#core/finding.ts";

/** What is said of a value that is of another kind, or none, and is taken for something all the same. */
const readings: ReadonlySet<Code> = new Set<Code>([
  "user-data/no-value",
  "user-data/taken-as-text",
  "user-data/taken-as-whole",
]);

/** Errors that say of a value that it is not what may stand there. */
const refusals: ReadonlySet<Code> = new Set<Code>([
  "user-data/wrong-type",
  "cloud-config/invalid",
  "network/invalid",
  "spec/invalid",
]);

/**
 * One finding for each fault: of a value that is refused it is not said as well what it was taken for,
 * nor by the spec what its own document says already.
 */
export function onePerFault(findings: readonly Finding[]): readonly Finding[] {
  const refused = findings.filter(isRefusal);
  if (refused.length === 0) return findings;
  const own = new Set(refused.filter(({ code }) => code !== "spec/invalid").map(placeOf));
  const said = new Set<string>();
  return findings.filter((finding) => {
    const place = placeOf(finding);
    if (finding.line === null) return true;
    if (readings.has(finding.code)) return !own.has(place);
    if (!isRefusal(finding)) return true;
    if (finding.code === "spec/invalid" && own.has(place)) return false;
    const words = `${placeOfFinding(finding)}\0${finding.message}`;
    return !said.has(words) && said.add(words) !== undefined;
  });
}

/** Whether a finding says of a whole value that it does not fit, and not of what it holds or lacks. */
export function isRefusal({ level, code, message }: Finding): boolean {
  return (
    level === "error" &&
    refusals.has(code) &&
    !/^lacks |has no such key$|got one without$/.test(message)
  );
}

function placeOf({ document, line, column }: Finding): string {
  return `${document}:${line}:${column}`;
}
