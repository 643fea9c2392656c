import { shownKey } from "#core/finding.ts";
import { unprintableReason } from "#provisioner/nix-language/text.ts";
import { addFinding, type Concern } from "./assignment.ts";

/** What a text must be to stand in the file that NixOS writes it to. */
export interface TextRule {
  readonly pattern: RegExp;
  /** For messages: `expected one line, got …`. */
  readonly expected: string;
  /** For hints: a text that fits. */
  readonly example: string;
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
  [expected, example]: readonly [string, string],
  maxLength: number = defaultMaxLength,
): TextRule => ({ pattern: new RegExp(`^${pattern}$`, "u"), expected, example, maxLength });

/**
 * NixOS puts these texts into files whose formats have no quotes, some of which shells read
 * (resolvconf.conf, the console's keymap): what would become another entry there is refused here.
 */
export const textRules = {
  /** A line of an authorized_keys file. */
  line: rule(`[^${control}]*`, ["one line of text", "some words"], 16_384),
  /** A field of /etc/passwd (NixOS's type `passwdEntry`). */
  passwdField: rule(`[^:${control}]*`, ["one line of text without a colon", "Alice"]),
  /** Devices, mount options: fields of /etc/fstab. */
  word: rule(`[^\\s${control}]+`, ["one word", "/dev/vdb"]),
  mountOption: rule(`[^\\s,${control}]+`, ["one word without a comma", "noatime"]),
  fileSystemType: rule("[A-Za-z0-9._-]+", ["the name of a type of file system", "ext4"]),
  mountPoint: rule(`(?!.*/\\.{1,2}(/|$))/[^${control}]*`, [
    "an absolute path without . and ..",
    "/mnt/data",
  ]),
  address: rule("[0-9A-Fa-f:.]+", ["an IP address", "192.0.2.1"]),
  gateway: rule("([0-9A-Fa-f:.]+|_dhcp4|_ipv6ra)", [
    "an IP address, `_dhcp4` or `_ipv6ra`",
    "192.0.2.1",
  ]),
  hostName: rule("[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?", [
    "a host name",
    "node1.example.org",
  ]),
  nameServer: rule(
    "\\[?[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*(%[0-9A-Za-z_.-]+)?\\]?(:[0-9]+)?(#[0-9A-Za-z._-]+)?",
    ["the address of a name server", "192.0.2.53"],
  ),
  server: rule("[0-9A-Za-z.:%_\\[\\]-]+", ["a host name or an address", "ntp.example.org"]),
  domain: rule("[~A-Za-z0-9._-]+", ["a domain", "example.org"]),
  resolverOption: rule("[A-Za-z0-9:_-]+", ["an option of resolv.conf", "timeout:2"]),
  keyboard: rule("[A-Za-z0-9_,:()+-]+", ["names of XKB", "de"]),
  unit: rule("[A-Za-z0-9:_.@-]{1,240}\\.[a-z]+", ["the name of a systemd unit", "web.service"]),
  destination: rule("(default|[0-9A-Fa-f:.]+(/[0-9]{1,3})?)", [
    "an address with prefix, or `default`",
    "192.0.2.0/24",
  ]),
  linkName: rule(`[^\\s${control}]+`, ["the name of an interface", "eth0"]),
  ssid: rule(`[^"\\\\\\t${control}]+`, ["the name of a wireless network, without quotes", "home"]),
  linkNames: rule(`[^\\s${control}]+( [^\\s${control}]+)*`, [
    "names with blanks between them",
    "eth0 eth1",
  ]),
} as const satisfies Readonly<Record<string, TextRule>>;

/** The text where it follows the rule; else `undefined` and a finding, an error. */
export function checked(
  concern: Concern,
  path: readonly string[],
  text: string | undefined,
  { pattern, expected, example, maxLength }: TextRule,
): string | undefined {
  const isShort = text === undefined || text.length <= maxLength;
  if (text === undefined || (isShort && pattern.test(text))) return text;
  if (unprintableReason(text) !== undefined) return undefined; // said by checkSpec
  const message = isShort
    ? `expected ${expected}, got ${JSON.stringify(shownKey(text))}`
    : `expected ${expected} of at most ${maxLength} characters, got ${text.length}`;
  addFinding(concern, path, "error", "render/text", message, `write it like \`${example}\``);
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
