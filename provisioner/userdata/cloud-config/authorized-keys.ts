import type { Code } from "#core/codes.ts";
import { holdsPrivateKey } from "#core/private-key.ts";
import type { Input } from "../input.ts";
import { isPublicKeyLine } from "../public-key-line.ts";

/**
 * Lines of an authorized_keys file: a text, a list of texts, or a mapping whose values are texts, as
 * cloud-init takes them. Several lines in one text are several keys; comments beside them are left out.
 */
export function readKeys(input: Input | undefined): readonly string[] {
  if (input === undefined) return [];
  return textsOf(input).flatMap((item) => {
    const text = item.text();
    if (text === undefined) return [];
    if (!holdsPrivateKey(text)) return checkedLines(item);
    item.expected(
      "a public ssh key",
      "write the line of the .pub file; the private key stays secret",
    );
    return [];
  });
}

function textsOf(input: Input): readonly Input[] {
  if (input.isMapping()) return input.entries().map(([, value]) => value);
  return typeof input.value === "string" ? [input] : input.items();
}

/** The lines of a text. */
function checkedLines(item: Input): readonly string[] {
  const lines = item.lines().filter((line) => keysOf(line).length > 0);
  const code = "cloud-config/not-a-key";
  if (lines.length === 0) nameNoKey(item, code, "there is no ssh key in this");
  else nameDoubtful(code, lines);
  return lines.flatMap(keysOf);
}

function keysOf(line: Input): readonly string[] {
  return keyLines([line.scalarText()]);
}

/** Names the first line that is no public key; what looks like none is kept, for sshd may know better. */
export function nameDoubtful(code: Code, lines: readonly Input[]): void {
  const doubtful = lines.find((line) => !isPublicKeyLine(line.scalarText()));
  if (doubtful !== undefined) nameNoKey(doubtful, code, "this does not look like a public ssh key");
}

function nameNoKey(item: Input, code: Code, message: string): void {
  item.add("warning", {
    code,
    message,
    hint: "write a public key as ssh-keygen prints it: `ssh-ed25519 AAAA… name`",
  });
}

/** The keys in texts, one a line. */
export function keyLines(texts: readonly string[]): readonly string[] {
  return texts
    .flatMap((text) => text.split(/[\r\n]+/))
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}
