import {
  describeCharacter,
  isBlankOrEnd,
  isLineEnd,
  isSpaceOrEnd,
  isWordCharacter,
  type YamlCursor,
} from "./yaml-text.ts";

const tagHint = "Put the value in quotes when ! is meant as text.";
const directiveHint =
  "A line that begins with % is a directive: remove it, or indent it when it is text.";

/** A tag as written; `handle` is null where the suffix is the whole tag. */
export interface WrittenTag {
  readonly handle: string | null;
  readonly suffix: string;
}

/** A line that begins with `%`; other directives are passed over. */
export type Directive =
  | { readonly name: "YAML"; readonly major: number }
  | { readonly name: "TAG"; readonly handle: string; readonly prefix: string }
  | { readonly name: "other" };

function takeWord(cursor: YamlCursor): string {
  const start = cursor.pos;
  while (isWordCharacter(cursor.code())) cursor.pos += 1;
  return cursor.text.slice(start, cursor.pos);
}

/** Reads the name of an anchor (`&name`) or alias (`*name`). */
export function scanAnchorName(cursor: YamlCursor): string {
  const what = cursor.code() === 0x2a ? "alias" : "anchor";
  cursor.pos += 1;
  const name = takeWord(cursor);
  const next = cursor.code();
  if (name === "" || !(isBlankOrEnd(next) || "?:,]}%@`".includes(String.fromCharCode(next)))) {
    const found = describeCharacter(cursor.text, cursor.pos);
    cursor.fail(`the name of an ${what} is made of letters, digits, - and _, not of ${found}`, {
      hint: "If & or * is meant as text, put the value in quotes.",
    });
  }
  return name;
}

/** Reads a tag: `!`, `!suffix`, `!!suffix`, `!handle!suffix` or `!<whole tag>`. */
export function scanTag(cursor: YamlCursor): WrittenTag {
  const next = cursor.code(1);
  let tag: WrittenTag;
  if (next === 0x3c) {
    cursor.pos += 2;
    tag = { handle: null, suffix: scanTagUri(cursor) };
    if (cursor.code() !== 0x3e)
      cursor.fail("a tag that begins with !< must end with >", { hint: tagHint });
    cursor.pos += 1;
  } else if (isBlankOrEnd(next)) {
    cursor.pos += 1;
    tag = { handle: null, suffix: "!" };
  } else if (hasSecondMark(cursor)) {
    const handle = scanTagHandle(cursor);
    tag = { handle, suffix: scanTagUri(cursor) };
  } else {
    cursor.pos += 1;
    tag = { handle: "!", suffix: scanTagUri(cursor) };
  }
  if (!isSpaceOrEnd(cursor.code())) {
    const found = describeCharacter(cursor.text, cursor.pos);
    cursor.fail(`a tag must be followed by a space, not by ${found}`, {
      hint: "If ! is meant as text, put the value in quotes.",
    });
  }
  return tag;
}

function hasSecondMark(cursor: YamlCursor): boolean {
  for (let ahead = 1; !isSpaceOrEnd(cursor.code(ahead)); ahead++) {
    if (cursor.code(ahead) === 0x21) return true;
  }
  return false;
}

function scanTagHandle(cursor: YamlCursor): string {
  const start = cursor.pos;
  if (cursor.code() !== 0x21)
    cursor.fail("the handle of a tag must begin with !", { hint: tagHint });
  cursor.pos += 1;
  if (cursor.code() !== 0x20) {
    takeWord(cursor);
    if (cursor.code() !== 0x21)
      cursor.fail("the handle of a tag must end with !", { hint: tagHint });
    cursor.pos += 1;
  }
  return cursor.text.slice(start, cursor.pos);
}

const uriCharacter = /[-;/?:@&=+$,_.!~*'()[\]A-Za-z0-9]/;

function scanTagUri(cursor: YamlCursor): string {
  let uri = "";
  for (;;) {
    const character = cursor.text.charAt(cursor.pos);
    if (character === "%") {
      uri += scanUriEscapes(cursor);
    } else if (uriCharacter.test(character)) {
      uri += character;
      cursor.pos += 1;
    } else if (uri === "") {
      return cursor.fail(`a tag needs a name, not ${describeCharacter(cursor.text, cursor.pos)}`, {
        hint: tagHint,
      });
    } else {
      return uri;
    }
  }
}

function scanUriEscapes(cursor: YamlCursor): string {
  const at = cursor.pos;
  const bytes: number[] = [];
  while (cursor.code() === 0x25) {
    const digits = cursor.text.slice(cursor.pos + 1, cursor.pos + 3);
    if (!/^[0-9a-fA-F]{2}$/.test(digits))
      cursor.fail("% in a tag must begin an escape such as %21", { hint: tagHint });
    bytes.push(Number.parseInt(digits, 16));
    cursor.pos += 3;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      Uint8Array.from(bytes),
    );
  } catch {
    return cursor.fail("the escapes in this tag are not UTF-8", { at, hint: tagHint });
  }
}

/** Reads a directive line from its `%` on. */
export function scanDirective(cursor: YamlCursor): Directive {
  cursor.pos += 1;
  const name = takeWord(cursor);
  if (name === "" || !isSpaceOrEnd(cursor.code())) {
    cursor.fail("a line that begins with % must name a directive, such as %YAML", {
      hint: "If % is meant as text, put the value in quotes.",
    });
  }
  let directive: Directive = { name: "other" };
  if (name === "YAML") directive = scanVersion(cursor);
  else if (name === "TAG") directive = scanTagDirective(cursor);
  else while (!isLineEnd(cursor.code())) cursor.pos += 1;
  cursor.skipSpaces();
  cursor.skipComment();
  if (!isLineEnd(cursor.code())) {
    const found = describeCharacter(cursor.text, cursor.pos);
    cursor.fail(`a directive must end its line, not go on with ${found}`, { hint: directiveHint });
  }
  cursor.takeBreak();
  return directive;
}

function scanVersion(cursor: YamlCursor): Directive {
  cursor.skipSpaces();
  const rest = /^([0-9]{1,9})\.[0-9]+(?![^ \n\u2028\u2029\0])/.exec(
    cursor.text.slice(cursor.pos, cursor.pos + 64),
  );
  if (rest === null)
    return cursor.fail("%YAML must be followed by a version such as 1.1", { hint: directiveHint });
  cursor.pos += rest[0].length;
  return { name: "YAML", major: Number(rest[1]) };
}

function scanTagDirective(cursor: YamlCursor): Directive {
  cursor.skipSpaces();
  const handle = scanTagHandle(cursor);
  if (cursor.code() !== 0x20)
    cursor.fail("a space must stand between the handle and the prefix", { hint: directiveHint });
  cursor.skipSpaces();
  const prefix = scanTagUri(cursor);
  if (!isSpaceOrEnd(cursor.code()))
    cursor.fail("the prefix of %TAG must end with the line", { hint: directiveHint });
  return { name: "TAG", handle, prefix };
}
