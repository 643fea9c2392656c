import { type Finding, hasErrors } from "#core/finding.ts";
import { InputDocument } from "./input-document.ts";
import { type RowText, TextRow } from "./merge/text-row.ts";
import { findIllFormedTexts } from "./well-formed.ts";
import { readYamlTree, viewOf } from "./yaml.ts";
import type { Item } from "./yaml-values.ts";

/** A text of YAML as a document to be translated; without one where it has errors. */
export interface ReadDocument {
  readonly document: InputDocument | undefined;
  readonly findings: readonly Finding[];
}

/** Reads one text, with its places in the document that it is a part of. */
export function readDocument(text: RowText): ReadDocument {
  const tree = readYamlTree(text.text, { document: text.document });
  const findings = inDocument(tree.findings, text);
  if (hasErrors(findings)) return { document: undefined, findings };
  const row = new TextRow();
  const item = row.add(text, tree);
  const { locate } = viewOf(item, row.place.bind(row));
  const illFormed = findIllFormedTexts(text.document, item?.value.json ?? null, locate);
  if (hasErrors(illFormed)) return { document: undefined, findings: [...findings, ...illFormed] };
  return { document: documentOf(text.document, item, row), findings };
}

/** A value of a row as a document to be translated; `name` is the document of what has no place. */
export function documentOf(name: string, item: Item | undefined, row: TextRow): InputDocument {
  const view = viewOf(item, row.place.bind(row));
  const textOf = row.textOf.bind(row);
  return new InputDocument({ name, value: item?.value.json ?? null, ...view, textOf });
}

/** Findings about lines of a part as ones about lines of its document. */
export function inDocument(
  findings: readonly Finding[],
  { firstLine = 1 }: Pick<RowText, "firstLine">,
): readonly Finding[] {
  if (firstLine === 1) return findings;
  return findings.map(({ line, ...finding }) => {
    return { ...finding, line: line === null ? null : line + firstLine - 1 };
  });
}
