import type { Ethernet } from "#generated/provisioner/spec/v1.ts";
import type { Link } from "./links.ts";
import { netdevKinds } from "./netdevs.ts";
import { type Section, section } from "./sections.ts";

/**
 * Kinds of interfaces, by the kernel's names, that are no device to a document: what is made of devices or
 * of nothing. A pair is not among them, nor a part of a device (`macvlan`): a container has these in place
 * of one.
 */
export const madeKinds: readonly string[] = [
  ...netdevKinds.filter((kind) => kind !== "veth"),
  "macsec",
  "team",
];

/**
 * Whether a match may fit what is made as well. A VLAN, a bridge and a bond have the address of a device
 * that they are made of; a pattern fits any name.
 */
export function fitsMade(match: Ethernet["match"]): boolean {
  const { mac, driver, name } = match ?? {};
  return (mac ?? driver) !== undefined || /[*?[]/.test(name ?? "");
}

/** How a .network file finds its interface. */
export function networkMatch({ name, device, settings, ties }: Link): readonly Section[] {
  if (device === undefined) return section("network", "Match", [["Name", name]]);
  const { match } = device;
  // A bond gives its members one address: the one that a device was made with is there still.
  const changesMac = settings.mac !== undefined || ties.bond !== undefined;
  const isFound = (match?.mac ?? match?.driver ?? match?.name) !== undefined;
  return section("network", "Match", [
    [changesMac ? "PermanentMACAddress" : "MACAddress", match?.mac],
    ["Driver", match?.driver],
    ["Name", isFound || device.setName !== undefined ? nameOfEither(name, device) : name],
    ["Kind", deviceKind(match)],
  ]);
}

/** The kernel's name is `OriginalName` to a .link file, which is read when a device appears. */
export function linkMatch({ name, device }: Link): readonly Section[] {
  const { mac, driver, name: current } = device?.match ?? {};
  const isFound = (mac ?? driver ?? current) !== undefined;
  return section("link", "Match", [
    ["MACAddress", mac],
    ["Driver", driver],
    ["OriginalName", isFound ? current : name],
    ["Kind", deviceKind(device?.match)],
  ]);
}

/** systemd takes the first file that fits, by name: without this, the device's for a VLAN that sorts behind. */
function deviceKind(match: Ethernet["match"]): string | undefined {
  return fitsMade(match) ? `!${madeKinds.join(" ")}` : undefined;
}

/**
 * A device that is there already keeps its name until it appears again, at the next boot: a .network
 * file of one that is to be renamed fits it under both names, or by what does not change.
 */
export function nameOfEither(
  name: string,
  { match, setName }: NonNullable<Link["device"]>,
): string | undefined {
  if (setName === undefined) return match?.name;
  if (match?.mac !== undefined) return undefined;
  if (match?.name !== undefined) return `${setName} ${match.name}`;
  return match?.driver === undefined ? `${setName} ${name}` : undefined;
}
