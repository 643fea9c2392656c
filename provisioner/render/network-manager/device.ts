import type { Network } from "#generated/provisioner/spec/v1.ts";
import { type Link, type LinkKind, linkKinds, linkNamed } from "../networkd/links.ts";
import { nameOfEither } from "../networkd/match.ts";
import { profileName, profileUuid } from "./profile-name.ts";
import { type Section, section } from "./sections.ts";

/** What an interface is; one that nothing describes is a device with a cable. */
export function kindOf(network: Network, { name }: Link): LinkKind {
  return linkKinds.find((kind) => Object.hasOwn(network[kind] ?? {}, name)) ?? "ethernets";
}

/** How a profile finds its interface by a name; by its hardware address see `wired.ts`. */
export interface Found {
  readonly interfaceName: string | undefined;
  /** Further ways to be found, which all must fit. */
  readonly match: readonly Section[];
  /** Whether one profile is for several devices. */
  readonly isMany: boolean;
}

/** By the same names as networkd finds it: a device that is to be renamed by both of its names. */
export function findByName({ name, device }: Link): Found {
  if (device === undefined) return { interfaceName: name, match: [], isMany: false };
  const { match, setName } = device;
  const isFound = (match?.mac ?? match?.driver ?? match?.name) !== undefined;
  const names = isFound || setName !== undefined ? nameOfEither(name, device) : name;
  const patterns = names?.split(" ") ?? [];
  const isPlain = patterns.length === 1 && !/[*?[\\]/.test(patterns[0] ?? "");
  return {
    interfaceName: isPlain ? patterns[0] : undefined,
    match: section("match", [
      ["interface-name", isPlain ? [] : patterns],
      ["driver", match?.driver?.split(" ")],
    ]),
    isMany: match?.mac === undefined && !isPlain && patterns.length <= 1,
  };
}

/** The name by which the kernel knows an interface now and after the next boot, where that is known. */
export function kernelName({ name, device }: Link): string | undefined {
  if (device === undefined) return name;
  const { match, setName } = device;
  if (setName !== undefined) return setName;
  if (match?.name !== undefined) return /[*?[\\]/.test(match.name) ? undefined : match.name;
  return match?.mac === undefined && match?.driver === undefined ? name : undefined;
}

/** What a VLAN or a VXLAN is on: by its name, or by its profile where the name is not sure. */
export function parentOf(
  network: Network,
  links: readonly Link[],
  reference: string | undefined,
): string | undefined {
  if (reference === undefined) return undefined;
  const link = linkNamed(links, reference);
  if (link === undefined) return reference;
  const name = link.device?.setName === undefined ? kernelName(link) : undefined;
  if (name !== undefined) return name;
  const [ssid] = Object.keys(network.wifis?.[link.name]?.accessPoints ?? {}).sort();
  return profileUuid(profileName(link.name, ssid));
}
