import type { Json } from "#core/canonical-json.ts";
import { type Finding, findingPath } from "#core/finding.ts";
import type { PathPart } from "./input.ts";
import type { YamlDocument } from "./yaml.ts";

/**
 * One error for each text or key that is no Unicode text: JSON escapes can write half of a
 * surrogate pair (`"\ud800"`), which neither UTF-8 nor Nix can hold.
 */
export function findIllFormedTexts(
  document: string,
  value: Json,
  locate: YamlDocument["locate"],
): readonly Finding[] {
  const findings: Finding[] = [];
  const path: PathPart[] = [];
  const report = (target: "key" | "value") => {
    const { line, column } = locate(path, target) ?? { line: null, column: null };
    findings.push({
      document,
      path: findingPath(path),
      line,
      column,
      level: "error",
      code: "user-data/not-unicode",
      message: `the ${target === "key" ? "key" : "text"} holds half of a surrogate pair`,
      hint: "write the whole character",
    });
  };
  const visit = (part: PathPart, inner: Json) => {
    path.push(part);
    if (typeof part === "string" && !part.isWellFormed()) report("key");
    walk(inner);
    path.pop();
  };
  const walk = (inner: Json) => {
    if (typeof inner === "string") {
      if (!inner.isWellFormed()) report("value");
    } else if (Array.isArray(inner)) {
      for (const [index, item] of inner.entries()) visit(index, item);
    } else if (typeof inner === "object" && inner !== null) {
      for (const [key, item] of Object.entries(inner)) visit(key, item);
    }
  };
  walk(value);
  return findings;
}
