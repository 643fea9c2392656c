import type { AccessPoint } from "#generated/provisioner/spec/v1.ts";
import type { Link } from "../networkd/links.ts";
import { type Section, section } from "./sections.ts";
import type { Tell } from "./tell.ts";

/** Bytes. */
const longestSsid = 32;

/** A wireless network that an interface may join. */
export interface Wireless {
  readonly ssid: string;
  readonly point: AccessPoint;
  /** Path in the spec. */
  readonly from: readonly string[];
}

/** Those of an interface, by name; one whose name none can have is left out. */
export function wirelessOf(
  link: Link,
  points: { readonly [ssid: string]: AccessPoint } | undefined,
  tell: Tell,
): readonly Wireless[] {
  const all = Object.entries(points ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (all.length === 0) {
    const message = "a profile of NetworkManager is for one wireless network, and none is named";
    tell({ path: link.from, message, hint: "name it under `accessPoints`" });
  }
  return all.flatMap(([ssid, point]) => {
    const from = [...link.from, "accessPoints", ssid];
    const bytes = Buffer.byteLength(ssid);
    if (bytes > 0 && bytes <= longestSsid) return [{ ssid, point, from }];
    tell({ path: from, message: "expected an SSID of at most 32 bytes", level: "error" });
    return [];
  });
}

/** What is said of a wireless network. */
export function wirelessSections(
  { settings, device }: Link,
  { ssid, point, from }: Wireless,
  tell: Tell,
): readonly Section[] {
  return [
    ...section("wifi", [
      ["ssid", ssidText(ssid)],
      ["mode", "infrastructure"],
      ["hidden", point.hidden],
      ["bssid", point.bssid],
      ["mac-address", device?.match?.mac],
      ["cloned-mac-address", settings.mac],
      ["mtu", settings.mtu],
    ]),
    ...securitySection(point, from, tell),
  ];
}

/** As it is where it can be nothing else, else byte by byte. */
function ssidText(ssid: string): string | readonly string[] {
  if (/^[A-Za-z]([A-Za-z0-9 ._-]*[A-Za-z0-9._-])?$/.test(ssid)) return ssid;
  return [...Buffer.from(ssid)].map(String);
}

function securitySection(
  { password, keyManagement = password === undefined ? "none" : "psk" }: AccessPoint,
  from: readonly string[],
  tell: Tell,
): readonly Section[] {
  if (keyManagement === "none") {
    if (password !== undefined) {
      const message = "the network has no protection: its password is not used";
      tell({ path: [...from, "password"], message });
    }
    return [];
  }
  if (password === undefined) {
    const message = "NetworkManager asks a person for the password, where one is logged in";
    tell({ path: from, message, hint: "give `password`" });
  }
  return section("wifi-security", [
    ["key-mgmt", keyManagement === "sae" ? "sae" : "wpa-psk"],
    ["psk", password],
  ]);
}

/** NetworkManager counts to 999. */
export function priorityOf({ point, from }: Wireless, tell: Tell): number | undefined {
  const { priority } = point;
  if (priority === undefined || priority <= mostPriority) return priority;
  const message = `NetworkManager has no priority above ${mostPriority}`;
  tell({ path: [...from, "priority"], message, level: "note" });
  return mostPriority;
}

const mostPriority = 999;
