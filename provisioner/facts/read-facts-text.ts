import { Fault } from "#core/fault.ts";

const maxStarts = 64;

/**
 * The JSON of a text that may have other lines around it: what Nix says while it makes a report of
 * nixos-facter gets into the same file. Throws `facts/invalid` with the byte where it ends too early, or
 * is wrong.
 */
export function readFactsText(name: string, text: string): unknown {
  const whole = parse(text.replace(/^\ufeff/, ""));
  if (whole !== undefined) return whole.value;
  const found = documentsIn(text);
  // A log may have lines that are JSON, or begin like it: the document is what is long.
  const [longest] = found.filter((each) => each.value !== undefined).sort(byLength);
  const cutOff = found.find((each) => !each.isClosed && each.start >= (longest?.end ?? 0));
  const isLost = cutOff !== undefined && lengthOf(cutOff) > (longest ? lengthOf(longest) : 0);
  if (longest !== undefined && !isLost) return longest.value;
  if (isLost) {
    const bytes = Buffer.byteLength(text);
    throw new Fault("facts/invalid", `${name}: cut off at byte ${bytes}: the JSON has no end`, {
      hint: "make or copy the file anew: nothing of the part that is there is used",
    });
  }
  throw new Fault("facts/invalid", `${name}: expected JSON: ${whatIsWrong(text)}`, {
    hint: "facts come from `firstlight facts --json`, or from `nixos-facter` (run as root)",
  });
}

/** What begins like a document at the beginning of a line. */
interface Document {
  readonly start: number;
  /** Behind its last character, or the end of the text. */
  readonly end: number;
  readonly isClosed: boolean;
  /** What it says, where it is JSON. */
  readonly value: unknown;
}

function documentsIn(text: string): readonly Document[] {
  const starts = [...text.matchAll(/^\{/gm)].slice(0, maxStarts).map(({ index }) => index);
  return starts.map((start) => {
    const end = endOfObject(text, start);
    const value = end === undefined ? undefined : parse(text.slice(start, end))?.value;
    return { start, end: end ?? text.length, isClosed: end !== undefined, value };
  });
}

function lengthOf({ start, end }: Document): number {
  return end - start;
}

function byLength(a: Document, b: Document): number {
  return lengthOf(b) - lengthOf(a);
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** Behind the brace that closes the one at `start`; `undefined` where the text ends before. */
function endOfObject(text: string, start: number): number | undefined {
  let depth = 0;
  for (const { 0: token, index } of text
    .slice(start)
    .matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}"]/gs)) {
    if (token === '"') return undefined; // a string that has no end
    if (token === "{") depth += 1;
    if (token === "}") depth -= 1;
    if (depth === 0) return start + index + 1;
  }
  return undefined;
}

/** The byte of the file at which the first thing that begins like JSON is none any more. */
function whatIsWrong(text: string): string {
  const start = /^[ \t]*[{[]/m.exec(text)?.index;
  if (start === undefined) return "there is none in it";
  try {
    JSON.parse(text.slice(start));
    return "there is none in it";
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const at = Number(/at position ([0-9]+)/.exec(message)?.[1] ?? 0);
    return `byte ${Buffer.byteLength(text.slice(0, start + at))} is wrong`;
  }
}
