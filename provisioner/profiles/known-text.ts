/**
 * What makers leave in SMBIOS strings when they fill in nothing, in lower case. One in six machines
 * has such a product name. Sources: the SMBIOS tables of linuxhw/DMI and of framework-system,
 * dmidecode's own words, the templates of AMI, Insyde, Phoenix and Award.
 */
const placeholders: ReadonlySet<string> = new Set([
  "*",
  "-",
  "0123456789",
  "123456789",
  "1234567890",
  "all series",
  "asset tag",
  "base board product name",
  "base board version",
  "board name",
  "board version",
  "chassis manufacture",
  "default",
  "default string",
  "empty",
  "family",
  "filled by oem",
  "invalid",
  "n/a",
  "na",
  "no asset tag",
  "none",
  "not applicable",
  "not available",
  "not specified",
  "null",
  "o.e.m.",
  "oem",
  "oem chassis manufacturer",
  "oem product name",
  "oem string",
  "o.e.m",
  "product name",
  "sku",
  "system family",
  "system manufacturer",
  "system name",
  "system product name",
  "system sku",
  "system sku number",
  "system version",
  "systemsku#",
  "to be filled",
  "to be filled by o.e.m",
  "to be filled by o.e.m.",
  "to be filled by oem",
  "to-be-filled",
  "type1family",
  "type1productconfigid",
  "type1sku0",
  "type2 - board product name1",
  "undefined",
  "unknow",
  "unknown",
  "version",
  "x.x",
]);

/** The text when it says something of the machine, else `null`: placeholders, and runs of one character. */
export function knownText(text: string | null): string | null {
  if (text === null) return null;
  const trimmed = text.trim();
  const plain = trimmed.toLowerCase();
  if (plain === "" || placeholders.has(plain)) return null;
  return /^(.)\1*$/u.test(plain) && !/^[1-9a-z]$/.test(plain) ? null : trimmed;
}
