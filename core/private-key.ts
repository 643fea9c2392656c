/** Whether a private key in PEM begins in a text, wherever in it. */
export function holdsPrivateKey(text: string): boolean {
  return /-----BEGIN [A-Z0-9 ]*PRIVATE KEY/.test(text);
}
