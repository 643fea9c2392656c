import { canonicalJson, type Json, sha256 } from "#core/canonical-json.ts";
import { describeFault, Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { Release } from "#generated/protocol/trust/release.ts";
import type { Health } from "#generated/provisioner/spec/v1.ts";
import type { Assignment } from "#protocol/trust/assignment.ts";
import { readUntrusted } from "#protocol/trust/read-untrusted.ts";
import { isAssigned, maxAssignedBytes } from "./assigned-file.ts";
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

/** What was assigned last; `undefined` where nothing ever was. Throws `update/assignment-invalid`. */
export function readAssigned(files: Files): Assigned | undefined {
  const text = files.readText(assignedFile, { maxBytes: maxAssignedBytes });
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

const releaseLimits = { bytes: 4 * 1024 * 1024, depth: 64, members: 200_000 };

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

/**
 * What a release without a spec calls healthy; `undefined`: the defaults. Throws `update/release-invalid`:
 * a check that is not understood must not count as one that passes.
 */
export async function readReleasedHealth({ name, health }: Release): Promise<Health | undefined> {
  const { readHealth } = await import("../health/judging.ts");
  const read = await readHealth(`release/${name}`, health);
  const [first] = read.problems;
  if (first !== undefined) throw invalid(`release/${name}`, first);
  return read.health;
}

/**
 * Throws `update/release-invalid`, `update/part-unknown` and `update/bundle-incomplete` for a release whose
 * payload this firstlight cannot take whole.
 */
export async function checkPayload(release: Release): Promise<void> {
  if (release.spec === undefined) await readReleasedHealth(release);
  for (const part of release.parts ?? []) checkPart(release, part);
}

type Part = NonNullable<Release["parts"]>[number];

/**
 * A part is what the release brings itself: its spec, or its system. Of anything else nobody could say here
 * whether it was taken, or taken back.
 */
function checkPart({ name, spec, closure }: Release, part: Part): void {
  const place = `release/${name}`;
  if (part.name !== "spec" && part.name !== "system")
    throw new Fault("update/part-unknown", `${place}: ${part.name}: expected spec or system`);
  const digest =
    part.name === "system"
      ? closure?.manifestDigest
      : spec === undefined
        ? undefined
        : sha256(canonicalJson(spec as Json));
  if (digest === part.sha256) return;
  const what = digest === undefined ? "it did not come with it" : `its digest is ${digest}`;
  throw new Fault("update/bundle-incomplete", `${place}: ${part.name} ${part.sha256}: ${what}`);
}
