/**
 * Why a text is no JSON: where, and whether it ends too early. The parser's own message quotes the
 * text, which may be secret; nothing of it is taken but the place.
 */
export function describeJsonError(text: string, error: unknown): string {
  const said = messageOf(error);
  if (said.startsWith(endOfInput)) return "no JSON, it ends too early";
  const told = /\(line (\d{1,9}) column (\d{1,9})\)$/.exec(said);
  if (told !== null) return `no JSON in line ${told[1]}, column ${told[2]}`;
  return said.startsWith(unexpectedToken) ? `no JSON in ${placeOfToken(text)}` : "no JSON";
}

const endOfInput = "Unexpected end of JSON input";
const unexpectedToken = "Unexpected token";

/** The parser tells no place of it: by bisection, the end of the shortest beginning that has it. */
function placeOfToken(text: string): string {
  let without = 0;
  let having = text.length;
  while (having - without > 1) {
    const middle = (without + having) >> 1;
    if (hasToken(text.slice(0, middle))) having = middle;
    else without = middle;
  }
  const lines = text.slice(0, having).split(/\r\n?|\n/);
  return `line ${lines.length}, column ${lines.at(-1)?.length ?? 1}`;
}

function hasToken(beginning: string): boolean {
  try {
    JSON.parse(beginning);
    return false;
  } catch (error) {
    return messageOf(error).startsWith(unexpectedToken);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "";
}
