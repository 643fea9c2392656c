import type { PartFormat } from "./parts/part.ts";

/** A part of a document as text, with what its headers say of it. */
export interface DocumentPart {
  /** Name used in findings: `user-data`, `user-data: part 2 (motd.cfg)`. */
  readonly document: string;
  readonly format: PartFormat;
  readonly text: string;
  /** The header `Merge-Type`, else `X-Merge-Type`: how it is merged into what stands before it. */
  readonly mergeType?: string | null;
  /** Line of the document that it begins in, where that is not the first one. */
  readonly firstLine?: number;
}
