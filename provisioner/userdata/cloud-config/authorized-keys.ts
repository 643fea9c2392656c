import type { Input } from "../input.ts";

/**
 * Lines of an authorized_keys file: a text, a list of texts, or a mapping whose values are texts, as
 * cloud-init takes them. Several lines in one text are several keys; comments beside them are left out.
 */
export function readKeys(input: Input | undefined): readonly string[] {
  if (input === undefined) return [];
  return textsOf(input).flatMap((item) => {
    const text = item.text();
    if (text === undefined) return [];
    if (!text.includes("PRIVATE KEY")) return checkedLines(item, text);
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

/** A type of sshd's, and something behind it; options may stand before it. */
const keyLine =
  /(?:^|[\s",])(?:ssh-(?:ed25519|ed448|rsa|dss)|ecdsa-sha2-nistp[0-9]{3}|(?:sk-)?(?:ssh|ecdsa)-[a-z0-9-]{1,40}@openssh\.com)\s+\S/;

/** The lines of a text. What looks like no key is kept, for sshd may know better, and named. */
function checkedLines(item: Input, text: string): readonly string[] {
  const lines = keyLines([text]);
  const isBare = lines.length === 0;
  if (isBare || lines.some((line) => !keyLine.test(line))) {
    item.add("warning", {
      code: "cloud-config/not-a-key",
      message: isBare ? "there is no ssh key in this" : "this does not look like a public ssh key",
      hint: "write a public key as ssh-keygen prints it: `ssh-ed25519 AAAA… name`",
    });
  }
  return lines;
}

/** The keys in texts, one a line. */
export function keyLines(texts: readonly string[]): readonly string[] {
  return texts
    .flatMap((text) => text.split(/[\r\n]+/))
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}
