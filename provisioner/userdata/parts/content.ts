import type { PartFormat } from "./part.ts";
import type { PartHeader } from "./part-header.ts";

/** Where a part is. */
export interface ContentPlace {
  /** Name used in findings. */
  readonly document: string;
  /** Line of the raw document that it begins in; 1 where its lines are not those of that document. */
  readonly firstLine: number;
}

/** What a document holds: all of it, or one part, decoded as its header says. */
export interface Content extends ContentPlace {
  readonly bytes: Uint8Array;
  /** `type/subtype` in small letters. */
  readonly contentType: string;
  readonly header: PartHeader;
  readonly charset?: string | undefined;
  /** What it is where neither type nor first line say it. */
  readonly format?: PartFormat | undefined;
  /** Whether it is a document of its own, not one part among others. */
  readonly isWhole?: boolean;
  /** Whether it is what a template was rendered to. */
  readonly isTemplate?: boolean;
  /** How many archives it is in. */
  readonly archives: number;
}
