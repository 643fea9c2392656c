import type { RenderResult } from "#provisioner/render/render.ts";
import type { Documents } from "#provisioner/userdata/translate.ts";
import type { Translation } from "#provisioner/userdata/translation.ts";
import { findingsOfBlame, weighFinding } from "#provisioner/userdata/vendor-data.ts";
import { type PreviewOptions, renderPreview } from "./preview.ts";

/**
 * Translates and renders as a node does: where an error stands in vendor-data, all is made again without
 * it. The findings are those of both steps.
 */
export async function renderDocuments(
  documents: Documents,
  translate: (documents: Documents) => Promise<Translation>,
  options: PreviewOptions,
): Promise<RenderResult> {
  const renderOne = async (some: Documents) => {
    const translation = await translate(some);
    const { vendorDocuments } = translation;
    const { sources, findings } = await renderPreview(translation, options);
    const weighed = findings.map((finding) => weighFinding(finding, vendorDocuments));
    const blamed = findingsOfBlame([...translation.findings, ...findings], vendorDocuments);
    return { sources, findings: [...translation.findings, ...weighed], blamed };
  };
  const whole = await renderOne(documents);
  if (whole.blamed.length === 0) return whole;
  const without = { ...documents, vendorData: undefined, vendorData2: undefined };
  const { sources, findings } = await renderOne(without);
  return { sources, findings: [...findings, ...whole.blamed] };
}
