import { printable } from "#core/printable.ts";
import { cutToWidth, textWidth } from "#core/text-width.ts";

/** What a picture is drawn on. */
export interface Page {
  /** Columns at most. */
  readonly columns: number;
  /** Whether its letters are UTF-8. */
  readonly isUnicode: boolean;
}

const widest = 79;
const narrowest = 40;

/** Columns that a picture takes: what fills the last one would begin a new line on some terminals. */
export function drawnColumns({ columns }: Page): number {
  return Math.max(narrowest, Math.min(widest, columns - 1));
}

/** Lines of trees and boxes. */
export interface Strokes {
  readonly branch: string;
  readonly last: string;
  readonly through: string;
  readonly across: string;
  readonly topLeft: string;
  readonly topRight: string;
  readonly bottomLeft: string;
  readonly bottomRight: string;
  readonly side: string;
  readonly back: string;
  readonly more: string;
}

const unicodeStrokes: Strokes = {
  branch: "├─ ",
  last: "└─ ",
  through: "│  ",
  across: "─",
  topLeft: "┌",
  topRight: "┐",
  bottomLeft: "└",
  bottomRight: "┘",
  side: "│",
  back: "←",
  more: "…",
};

const asciiStrokes: Strokes = {
  branch: "|- ",
  last: "`- ",
  through: "|  ",
  across: "-",
  topLeft: "+",
  topRight: "+",
  bottomLeft: "+",
  bottomRight: "+",
  side: "|",
  back: "<-",
  more: "...",
};

export function strokesFor({ isUnicode }: Pick<Page, "isUnicode">): Strokes {
  return isUnicode ? unicodeStrokes : asciiStrokes;
}

/** Whether the locale of an environment writes UTF-8. */
export function isUnicodeLocale(env: Readonly<Record<string, string | undefined>>): boolean {
  return /utf-?8/i.test(env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "");
}

/**
 * A text of others as it may stand in a picture: on one line, and in ASCII where the page has no
 * more. `?` where nothing of it can be seen.
 */
export function lineOf(text: string, page: Pick<Page, "isUnicode">): string {
  const line = printable(text.toWellFormed().replaceAll(/[\s\u0085]+/gu, " "))
    .replaceAll(/[\p{Cf}\p{Co}\p{Cn}]/gu, "")
    .replaceAll(/ {2,}/g, " ")
    .trim();
  if (line === "" && text.trim() !== "") return "?";
  return page.isUnicode ? line : line.replaceAll(/[^\x20-\x7e]/gu, "?");
}

/**
 * Fields side by side with `between` from one to the next, on as many lines of `columns` as they
 * need. One that is too wide by itself has two lines of its own, and is cut there. Empty fields are
 * left out.
 */
export function foldFields(
  fields: readonly string[],
  { columns, between = "  ", page }: { columns: number; between?: string; page: Page },
): readonly string[] {
  const texts = fields.map((field) => lineOf(field, page)).filter((text) => text !== "");
  return fold(texts, columns, between).flatMap((line) => {
    if (textWidth(line) <= columns) return [line];
    const [first = "", ...further] = fold(line.split(" "), columns, " ");
    return [first, ...(further.length === 0 ? [] : [further.join(" ")])].map((each) =>
      cutToWidth(each, columns, strokesFor(page).more),
    );
  });
}

/** As many side by side as there is room for. */
function fold(texts: readonly string[], columns: number, between: string): readonly string[] {
  const lines: string[] = [];
  for (const text of texts) {
    const before = lines.at(-1);
    const longer = `${before}${between}${text}`;
    if (before !== undefined && textWidth(longer) <= columns) lines[lines.length - 1] = longer;
    else lines.push(text);
  }
  return lines.map((line, at) => (at === lines.length - 1 ? line : (line + between).trimEnd()));
}

/** A text with blanks behind it up to a width. */
export function padToWidth(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - textWidth(text)));
}
