import { randomFrom } from "#core/random-from.ts";

/** Pieces that mean something to Nix, to YAML, to a shell or to a terminal. */
const pieces: readonly string[] = [
  '"',
  "'",
  "''",
  "'''",
  `''\${`,
  `\${`,
  `$\${`,
  `\${builtins.throw "evaluated"}`,
  `\${builtins.readFile "/etc/passwd"}`,
  '"; evil = builtins.abort "evaluated"; x = "',
  "''; evil = builtins.abort ''evaluated''; x = ''",
  "''\\n",
  `''\\\${x}`,
  "\\",
  "\\\\",
  "\\n",
  '\\"',
  `\\\${`,
  "`id`",
  "$(id)",
  "$HOME",
  "; reboot",
  "&& reboot",
  "| reboot",
  "'; reboot; '",
  '"; reboot; "',
  "\n",
  "\r\n",
  "\r",
  "\n\n  ",
  "\t",
  " ",
  "\u0000",
  "\u0001",
  "\u0007",
  "\u001b[2J",
  "\u007f",
  "\u0085",
  "\u00a0",
  "\u2028",
  "\u2029",
  "\ufeff",
  "\ufffe",
  "\u202e",
  "\ud800",
  "\udfff",
  "\udc00\ud800",
  "😀",
  "é",
  "e\u0301",
  "../../etc/shadow",
  "/nix/store/../../etc",
  "/",
  "~",
  "-",
  "--help",
  "#",
  "# comment",
  "/* comment */",
  "{",
  "}",
  "[",
  "]",
  "{ a = 1; }",
  "{{ v1.instance_id }}",
  "%s%n",
  "@",
  "!",
  "!!python/object/apply:os.system [id]",
  "&anchor",
  "*anchor",
  "|",
  ">",
  "? key",
  "- item",
  "key: value",
  ":",
  ",",
  "a,b , c",
  "null",
  "true",
  "0644",
  "1e999",
  "__functor",
  "_type",
  "__proto__",
  "constructor",
  "outPath",
  "imports",
  "x".repeat(64),
  "x".repeat(4_097),
];

/**
 * Hostile strings, each another: every piece alone and between letters, then mixtures of several.
 * The same for the same seed.
 */
export function hostileStrings(count: number, seed: number): readonly string[] {
  const random = randomFrom(seed);
  const one = () => pieces[Math.floor(random() * pieces.length)] ?? "";
  const strings = new Set<string>([...pieces, ...pieces.map((piece) => `a${piece}z`)]);
  while (strings.size < count) {
    strings.add(Array.from({ length: 2 + Math.floor(random() * 5) }, one).join(""));
  }
  return [...strings].slice(0, count);
}

/** A megabyte each: of one letter, and of what Nix would evaluate. */
export const hugeStrings: readonly string[] = [
  "x".repeat(2 ** 20),
  `\${builtins.abort "evaluated"}''"\\\n`.repeat(2 ** 15).slice(0, 2 ** 20),
];
