import { describeFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { NodeAddress } from "#protocol/topics.ts";
import { type Standing, standingOf } from "#protocol/trust/standing.ts";
import { readAssigned } from "./assigned-file.ts";
import { isClockSet } from "./clock-set.ts";
import { type Refusal, refusalFile } from "./receive.ts";
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
    assigned: assignedOf(io),
    refused: readRefusal(io),
  };
}

function assignedOf({ files }: Pick<Io, "files">): Trust["assigned"] {
  const file = readAssigned(files);
  if (file?.assignment == null) return null;
  const { updateId, release } = file.assignment;
  return { updateId, release: release.path, number: release.number, receivedAt: file.receivedAt };
}

/** Our own file; one that is damaged says nothing here. */
function readRefusal({ files }: Pick<Io, "files">): Refusal | null {
  const text = files.readText(refusalFile, { maxBytes: 64 * 1024 });
  try {
    return text === undefined ? null : (JSON.parse(text) as Refusal);
  } catch {
    return null;
  }
}

/** The standing as plain data: `stale` as its record. */
export function trustRecord({ stale, ...trust }: Trust) {
  return { ...trust, stale: stale === null ? null : describeFault(stale) };
}
