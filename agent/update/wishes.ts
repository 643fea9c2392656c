import { prettyJson } from "#core/canonical-json.ts";
import { type Files, type Io, timestamp } from "#core/io.ts";
import { wishesDirectory } from "./places.ts";

/** What a person asks of an update. */
export type WishName = "approve" | "cancel" | "pause";

/** A wish, until it is done with. */
export interface Wish {
  readonly v: 1;
  readonly updateId: string;
  /** Who: the account, for the record. */
  readonly by: string;
  readonly at: string;
}

/** Writes a wish down; whoever works on the update takes it up, and a later one takes its place. */
export function writeWish(io: Io, name: WishName, wish: Pick<Wish, "updateId" | "by">): void {
  const text = prettyJson({ v: 1, ...wish, at: timestamp(io.clock) } satisfies Wish);
  io.files.write(pathOf(name), text, { mode: 0o644 });
}

/** The wish about this update, where there is one. */
export function readWish(files: Files, name: WishName, updateId: string | null): Wish | undefined {
  const text = files.readText(pathOf(name), { maxBytes: 16 * 1024 });
  if (text === undefined || updateId === null) return undefined;
  try {
    const wish = JSON.parse(text) as Partial<Wish> | null;
    return wish?.v === 1 && wish.updateId === updateId ? (wish as Wish) : undefined;
  } catch {
    return undefined; // torn by hand; a person writes it again
  }
}

/** Takes a wish back. */
export function removeWish({ files }: Io, name: WishName): void {
  files.remove(pathOf(name));
}

/** All that was asked of updates up to now is done with. */
export function forgetWishes(io: Io): void {
  for (const name of ["approve", "cancel", "pause"] as const) removeWish(io, name);
}

function pathOf(name: WishName): string {
  return `${wishesDirectory}/${name}.json`;
}
