import { canonicalJson, prettyJson } from "#core/canonical-json.ts";
import { type Files, type Io, timestamp } from "#core/io.ts";
import type { Assignment } from "#protocol/trust/assignment.ts";
import type { Offer } from "#protocol/trust/offer.ts";
import { assignedFile } from "./places.ts";

/** Most bytes that are read of it. */
export const maxAssignedBytes = 4 * 1024 * 1024;

/** What {@link assignedFile} holds. */
export interface AssignedFile {
  readonly v: 1;
  /** `null`: nothing is wanted. */
  readonly assignment: Assignment | null;
  /** The metadata that said so; empty where an assignment was withdrawn. */
  readonly envelope: Omit<Offer, "documents">;
  /** Texts of targets that came along, verified. */
  readonly documents: Readonly<Record<string, string>>;
  readonly receivedAt: string;
}

/**
 * What was assigned last; `undefined` where nothing ever was, or it does not read as {@link isAssigned}: then it is
 * written anew.
 */
export function readAssigned(files: Files): AssignedFile | undefined {
  try {
    const text = files.readText(assignedFile, { maxBytes: maxAssignedBytes });
    const content: unknown = text === undefined ? undefined : JSON.parse(text);
    return isAssigned(content) ? content : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it is of this version, and says what is assigned. */
export function isAssigned(value: unknown): value is AssignedFile {
  const { v, assignment } = (value ?? {}) as Partial<AssignedFile>;
  if (v !== 1 || assignment === undefined) return false;
  if (assignment === null) return true;
  const { updateId, release, update, closures } = assignment as Partial<Assignment>;
  const texts = [updateId, release?.path, release?.name, release?.sha256];
  return (
    texts.every((text) => typeof text === "string" && text !== "") &&
    Number.isSafeInteger(release?.number) &&
    typeof update === "object" &&
    Array.isArray(closures)
  );
}

/**
 * Writes down what is assigned; whether that is another thing than before. Of the same thing the newer
 * signatures are kept: what is believed by now is newer than those that lie there, so they would count no more.
 */
export function keepAssigned(
  { files, clock }: Pick<Io, "files" | "clock">,
  offer: Offer,
  assignment: Assignment | null,
): boolean {
  const { documents = {}, ...envelope } = offer;
  const before = readAssigned(files);
  const isFirst = before === undefined && files.stat(assignedFile) === undefined;
  const isSame =
    before === undefined
      ? isFirst && assignment === null
      : canonicalJson(before.assignment) === canonicalJson(assignment);
  const content: AssignedFile = {
    v: 1,
    assignment,
    envelope,
    documents,
    receivedAt: timestamp(clock),
  };
  if (!isSame) {
    write(files, content);
    return true;
  }
  if (before === undefined || assignment === null) return false; // nothing is wanted: nobody looks at why
  if (canonicalJson(before.envelope) !== canonicalJson(envelope)) {
    const { receivedAt } = before;
    write(files, { ...content, documents: { ...before.documents, ...documents }, receivedAt });
  }
  return false;
}

function write(files: Files, content: AssignedFile): void {
  files.write(assignedFile, prettyJson(content), { mode: 0o644 });
}
