/**
 * Whether sshd may take this line of an authorized_keys file for a key: a type and its key in Base64,
 * which begins with the name of the same type, behind options or not. Types that are not known here
 * count; whether the rest of the key is whole is not looked at.
 */
export function isPublicKeyLine(line: string): boolean {
  return beginsWithKey(line) || beginsWithKey(line.slice(optionsLength(line)));
}

/** The line with options before those that it has. */
export function withOptions(line: string, options: string): string {
  const hasOptions = !beginsWithKey(line) && beginsWithKey(line.slice(optionsLength(line)));
  return `${options}${hasOptions ? "," : " "}${line}`;
}

/** Options have commas between them and blanks only in quotes, in which a backslash may stand. */
function optionsLength(line: string): number {
  return /^(?:[^\s"]|"(?:\\.|[^"\\])*")+[ \t]+/.exec(line)?.[0].length ?? 0;
}

function beginsWithKey(text: string): boolean {
  const [, type, base64] =
    /^([A-Za-z0-9@._-]+)[ \t]+([A-Za-z0-9+/]+={0,2})(?:\s|$)/.exec(text) ?? [];
  if (type === undefined || base64 === undefined) return false;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  const start = Buffer.concat([length, Buffer.from(type)]);
  return Buffer.from(base64, "base64").subarray(0, start.length).equals(start);
}
