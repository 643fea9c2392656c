import type { MimeDefect } from "./mime-defect.ts";
import { headerText, type MimeField } from "./mime-header.ts";
import type { MimeLine, MimeLines } from "./mime-lines.ts";

/** What may stand in a header: a field, one that goes on, or the line before a message in a mailbox. */
const headerLine = /^(?:From |[\x21-\x39\x3b-\x7e]*:|[\t ])/;

/** Of all lines of one header together: no header that means something here comes near it. */
const maxCharacters = 64 * 1024;

/** Takes a defect and its line. */
export type SayDefect = (defect: MimeDefect, line: number) => void;

/** Reads a header and the empty line behind it: what is no line of a header belongs to the text. */
export function readHeader(lines: MimeLines, say: SayDefect): readonly MimeField[] {
  return fieldsOf(headerLines(lines, say), lines, say);
}

function headerLines(lines: MimeLines, say: SayDefect): readonly MimeLine[] {
  const all: MimeLine[] = [];
  let left = maxCharacters;
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    if (headerLine.test(line.text)) {
      const isOver = left < 0;
      left -= line.text.length;
      if (left >= 0) all.push(line);
      else if (!isOver) say("large-header", line.number);
      continue;
    }
    if (/^[\r\n]/.test(line.text)) return all;
    say("no-empty-line", line.number);
    lines.putBack(line);
    return all;
  }
  return all;
}

function fieldsOf(
  all: readonly MimeLine[],
  lines: MimeLines,
  say: SayDefect,
): readonly MimeField[] {
  const fields: { readonly name: string; readonly line: number; readonly texts: string[] }[] = [];
  let current: string[] | undefined;
  for (const [index, { text, number }] of all.entries()) {
    if (/^[\t ]/.test(text)) {
      if (current === undefined) say("first-line-is-continuation", number);
      current?.push(text);
      continue;
    }
    current = undefined;
    if (text.startsWith("From ")) {
      if (index === 0) continue;
      if (index === all.length - 1) {
        lines.putBack({ text, number }); // more likely the first line of the text
        break;
      }
      say("misplaced-envelope", number);
      continue;
    }
    const colon = text.indexOf(":");
    if (colon === 0) {
      say("no-header-name", number);
      continue;
    }
    current = [text.slice(colon + 1).replace(/^[ \t]+/, "")];
    fields.push({ name: text.slice(0, colon), line: number, texts: current });
  }
  return fields.map(({ name, line, texts }) => {
    const value = headerText(texts.join("")).replace(/[\r\n]+$/, "");
    return { name, value, line };
  });
}
