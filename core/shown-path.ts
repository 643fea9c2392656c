/**
 * The path of an address as it may be shown, `/v1/…/health`: what looks like a token, for nobody would write it as a
 * word, is left out.
 */
export function shownPath(pathname: string): string {
  return pathname.split("/").map(shownPiece).join("/");
}

/** One piece of such a path, `…` where it may be a secret. */
export function shownPiece(piece: string): string {
  return piece.length > longestPiece || wordsOf(piece).some(isOpaque) ? "…" : piece;
}

const longestPiece = 64;
const longestWord = 20;

/** As a person would read it, whatever it is written as. */
function wordsOf(piece: string): readonly string[] {
  return decoded(piece).split(/[^\p{L}\p{N}]+/u);
}

function decoded(piece: string): string {
  try {
    return decodeURIComponent(piece);
  } catch {
    return piece;
  }
}

/** A word of 8 or more with digits in it, one with capitals all over, one of digits alone, or a very long one. */
function isOpaque(word: string): boolean {
  if (word.length > longestWord) return true;
  if (word.length < 8) return false;
  const digits = word.replace(/\P{N}/gu, "").length;
  if (digits === word.length) return word.length > 8; // a date may be
  const changes = word.match(/\p{Ll}(?=\p{Lu})/gu)?.length ?? 0;
  return digits >= 2 || changes >= 3;
}
