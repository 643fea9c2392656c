import { createHash } from "node:crypto";

/** What the names of our profiles begin with, so that they are told from those of a person. */
export const profilePrefix = "firstlight-";

/** For names of profiles; made once. */
const namespace = Buffer.from("8d3f1c6e0b5a4e729c41d7a2f06b9e35", "hex");

/**
 * The name of the profile of an interface, or of one of its wireless networks. It is the name of a
 * file, and of one in the Nix store: letters, digits, dots, dashes and a plus, which no name of an
 * interface has.
 */
export function profileName(link: string, ssid?: string): string {
  return `${profilePrefix}${ssid === undefined ? link : `${link}+${plain(ssid)}`}`;
}

/** What has other characters is told apart by its digest, after a second plus. */
function plain(ssid: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(ssid)) return ssid;
  const digest = createHash("sha256").update(ssid).digest("hex").slice(0, 8);
  const words = ssid.replaceAll(/[^A-Za-z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "");
  return `${words}+${digest}`;
}

/** The UUID of a profile, by its name (version 5 of RFC 9562): it stays the same in each generation. */
export function profileUuid(name: string): string {
  const hash = createHash("sha1").update(namespace).update(name).digest().subarray(0, 16);
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
