import { shownKey } from "#core/finding.ts";
import { unprintableReason } from "#provisioner/nix-language/text.ts";
import { addFinding, type Concern } from "./assignment.ts";

/** What a text must be to stand in the file that NixOS writes it to. */
export interface TextRule {
  readonly pattern: RegExp;
  /** For messages: `expected one line, got …`. */
  readonly expected: string;
  /**
   * Characters. NixOS matches many of these texts with regular expressions, which end Nix with a
   * stack overflow on long ones.
   */
  readonly maxLength: number;
}

const defaultMaxLength = 4096;

/** Characters that end a line, or that programs act on, but for the tab. */
const control = "\\u0000-\\u0008\\u000a-\\u001f\\u007f";

const rule = (
  pattern: string,
  expected: string,
  maxLength: number = defaultMaxLength,
): TextRule => ({ pattern: new RegExp(`^${pattern}$`, "u"), expected, maxLength });

/**
 * NixOS puts these texts into files whose formats have no quotes, some of which shells read
 * (resolvconf.conf, the console's keymap): what would become another entry there is refused here.
 */
export const textRules = {
  /** A line of an authorized_keys file. */
  line: rule(`[^${control}]*`, "one line of text", 16_384),
  /** A field of /etc/passwd (NixOS's type `passwdEntry`). */
  passwdField: rule(`[^:${control}]*`, "one line of text without a colon"),
  /** Devices, mount options: fields of /etc/fstab. */
  word: rule(`[^\\s${control}]+`, "one word"),
  mountOption: rule(`[^\\s,${control}]+`, "one word without a comma"),
  fileSystemType: rule("[A-Za-z0-9._-]+", "the name of a type of file system"),
  mountPoint: rule(`(?!.*/\\.{1,2}(/|$))/[^${control}]*`, "an absolute path without . and .."),
  address: rule("[0-9A-Fa-f:.]+", "an IP address"),
  gateway: rule("([0-9A-Fa-f:.]+|_dhcp4|_ipv6ra)", "an IP address, `_dhcp4` or `_ipv6ra`"),
  hostName: rule("[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?", "a host name"),
  nameServer: rule(
    "\\[?[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*(%[0-9A-Za-z_.-]+)?\\]?(:[0-9]+)?(#[0-9A-Za-z._-]+)?",
    "the address of a name server",
  ),
  server: rule("[0-9A-Za-z.:%_\\[\\]-]+", "a host name or an address"),
  domain: rule("[~A-Za-z0-9._-]+", "a domain"),
  resolverOption: rule("[A-Za-z0-9:_-]+", "an option of resolv.conf"),
  keyboard: rule("[A-Za-z0-9_,:()+-]+", "names of XKB"),
  unit: rule("[A-Za-z0-9:_.@-]{1,240}\\.[a-z]+", "the name of a systemd unit"),
  destination: rule(
    "(default|[0-9A-Fa-f:.]+(/[0-9]{1,3})?)",
    "an address with prefix, or `default`",
  ),
  linkName: rule(`[^\\s${control}]+`, "the name of an interface"),
  ssid: rule(`[^"\\\\\\t${control}]+`, "the name of a wireless network, without quotes"),
  linkNames: rule(`[^\\s${control}]+( [^\\s${control}]+)*`, "names with blanks between them"),
} as const satisfies Readonly<Record<string, TextRule>>;

/** The text where it follows the rule; else `undefined` and a finding, an error. */
export function checked(
  concern: Concern,
  path: readonly string[],
  text: string | undefined,
  { pattern, expected, maxLength }: TextRule,
): string | undefined {
  const isShort = text === undefined || text.length <= maxLength;
  if (text === undefined || (isShort && pattern.test(text))) return text;
  if (unprintableReason(text) !== undefined) return undefined; // said by checkSpec
  const message = isShort
    ? `expected ${expected}, got ${JSON.stringify(shownKey(text))}`
    : `expected ${expected} of at most ${maxLength} characters, got ${text.length}`;
  addFinding(concern, path, "error", "render/text", message);
  return undefined;
}

/** Those of the texts that follow the rule, with a finding for each of the others. */
export function checkedAll(
  concern: Concern,
  path: readonly string[],
  texts: readonly string[] | undefined,
  textRule: TextRule,
): readonly string[] {
  return (texts ?? []).filter(
    (text, index) => checked(concern, [...path, String(index)], text, textRule) !== undefined,
  );
}
