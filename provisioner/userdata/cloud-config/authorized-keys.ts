import type { Input } from "../input.ts";

/**
 * Lines of an authorized_keys file: a text, a list of texts, or a mapping whose values are texts, as
 * cloud-init takes them. Several lines in one text are several keys; comments are left out.
 */
export function readKeys(input: Input | undefined): readonly string[] {
  if (input === undefined) return [];
  const texts = input.isMapping()
    ? input.entries().map(([, value]) => value.text() ?? "")
    : input.oneOrMoreTexts();
  return keyLines(texts);
}

/** The keys in texts, one a line. */
export function keyLines(texts: readonly string[]): readonly string[] {
  return texts
    .flatMap((text) => text.split(/[\r\n]+/))
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}
