import { prettyJson } from "#core/canonical-json.ts";
import { Fault, isFault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import {
  type PinnedInstance,
  readPinnedInstance,
  writePinnedInstance,
} from "../pinned-instance.ts";
import { committedFile, stagedFile } from "./places.ts";
import type { ReleaseName } from "./update-state.ts";

/** A release as the root side keeps it: in the trial, and from the commit on in place of the user-data. */
export interface KeptRelease {
  readonly v: 1;
  readonly updateId: string;
  readonly release: ReleaseName;
  /** The very bytes that were signed. */
  readonly document: string;
  /** The change in the journal by which it is tried, or was committed. */
  readonly transaction: string;
  /** What the node was made from before it; absent where nobody knows. */
  readonly before?: MadeFrom;
}

/** What a node is made from: a release, or its user-data, and what that was held against. */
export interface MadeFrom {
  readonly release: Omit<KeptRelease, "before"> | null;
  readonly pinned: PinnedInstance | null;
}

const maxBytes = 4 * 1024 * 1024;

/** The release of the trial that is open; `undefined` where there is none. Throws `update/release-invalid`. */
export function readStaged(files: Files): KeptRelease | undefined {
  return readKept(files, stagedFile);
}

/**
 * The release that the node is made from; `undefined` where that is its user-data. Throws
 * `update/release-invalid` where that cannot be read: nobody may take it for a node without one.
 */
export function readCommitted(files: Files): KeptRelease | undefined {
  return readKept(files, committedFile);
}

/** Keeps the release of a trial from before it begins, and what the node is made from until then. */
export function writeStaged(io: Io, kept: Omit<KeptRelease, "v" | "before">): void {
  const before = readMadeFrom(io.files);
  const text = prettyJson({ v: 1, ...kept, ...(before === undefined ? {} : { before }) });
  io.files.write(stagedFile, text, { mode: 0o600 });
}

/** `undefined` where it cannot be read: the release that comes now writes it anew. */
function readMadeFrom(files: Files): MadeFrom | undefined {
  try {
    const committed = readCommitted(files);
    const pinned = readPinnedInstance(files) ?? null;
    if (committed === undefined) return { release: null, pinned };
    const { before: _older, ...release } = committed;
    return { release, pinned };
  } catch (error) {
    if (isFault(error)) return undefined;
    throw error;
  }
}

/** The release of a trial that was committed is what the node is made from. */
export function keepCommitted(io: Io, kept: KeptRelease): void {
  io.files.write(committedFile, prettyJson(kept), { mode: 0o600 });
  dropStaged(io);
}

/**
 * The node is made from what was before a release that was committed, whose first boot was left. Where nobody
 * knows that, the release stays, and is left alone as what was not well.
 */
export function dropCommitted(io: Io, { before }: KeptRelease): void {
  if (before === undefined) return;
  if (before.pinned !== null) writePinnedInstance(io, before.pinned);
  if (before.release === null) io.files.remove(committedFile);
  else io.files.write(committedFile, prettyJson(before.release), { mode: 0o600 });
}

/** The release that the node is made from, as {@link readCommitted}; `undefined` as well where it cannot be read. */
export function readCommittedIfAny(files: Files): KeptRelease | undefined {
  try {
    return readCommitted(files);
  } catch (error) {
    if (isFault(error, "update/release-invalid")) return undefined; // told by who makes something of it
    throw error;
  }
}

/** There is no trial of a release any more. */
export function dropStaged({ files }: Pick<Io, "files">): void {
  files.remove(stagedFile);
}

function readKept(files: Files, path: string): KeptRelease | undefined {
  const text = files.readText(path, { maxBytes });
  if (text === undefined) return undefined;
  let cause: unknown;
  try {
    const kept = JSON.parse(text) as Partial<KeptRelease> | null;
    const texts = [kept?.updateId, kept?.document, kept?.transaction, kept?.release?.path];
    const isWhole = kept?.v === 1 && texts.every((each) => typeof each === "string");
    if (isWhole) return kept as KeptRelease;
  } catch (error) {
    cause = error;
  }
  throw new Fault("update/release-invalid", `${path}: expected a release of version 1`, {
    cause,
    hint: "the system that runs stays; removing the file makes the next boot read the user-data",
  });
}
