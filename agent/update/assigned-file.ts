import { canonicalJson, prettyJson } from "#core/canonical-json.ts";
import { type Files, type Io, timestamp } from "#core/io.ts";
import type { Assignment } from "#protocol/trust/assignment.ts";
import type { Offer } from "#protocol/trust/offer.ts";
import { assignedFile } from "./places.ts";

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

/** What was assigned last; `undefined` where nothing ever was, or it cannot be read: then it is written anew. */
export function readAssigned(files: Files): AssignedFile | undefined {
  try {
    const text = files.readText(assignedFile, { maxBytes: 4 * 1024 * 1024 });
    const content = text === undefined ? undefined : (JSON.parse(text) as AssignedFile | null);
    return content?.v === 1 ? content : undefined;
  } catch {
    return undefined;
  }
}

/** Writes down what is assigned; whether that is another thing than before. */
export function keepAssigned(
  { files, clock }: Pick<Io, "files" | "clock">,
  offer: Offer,
  assignment: Assignment | null,
): boolean {
  const { documents = {}, ...envelope } = offer;
  const before = readAssigned(files)?.assignment ?? null;
  if (canonicalJson(before) === canonicalJson(assignment)) return false;
  const content: AssignedFile = {
    v: 1,
    assignment,
    envelope,
    documents,
    receivedAt: timestamp(clock),
  };
  files.write(assignedFile, prettyJson(content), { mode: 0o644 });
  return true;
}
