import { type Finding, type FindingLevel, shownKey } from "#core/finding.ts";
import { nearest } from "#core/nearest.ts";
import { knownTypes } from "./part-format.ts";
import type { TransferProblem } from "./transfer-encoding.ts";

/** What is said of a place of a document. */
export type Said = Pick<Finding, "level" | "code" | "message" | "hint">;

/** A finding about a line of a document. */
export function findingAt(document: string, line: number | null, said: Said): Finding {
  return { document, path: "", line, column: line === null ? null : 1, ...said };
}

function say(level: FindingLevel, code: Finding["code"], message: string, hint: string): Said {
  return { level, code, message, hint };
}

const recode = "encode the part again, with `base64` and with the header that says so";

/** What is said of an encoding of a part. */
export const encodingProblems: Readonly<Record<TransferProblem, Said>> = {
  strange: say(
    "warning",
    "user-data/transfer-encoding",
    "there are characters in this part that are none of base64; they are passed over",
    recode,
  ),
  cut: say(
    "warning",
    "user-data/transfer-encoding",
    "the base64 of this part ends amid a group of characters: it may have been cut",
    "check that the document is whole",
  ),
  broken: say(
    "error",
    "user-data/transfer-encoding",
    "this part is not encoded as its header says: nothing of it is read",
    recode,
  ),
  unknown: say(
    "warning",
    "user-data/transfer-encoding",
    "this part names an encoding that is not known; it is taken as it is",
    "write `Content-Transfer-Encoding: base64`, `quoted-printable` or `8bit`",
  ),
};

/** The same of `Content-Encoding`, and of types that say that a part is packed. */
export const packingProblems = {
  unknown: say(
    "error",
    "user-data/transfer-encoding",
    "this part names a `Content-Encoding` that is not known: nothing of it is read",
    "pack it with gzip, or not at all",
  ),
  notPacked: say(
    "error",
    "user-data/undecodable",
    "expected gzip data, as the header of this part says; nothing of it is read",
    "pack it with gzip, or give it the type of what it is",
  ),
  tooLarge: say(
    "error",
    "user-data/too-large",
    "the parts of a document hold at most 64 MiB in all, each at most 16: this one is not read",
    "fetch large contents by address",
  ),
} as const;

/** What is said of parts by what they are. */
export const partProblems = {
  unknownDocument: say(
    "error",
    "user-data/unknown-format",
    "the first line names no format of user-data",
    "begin it with #cloud-config or #firstlight",
  ),
  partHandler: say(
    "error",
    "user-data/unsupported-format",
    "a part-handler is a program of Python, which runs nowhere here",
    "do what it does beforehand, and give the #cloud-config that comes of it",
  ),
  signed: say(
    "error",
    "user-data/unsupported-format",
    "a signed document is read where it is the whole user-data, and signed once",
    "sign the text itself",
  ),
  notTemplate: say(
    "error",
    "user-data/template-failed",
    "a part of the type text/jinja2 begins with the line `## template: jinja`, and this one does not",
    "write that line, or give the part the type of what it is",
  ),
  unrendered: say(
    "error",
    "user-data/unsupported-format",
    "a template is rendered by the node that it is for, over what its datasource says",
    "look at what it is rendered to: `tail -n +2 FILE | firstlight query --format -` on a node",
  ),
  tooManyParts: say(
    "error",
    "user-data/too-many-parts",
    "a document, with all that it names, has at most 1000 parts: those from here on are not read",
    "write several parts as one",
  ),
  templateInTemplate: say(
    "error",
    "user-data/template-failed",
    "a template is rendered once, and what came of it begins as a template again",
    "take the second `## template: jinja` out",
  ),
  archives: say(
    "error",
    "user-data/archive-entry",
    "archives lie more than 10 deep in each other: this one is not read",
    "write the parts beside each other",
  ),
  launchIndex: say(
    "warning",
    "user-data/launch-index",
    "`Launch-Index` is no whole number: the part is for no machine that has one",
    "write the number alone, from 0",
  ),
  signedLaunchIndex: say(
    "error",
    "user-data/signed-launch-index",
    "a part of signed text is for one of several machines, and which one this is nobody signed",
    "leave `Launch-Index` out, and sign a text for each machine",
  ),
  otherMachine: say(
    "note",
    "user-data/launch-index",
    "the part is for another of the machines that were started together; it is left out",
    "leave `Launch-Index` out where it is for all of them",
  ),
} as const;

/** Of a part that nothing reads; cloud-init passes over it, too. */
export function unreadPart(contentType: string): Said {
  const near = nearest(contentType, knownTypes);
  const isOpen = contentType === "text/plain" || contentType === "text/x-not-multipart";
  return say(
    "warning",
    "user-data/unknown-part",
    isOpen
      ? "neither its type nor its first line says what this part is: nothing of it is read"
      : `nothing reads parts of the type ${shownKey(contentType)}`,
    isOpen || near === undefined
      ? "begin it with #cloud-config or #!, and give it the type that goes with that"
      : `did you mean \`${near}\`?`,
  );
}

/** Of a field that cloud-init reads only as it is written in its documents. */
export function misspeltField(name: string): Said {
  return say(
    "warning",
    "user-data/merge-header",
    `${shownKey(name)} has no meaning as it is written: the part is merged as if it were not there`,
    "write `Merge-Type`",
  );
}

/** What is said of a document that another one names. */
export const includeProblems = {
  unprotected: say(
    "warning",
    "user-data/include-unprotected",
    "this address is read without protection: whoever is on the way can change what this machine becomes",
    "write https in the place of http",
  ),
  signed: say(
    "error",
    "user-data/signed-unprotected",
    "signed text includes what is read without protection, and nobody signed that: it is not read",
    "write https in the place of http",
  ),
  address: say(
    "error",
    "user-data/include-address",
    "expected an address with http or https",
    "put the document itself in the place of this line",
  ),
  empty: say(
    "warning",
    "user-data/include-address",
    "this list of documents to include names none",
    "write an address in each line",
  ),
  cycle: say(
    "error",
    "user-data/include-cycle",
    "this document is included by itself",
    "take this line out of one of the two",
  ),
  depth: say(
    "error",
    "user-data/include-limit",
    "documents include each other more than 10 deep: this one is not read",
    "name them in one list",
  ),
  count: say(
    "error",
    "user-data/include-limit",
    "at most 64 documents are included: those from here on are not read",
    "write several documents as one",
  ),
} as const;

/** Of a document that could not be read where it was looked for, or was not looked for. */
export function unreadInclude(shown: string): Said {
  return say(
    "error",
    "user-data/include-unread",
    `${shown} was not read`,
    "check that it can be read from this machine; elsewhere put the document itself in its place",
  );
}
