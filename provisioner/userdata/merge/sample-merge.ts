import type { Json } from "#core/canonical-json.ts";
import type { Finding } from "#core/finding.ts";
import type { DocumentPart } from "../document-parts.ts";
import { sniff } from "../user-data-format.ts";
import { MergeLimits } from "./merge-limits.ts";
import { mergeParts } from "./merge-parts.ts";
import { TextRow } from "./text-row.ts";

/** Parts as texts, for tests: `part1`, `part2`, …, with a header where one is given. */
export function partsOf(
  texts: readonly (string | Omit<DocumentPart, "document" | "format">)[],
): readonly DocumentPart[] {
  return texts.map((each, index) => {
    const part = typeof each === "string" ? { text: each } : each;
    const isPatch = sniff(part.text) === "cloud-config-jsonp";
    const format = isPatch ? "cloud-config-jsonp" : "cloud-config";
    return { document: `part${index + 1}`, format, ...part };
  });
}

/** What parts are together, and what is said of it: `part2:3:1 error merge/failed runcmd`. */
export function mergeTexts(texts: Parameters<typeof partsOf>[0]): {
  readonly value: Json | undefined;
  readonly said: readonly string[];
  readonly findings: readonly Finding[];
} {
  const { item, findings } = mergeParts(partsOf(texts), {
    row: new TextRow(),
    limits: new MergeLimits(),
  });
  const said = findings.map(
    ({ document, line, column, level, code, path }) =>
      `${document}:${line}:${column} ${level} ${code}${path === "" ? "" : ` ${path}`}`,
  );
  return { value: item?.value.json, said, findings };
}
