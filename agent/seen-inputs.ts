import { prettyJson } from "#core/canonical-json.ts";
import type { Files, Io } from "#core/io.ts";
import type { Running } from "#provisioner/system/system.ts";

/**
 * The inputs that a node has seen last. Only others are a newer wish than what a person chose: also those
 * of an earlier time, which were tried then.
 */
export interface SeenInputs {
  readonly v: 1;
  /** As the pinned instance has it. */
  readonly inputsDigest: string;
  /** What a person had chosen when they were seen first, until they are followed; `null` where nobody had. */
  readonly over: Chosen | null;
}

type Chosen = Pick<Running, "toplevel" | "lastTrial">;

/** Root-only. Where it is lost, what was tried before counts as seen. */
export const seenInputsFile = "/var/lib/firstlight/instance/seen.json";

/** The inputs that were seen last; a record that is none counts as lost. */
export function readSeenInputs(files: Files): SeenInputs | undefined {
  try {
    const text = files.readText(seenInputsFile, { maxBytes: 64 * 1024 });
    const seen = JSON.parse(text ?? "null") as Partial<SeenInputs> | null;
    if (seen?.v !== 1 || typeof seen.inputsDigest !== "string") return undefined;
    return { v: 1, inputsDigest: seen.inputsDigest, over: seen.over ?? null };
  } catch {
    return undefined;
  }
}

/** What is known of these inputs now, where that is what runs. */
export function seeInputs(
  before: SeenInputs | undefined,
  inputsDigest: string,
  { chosen, toplevel, lastTrial }: Pick<Running, "chosen"> & Chosen,
): SeenInputs {
  if (before?.inputsDigest === inputsDigest) return before;
  const isOver = before !== undefined && chosen !== null;
  return { v: 1, inputsDigest, over: isOver ? { toplevel, lastTrial } : null };
}

/** Whether a person had chosen what runs before these inputs were seen, and nothing has happened since. */
export function isNewerWish({ over }: SeenInputs, now: Chosen): boolean {
  return over !== null && over.toplevel === now.toplevel && over.lastTrial === now.lastTrial;
}

/** Keeps what was seen. Throws what the disk does. */
export function writeSeenInputs(io: Io, seen: SeenInputs): void {
  io.files.write(seenInputsFile, prettyJson(seen), { mode: 0o600 });
}
