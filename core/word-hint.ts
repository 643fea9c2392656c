import { nearest } from "./nearest.ts";
import { oneOf } from "./one-of.ts";

/** What to do about a word that is none of those that may stand there: the one that it looks like, else all. */
export function wordHint(word: unknown, known: readonly string[]): string {
  const near = typeof word === "string" ? nearest(word.trim(), known) : undefined;
  return near === undefined
    ? `write ${oneOf(known.map((each) => `\`${each}\``))}`
    : `did you mean \`${near}\`?`;
}
