/** A number with the word for what is counted, which takes an `s` where there is not one: `2 errors`. */
export function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
