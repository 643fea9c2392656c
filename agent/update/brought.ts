import { prettyJson } from "#core/canonical-json.ts";
import { Fault, isFault } from "#core/fault.ts";
import { type Files, type Io, timestamp } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { readAssigned } from "./assignment.ts";
import { broughtFile } from "./places.ts";
import type { SubmitAnswer } from "./receive.ts";

/** The message of an update in a directory; the same that a broker would bring. */
export const messageFile = "desired.json";

/** As much as the root side takes of one message. */
const maxMessageBytes = 256 * 1024;

/** A directory that somebody brought an update in, until the update is over. Nothing of it is believed. */
export interface Brought {
  readonly v: 1;
  /** `null` while it is being looked at. */
  readonly updateId: string | null;
  readonly directory: string;
  readonly at: string;
}

/** What bringing takes. */
export interface ImportDeps {
  readonly io: Io;
  readonly log: Log;
  /** Verifies and stores, as of any message. */
  readonly submit: (bytes: Uint8Array) => Promise<Pick<SubmitAnswer, "kind" | "code" | "message">>;
  /** Keeps the document of the release that is assigned now, from the directory or from elsewhere. */
  readonly keepDocument: () => Promise<void>;
}

/** What came of it. */
export interface Imported {
  readonly kind: SubmitAnswer["kind"];
  readonly updateId: string | null;
  readonly release: string | null;
}

/**
 * Takes an update in from a directory: by the very checks that a message from the broker goes through, and
 * by no other way. Where it is taken its document is kept here, and the directory is a mirror for what else
 * the update needs. Throws `update/import-invalid`, and the fault by which it was refused.
 */
export async function importUpdate(d: ImportDeps, directory: string): Promise<Imported> {
  const { io, log } = d;
  const bytes = readMessage(io.files, directory);
  const before = io.files.readText(broughtFile);
  // Before the answer: what is assigned is begun at once, by another process.
  write(io, { updateId: null, directory });
  const answer = await d.submit(bytes).catch((error) => {
    putBack(io, before);
    throw error;
  });
  if (answer.kind === "refused") {
    putBack(io, before);
    const { code = "trust/malformed", message = "" } = answer;
    throw new Fault(code as Fault["code"], `${directory}: ${message}`);
  }
  const assignment = readAssigned(io.files)?.assignment ?? null;
  if (assignment === null) {
    io.files.remove(broughtFile);
    return { kind: answer.kind, updateId: null, release: null };
  }
  const { updateId, release } = assignment;
  const imported = { kind: answer.kind, updateId, release: release.path };
  if (answer.kind === "unchanged" && io.files.stat(`${directory}/release`) === undefined) {
    putBack(io, before); // links of a root chain, and no mirror of what is assigned
    return imported;
  }
  write(io, { updateId, directory });
  try {
    await d.keepDocument();
  } catch (error) {
    if (!isFault(error, "system/fetch-failed")) throw error;
    log.warning("update.import.incomplete", { message: error.message });
  }
  log.info("update.imported", { directory, updateId, answer: answer.kind });
  return imported;
}

/** The mirror that was brought for an update, as an address. */
export function broughtMirror(files: Files, updateId: string): string | undefined {
  const text = files.readText(broughtFile, { maxBytes: 64 * 1024 });
  if (text === undefined) return undefined;
  try {
    const brought = JSON.parse(text) as Partial<Brought> | null;
    if (brought?.v !== 1 || typeof brought.directory !== "string") return undefined;
    const isOfThis = brought.updateId === null || brought.updateId === updateId;
    return isOfThis ? addressOf(brought.directory) : undefined;
  } catch {
    return undefined;
  }
}

function addressOf(directory: string): string {
  const url = new URL("file:///");
  url.pathname = `${directory}/`;
  return url.href;
}

function readMessage(files: Files, directory: string): Uint8Array {
  const path = `${directory}/${messageFile}`;
  const hint = "docs/updates.md says what lies in the directory of an update";
  try {
    const bytes = files.read(path, { maxBytes: maxMessageBytes });
    if (bytes !== undefined) return bytes;
  } catch (cause) {
    const why = isFault(cause) ? cause.message : String(cause);
    throw new Fault("update/import-invalid", `${path}: ${why}`, { cause, hint });
  }
  throw new Fault("update/import-invalid", `${path} does not exist`, { hint });
}

function write(io: Io, { updateId, directory }: Pick<Brought, "updateId" | "directory">): void {
  const brought: Brought = { v: 1, updateId, directory, at: timestamp(io.clock) };
  io.files.write(broughtFile, prettyJson(brought), { mode: 0o644 });
}

function putBack({ files }: Io, before: string | undefined): void {
  if (before === undefined) files.remove(broughtFile);
  else files.write(broughtFile, before, { mode: 0o644 });
}
