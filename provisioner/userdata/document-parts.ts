import type { Finding } from "#core/finding.ts";
import type { RawDocument } from "./translation.ts";
import { decodeUserData, sniff, type UserDataFormat } from "./user-data-format.ts";

/** A part of a document as text, with what its headers say of it. */
export interface DocumentPart {
  /** Name used in findings; no other part has it: `user-data`, `user-data part 2 (motd.cfg)`. */
  readonly document: string;
  readonly format: UserDataFormat;
  readonly text: string;
  /** The header `Merge-Type`, else `X-Merge-Type`: how it is merged into what stands before it. */
  readonly mergeType?: string | null;
  /** Line of the document that it begins in, where that is not the first one. */
  readonly firstLine?: number;
}

/** The parts of a document, in order, and what is said of those that could not be read. */
export interface SplitDocument {
  readonly parts: readonly DocumentPart[];
  readonly findings: readonly Finding[];
}

/** A document as the one part that it is; an empty one has none. */
export function splitDocument(raw: RawDocument): SplitDocument {
  const { text, findings } = decodeUserData(raw);
  if (text === undefined) return { parts: [], findings };
  const sniffed = sniff(text);
  const format = sniffed === "unknown" ? (raw.format ?? sniffed) : sniffed;
  const parts = format === "empty" ? [] : [{ document: raw.document, format, text }];
  return { parts, findings };
}
