import { sha256 } from "#core/canonical-json.ts";
import { describeFault, Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { Release } from "#generated/protocol/trust/release.ts";
import type { Assignment } from "#protocol/trust/assignment.ts";
import { readUntrusted } from "#protocol/trust/read-untrusted.ts";
import { keptDocument } from "./kept-document.ts";
import { assignedFile } from "./places.ts";
import type { ReleaseName } from "./update-state.ts";

/** When an update may begin. */
export type Window = NonNullable<Assignment["update"]["window"]>;

/** What lies on the disk for the update machine. */
export interface Assigned {
  readonly v: 1;
  /** `null`: the fleet wants nothing now. */
  readonly assignment: Assignment | null;
  /** The metadata as they came. */
  readonly envelope: unknown;
  /** Texts of documents by target. */
  readonly documents: Readonly<Record<string, string>>;
  readonly receivedAt: string;
}

const maxBytes = 4 * 1024 * 1024;

/** What was assigned last; `undefined` where nothing ever was. Throws `update/assignment-invalid`. */
export function readAssigned(files: Files): Assigned | undefined {
  const text = files.readText(assignedFile, { maxBytes });
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Fault("update/assignment-invalid", `${assignedFile}: not JSON`, { cause });
  }
  if (isAssigned(value)) return withKept(files, { ...value, documents: value.documents ?? {} });
  throw new Fault("update/assignment-invalid", `${assignedFile}: expected version 1`);
}

/** With the document of its release, where that came by another way. */
function withKept(files: Files, assigned: Assigned): Assigned {
  const { assignment, documents } = assigned;
  if (assignment === null || documents[assignment.release.path] !== undefined) return assigned;
  const kept = keptDocument(files, assignment.release);
  if (kept === undefined) return assigned;
  return { ...assigned, documents: { ...documents, [assignment.release.path]: kept } };
}

function isAssigned(value: unknown): value is Assigned {
  const { v, assignment } = (value ?? {}) as Partial<Assigned>;
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

/** The name of a release, as the ledger keeps it. */
export function releaseName({ release }: Assignment): ReleaseName {
  const { path, name, number, sha256: digest } = release;
  return { path, name, number, sha256: digest };
}

/**
 * The document of the assigned release: the very bytes that were signed. Throws `update/release-missing`,
 * `update/release-invalid`.
 */
export async function readRelease({
  assignment,
  documents,
}: {
  readonly assignment: Assignment;
  readonly documents: Readonly<Record<string, string>>;
}): Promise<Release> {
  const { path, name, number, length, sha256: digest } = assignment.release;
  const text = documents[path];
  if (text === undefined) throw new Fault("update/release-missing", `${path} did not come with it`);
  const bytes = Buffer.byteLength(text);
  if (bytes !== length) throw invalid(path, `${bytes} bytes came, and ${length} were signed`);
  if (sha256(text) !== digest) throw invalid(path, `its digest is not ${digest}, which was signed`);
  const release = await parseRelease(text, path);
  if (release.name !== name || release.number !== number)
    throw invalid(
      path,
      `it says ${release.name} ${release.number}, and ${name} ${number} was signed`,
    );
  return release;
}

const releaseLimits = { bytes: maxBytes, depth: 64, members: 200_000 };

/** A release from its text. Throws `update/release-invalid`. */
export async function parseRelease(text: string, path: string): Promise<Release> {
  let value: unknown;
  try {
    value = readUntrusted(Buffer.from(text), releaseLimits);
  } catch (cause) {
    throw new Fault("update/release-invalid", `${path}: ${describeFault(cause).message}`, {
      cause,
    });
  }
  const { validate } = await import("#generated/protocol/trust/release.validate.js");
  if (!validate(value)) {
    const [first] = validate.errors ?? [];
    throw invalid(path, `${first?.instancePath ?? ""}: ${first?.message ?? "does not fit"}`);
  }
  const release = value as Release;
  if (release.spec === undefined && release.closure === undefined)
    throw invalid(path, "expected `spec`, `closure` or both");
  return release;
}

function invalid(path: string, what: string): Fault {
  return new Fault("update/release-invalid", `${path}: ${what}`);
}

/** Throws `update/release-invalid` for a release that brings what this firstlight cannot make. */
export function checkPayload({ name, spec, parts = [] }: Release): void {
  if (spec === undefined)
    throw invalid(`release/${name}`, "expected a spec; a closure alone is not taken");
  if (parts.length > 0) throw invalid(`release/${name}`, "it has parts, and none are taken yet");
}
