import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Change, Work } from "./work.ts";

/** A generation that a person keeps; by its system too, because numbers can come again. */
export interface PinnedGeneration {
  readonly generation: number;
  readonly toplevel: string;
}

/** Generations that a person keeps, as far as they are still there. Throws `system/pins-unreadable`. */
export function pinnedGenerations(work: Work): readonly PinnedGeneration[] {
  const there = work.machine.generations();
  return readPins(work).filter((pin) =>
    there.some((made) => made.generation === pin.generation && made.toplevel === pin.toplevel),
  );
}

/** Pins a generation, or lets it go; whether that changed anything. Throws `system/generation-unknown`. */
export function setPin(change: Change, generation: number, pinned: boolean): boolean {
  const before = pinnedGenerations(change);
  const isPinned = before.some((pin) => pin.generation === generation);
  if (isPinned === pinned) return false;
  const found = change.machine.generations().find((made) => made.generation === generation);
  if (found === undefined) {
    throw new Fault("system/generation-unknown", `there is no generation ${generation}`);
  }
  const others = before.filter((pin) => pin.generation !== generation);
  const added = pinned ? [{ generation, toplevel: found.toplevel }] : [];
  const generations = [...others, ...added].sort((a, b) => a.generation - b.generation);
  change.io.files.write(change.paths.pins, prettyJson({ v: 1, generations }), { mode: 0o600 });
  return true;
}

/** A file that cannot be read is an error: what it keeps must not go for that. */
function readPins({ io, paths }: Work): readonly PinnedGeneration[] {
  const text = io.files.readText(paths.pins, { maxBytes: 1024 * 1024 });
  if (text === undefined) return [];
  try {
    const value = JSON.parse(text) as { readonly v: unknown; readonly generations: unknown };
    if (value.v === 1 && Array.isArray(value.generations)) return value.generations.map(readPin);
  } catch (cause) {
    throw unreadable(paths.pins, cause);
  }
  throw unreadable(paths.pins, undefined);
}

function readPin(value: unknown): PinnedGeneration {
  const { generation, toplevel } = (value ?? {}) as Partial<PinnedGeneration>;
  if (typeof generation === "number" && typeof toplevel === "string") {
    return { generation, toplevel };
  }
  throw new Error("expected a generation and its system");
}

function unreadable(path: string, cause: unknown): Fault {
  return new Fault("system/pins-unreadable", `${path}: expected pinned generations, version 1`, {
    cause,
  });
}
