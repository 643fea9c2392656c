import { describeFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { NodeAddress } from "#protocol/topics.ts";
import { type Standing, standingOf } from "#protocol/trust/standing.ts";
import { isClockSet } from "./clock-set.ts";
import { assignedFile } from "./places.ts";
import { type AssignedFile, type Refusal, refusalFile } from "./receive.ts";
import { type StoredTrust, trustedStore } from "./trusted-store.ts";

/** What a node believes, where that lies, and what it came to. */
export interface Trust extends Standing, Pick<StoredTrust, "from" | "damaged"> {
  readonly node: NodeAddress | null;
  /** Whether somebody who knows the time has set the clock in this boot. */
  readonly isClockSet: boolean;
  /** What is wanted of the node; `null`: nothing. */
  readonly assigned: {
    readonly updateId: string;
    readonly release: string;
    readonly number: number;
    readonly receivedAt: string;
  } | null;
  /** What was refused last in this boot. */
  readonly refused: Refusal | null;
}

/** Reads all of it; changes nothing. Throws as {@link trustedStore}. */
export function readTrust(
  io: Pick<Io, "files" | "clock">,
  { node, rootFile }: { readonly node: NodeAddress | undefined; readonly rootFile?: string },
): Trust {
  const { trusted, from, damaged } = trustedStore(io, rootFile).read();
  const clockTrusted = isClockSet(io.files);
  return {
    node: node ?? null,
    from,
    damaged,
    isClockSet: clockTrusted,
    ...standingOf(trusted, { nowMs: io.clock.now(), clockTrusted }),
    assigned: readAssigned(io),
    refused: readJson<Refusal>(io, refusalFile) ?? null,
  };
}

function readAssigned(io: Pick<Io, "files">): Trust["assigned"] {
  const file = readJson<AssignedFile>(io, assignedFile);
  if (file?.assignment == null) return null;
  const { updateId, release } = file.assignment;
  return { updateId, release: release.path, number: release.number, receivedAt: file.receivedAt };
}

/** One of our own files; one that is damaged says nothing here. */
function readJson<T>({ files }: Pick<Io, "files">, path: string): T | undefined {
  const text = files.readText(path, { maxBytes: 4 * 1024 * 1024 });
  try {
    return text === undefined ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}

/** The standing as plain data: `stale` as its record. */
export function trustRecord({ stale, ...trust }: Trust) {
  return { ...trust, stale: stale === null ? null : describeFault(stale) };
}
