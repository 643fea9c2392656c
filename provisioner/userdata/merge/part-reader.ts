import { type Finding, hasErrors } from "#core/finding.ts";
import type { DocumentPart } from "../document-parts.ts";
import { InputDocument } from "../input-document.ts";
import { inDocument } from "../read-document.ts";
import type { Coverage } from "../translation.ts";
import { findIllFormedTexts } from "../well-formed.ts";
import { readYamlTree, viewOf, type YamlTree } from "../yaml.ts";
import { lineTable, prepareText } from "../yaml-text.ts";
import type { Item } from "../yaml-values.ts";
import { readJsonTree } from "./json-text.ts";
import { MergeProblem } from "./merge-problem.ts";
import type { TextRow } from "./text-row.ts";

/** A part as a value with places in the row; without one where it says nothing, or is broken. */
export interface ReadPart {
  readonly item: Item | undefined;
  readonly findings: readonly Finding[];
  readonly coverage?: Coverage;
}

/** Reads a part with its places in its document. */
export function readPart(part: DocumentPart, row: TextRow): ReadPart {
  const read = part.format === "cloud-config-jsonp" ? readPatch(part, row) : readConfig(part, row);
  return { ...read, findings: inDocument(read.findings, part) };
}

/** Reads a `#cloud-config`, which must be a mapping, or nothing. */
function readConfig(part: DocumentPart, row: TextRow): ReadPart {
  const tree = readYamlTree(part.text, { document: part.document });
  const findings = judge(part, tree);
  if (hasErrors(findings)) return { item: undefined, findings };
  const { root } = tree;
  if (root === undefined || root.value.scalar?.json === null) return { item: undefined, findings };
  if (root.value.members === null) {
    const { findings: said, coverage } = refuseKind(part, tree, root);
    return { item: undefined, findings: [...findings, ...said], coverage };
  }
  return { item: row.add(part, tree), findings };
}

/** Reads a `#cloud-config-jsonp`: JSON after its first line, which may be missing. */
function readPatch(part: DocumentPart, row: TextRow): ReadPart {
  const { document } = part;
  const text = prepareText(part.text).slice(0, -1); // as offsets count it
  const start = text.length - text.trimStart().length;
  const [header = ""] = /^#cloud-config-jsonp/i.exec(text.slice(start)) ?? [];
  const { place } = lineTable(prepareText(text));
  try {
    const tree = { root: readJsonTree(text, start + header.length), findings: [], place };
    const findings = judge(part, tree);
    const item = hasErrors(findings) ? undefined : row.add(part, tree);
    return { item, findings };
  } catch (error) {
    if (!(error instanceof MergeProblem)) throw error;
    const { code, message, hint, at = start } = error;
    const what = { ...place(at), level: "error", code, message, hint } as const;
    return { item: undefined, findings: [{ document, path: "", ...what }] };
  }
}

function judge(
  { document }: DocumentPart,
  { root, findings, place }: YamlTree,
): readonly Finding[] {
  if (hasErrors(findings) || root === undefined) return findings;
  const { locate } = viewOf(root, place);
  return [...findings, ...findIllFormedTexts(document, root.value.json, locate)];
}

function refuseKind({ document, text }: DocumentPart, { place }: YamlTree, root: Item) {
  const { value } = root;
  const view = viewOf(root, place);
  const input = new InputDocument({
    name: document,
    value: value.json,
    ...view,
    textOf: () => text,
  });
  input.root.expected("a mapping of cloud-config keys");
  return { findings: input.findings, coverage: input.coverage() };
}
