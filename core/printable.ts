const esc = String.fromCharCode(27);
const bell = String.fromCharCode(7);
/** Commands to a terminal: with parameters (colours, cursor), with a text (title), and of two characters. */
const sequences = new RegExp(
  `${esc}\\[[0-?]*[ -/]*[@-~]|${esc}[\\]PX^_][^${bell}${esc}]*(${bell}|${esc}\\\\)|${esc}[ -/]*[0-~]`,
  "g",
);

/**
 * A text of others as it may be shown: without colours, other commands to the terminal, control
 * characters but newline and tab, and marks that turn the direction of what follows.
 */
export function printable(text: string): string {
  return text
    .replaceAll(sequences, "")
    .replaceAll(/[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069\u2028\u2029]/gu, "");
}
