import type { FindingLevel } from "#core/finding.ts";

/** What is wrong with how a message is written; the names follow Python's `email.errors`. */
export type MimeDefect =
  | "no-boundary"
  | "no-start-boundary"
  | "no-close-boundary"
  | "no-empty-line"
  | "first-line-is-continuation"
  | "no-header-name"
  | "misplaced-envelope"
  | "encoded-multipart"
  | "large-header"
  | "too-deep"
  | "too-many-parts";

/** A defect, and where it is. */
export interface MimeFault {
  readonly defect: MimeDefect;
  /** Line of the message, from 1. */
  readonly line: number;
}

interface Said {
  readonly level: FindingLevel;
  readonly message: string;
  readonly hint: string;
}

const encoded = "write the header again as a mail program or `cloud-init devel make-mime` does";

/** How each is told: an error where something of the message is not read, or where it was cut. */
export const mimeDefects: Readonly<Record<MimeDefect, Said>> = {
  "no-boundary": {
    level: "error",
    message: "this multipart names no boundary: nothing of it is read",
    hint: 'write `Content-Type: multipart/mixed; boundary="BOUNDARY"`, and `--BOUNDARY` before each part',
  },
  "no-start-boundary": {
    level: "error",
    message: "no line of this multipart begins a part: nothing of it is read",
    hint: "write `--BOUNDARY` alone in the line before each part, as `Content-Type` names it",
  },
  "no-close-boundary": {
    level: "error",
    message: "this multipart has no end: the document may have been cut",
    hint: "check that it is whole, and end it with the line `--BOUNDARY--`",
  },
  "no-empty-line": {
    level: "warning",
    message: "no empty line divides the header from the text, which is taken to begin here",
    hint: "write an empty line after the header",
  },
  "first-line-is-continuation": {
    level: "warning",
    message: "a header begins with a line that goes on from another one; it is passed over",
    hint: encoded,
  },
  "no-header-name": {
    level: "warning",
    message: "a line of the header has no name before its colon; it is passed over",
    hint: encoded,
  },
  "misplaced-envelope": {
    level: "warning",
    message: "`From ` without a colon stands amid a header; the line is passed over",
    hint: encoded,
  },
  "encoded-multipart": {
    level: "warning",
    message: "a multipart has an encoding of its own, which has no meaning: its parts have theirs",
    hint: "take `Content-Transfer-Encoding` out of the header of the multipart",
  },
  "large-header": {
    level: "error",
    message: "a header is larger than 64 KiB: its lines from here on are passed over",
    hint: "check that the document is whole, and that an empty line ends the header",
  },
  "too-deep": {
    level: "error",
    message: "multiparts lie more than 64 deep in each other: this one is not read",
    hint: "write the parts beside each other",
  },
  "too-many-parts": {
    level: "error",
    message: "a document has at most 1000 parts: those from here on are not read",
    hint: "write several parts as one",
  },
};
