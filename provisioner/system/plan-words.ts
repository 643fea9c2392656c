import type { PackageChange } from "./closure-difference.ts";
import type { OptionChange } from "./plan-options.ts";

/** So long a value may be to stand on the line of its option. */
const maxValue = 80;
/** So many lines of each side of a long value are shown. */
const maxLines = 12;
const maxLine = 160;

/** `1.0 -> 1.1`, `1.0, 1.1 -> 1.1`, or the versions of the only side that has some. */
export function versionsText({ before, after }: PackageChange): string {
  const [was, is] = [before.join(", "), after.join(", ")];
  if (before.length === 0) return is;
  return after.length === 0 ? was : `${was} -> ${is}`;
}

/** An option that changes: its line, and below it what changes of a value that is too long for that. */
export function optionText({ option, before, after, setBy }: OptionChange): readonly string[] {
  const place = setBy === null ? "" : `  (${placeText(setBy)})`;
  const short = [before, after].every((value) => value === null || isShort(value));
  if (short) return [`${option}: ${arrow(before, after)}${place}`];
  return [`${option}:${place}`, ...changedLines(before, after)];
}

/** `user-data:12`, or the document alone. */
export function placeText({ document, line }: NonNullable<OptionChange["setBy"]>): string {
  return line === null ? document : `${document}:${line}`;
}

function isShort(value: string): boolean {
  return value.length <= maxValue && !value.includes("\n");
}

function arrow(before: string | null, after: string | null): string {
  return [before, after].filter((value) => value !== null).join(" -> ");
}

/** The lines in the middle, without what both have at the beginning and at the end. */
function changedLines(before: string | null, after: string | null): readonly string[] {
  const [old, now] = [before?.split("\n") ?? [], after?.split("\n") ?? []];
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let end = 0;
  const most = Math.min(old.length, now.length) - start;
  while (end < most && old[old.length - 1 - end] === now[now.length - 1 - end]) end += 1;
  return [
    ...cut(old.slice(start, old.length - end)).map((line) => `- ${line}`),
    ...cut(now.slice(start, now.length - end)).map((line) => `+ ${line}`),
  ];
}

function cut(lines: readonly string[]): readonly string[] {
  const shown = lines
    .slice(0, maxLines)
    .map((line) => (line.length > maxLine ? `${line.slice(0, maxLine)}…` : line));
  const left = lines.length - shown.length;
  return left === 0 ? shown : [...shown, `… ${left} more lines`];
}

/** A line for a terminal: what a document says may hold anything, control characters become `�`. */
export function printable(text: string): string {
  return text.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd");
}
