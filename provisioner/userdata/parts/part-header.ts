import type { MimeHeader } from "./mime-header.ts";

/** What the header of a part says that has a meaning for user-data. */
export interface PartHeader {
  readonly filename: string | null;
  readonly mergeType: string | null;
  /** As it is written; a whole number where it counts. */
  readonly launchIndex: string | null;
  /** Names of fields that cloud-init reads only when they are written otherwise. */
  readonly misspelt: readonly string[];
}

const mergeNames = ["Merge-Type", "X-Merge-Type"] as const;

/** A header without a field. */
export const noHeader: PartHeader = {
  ...{ filename: null, mergeType: null, launchIndex: null, misspelt: [] },
};

/** Reads the header of a part of a message. */
export function partHeader(header: MimeHeader): PartHeader {
  const fields = header.fields.map(({ name, value }) => [name, value] as const);
  return headerOf(fields, header.filename() || null);
}

/** The same of fields by name. `Merge-Type` counts as it is written, the last one of it (cloud-init's handler for cloud-config). */
export function headerOf(
  fields: readonly (readonly [string, string])[],
  filename: string | null,
): PartHeader {
  const byName = new Map(fields);
  const merge = mergeNames.map((name) => byName.get(name)).find((value) => value);
  const index = fields.find(([name]) => name.toLowerCase() === "launch-index");
  const misspelt = fields
    .map(([name]) => name)
    .filter((name) => mergeNames.some((each) => isOtherCase(name, each)));
  return {
    filename,
    mergeType: merge?.trim() ?? null,
    launchIndex: index?.[1].trim() ?? null,
    misspelt: [...new Set(misspelt)],
  };
}

function isOtherCase(name: string, wanted: string): boolean {
  return name !== wanted && name.toLowerCase() === wanted.toLowerCase();
}
