/** Made when it is needed: it takes a tenth of a boot's time. */
let segmenter: Intl.Segmenter | undefined;

function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  return segmenter.segment(text);
}

/** Scripts and pictures that take two columns (Unicode's East Asian Width W and F, roughly). */
const wide =
  /^[\u1100-\u115F\u2E80-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1F64F}\u{1F680}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;
const marksOnly = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

/** Columns that a text takes on a terminal. */
export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemesOf(text)) width += columnsOf(segment);
  return width;
}

/** A text that takes at most so many columns, with `…` where something was cut off. */
export function cutToWidth(text: string, columns: number, mark = "…"): string {
  if (textWidth(text) <= columns) return text;
  const room = columns - textWidth(mark);
  let width = 0;
  let cut = "";
  for (const { segment } of graphemesOf(text)) {
    width += columnsOf(segment);
    if (width > room) break;
    cut += segment;
  }
  return room < 0 ? "" : cut + mark;
}

function columnsOf(grapheme: string): number {
  if (marksOnly.test(grapheme)) return 0;
  return wide.test(grapheme) || grapheme.includes("\uFE0F") ? 2 : 1;
}
