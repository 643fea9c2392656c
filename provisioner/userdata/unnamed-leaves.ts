import type { Json } from "#core/canonical-json.ts";
import { findingPath } from "#core/finding.ts";
import { translateCloudConfig } from "./cloud-config/translate.ts";
import { SpecDraft } from "./draft.ts";
import { InputDocument } from "./input-document.ts";
import type { TranslationContext } from "./translation.ts";

/**
 * Paths of the leaves of a cloud-config of which nothing became, or that are not used while no finding
 * says so of them or of what they are in. Tests hold that there are none.
 */
export function unnamedLeaves(config: Json, context: TranslationContext): readonly string[] {
  const document = new InputDocument({ name: "x", value: config, locate: () => undefined });
  translateCloudConfig(document.root, new SpecDraft(), context);
  const named = new Set(document.findings.map(({ path }) => path));
  return document.leaves().flatMap(({ input: { path }, fate }) => {
    const isNamed = path.some((_, end) => named.has(findingPath(path.slice(0, end + 1))));
    return fate === undefined || (fate === "unsupported" && !isNamed) ? [path.join(".")] : [];
  });
}
