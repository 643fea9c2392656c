import type { Network } from "#generated/provisioner/spec/v1.ts";
import { type Link, linksOf } from "./links.ts";
import { linkMatch } from "./match.ts";
import { netdevSections, type SecretPath } from "./netdevs.ts";
import { networkSections } from "./network-sections.ts";
import { type NetworkdUnit, type Section, section } from "./sections.ts";

/**
 * The whole network of the spec as files of systemd: what NixOS and the bootstrap layer write. Nothing
 * is made of an interface whose key has no file.
 */
export function networkdUnits(network: Network, secretPath: SecretPath): readonly NetworkdUnit[] {
  return linksOf(network).flatMap((link): readonly NetworkdUnit[] => {
    const { name, from } = link;
    const unit = (kind: NetworkdUnit["kind"], sections: readonly Section[] | undefined) =>
      sections === undefined ? [] : [{ kind, name: `10-${name}`, sections, from }];
    const netdev =
      link.device === undefined ? netdevSections(network, name, secretPath) : undefined;
    if (netdev === "no-secret") return [];
    return [
      ...unit("netdev", netdev),
      ...unit("network", networkSections(link)),
      ...unit("link", linkSections(link)),
    ];
  });
}

/**
 * A .link file, only where udev has something to do. It takes the place of systemd's own: a device
 * that keeps its name is told again where that comes from (99-default.link).
 */
function linkSections(link: Link): readonly Section[] | undefined {
  const { setName, wakeOnLan, offload = {} } = link.device ?? {};
  const isAsked = wakeOnLan !== undefined || Object.keys(offload).length > 0;
  if (setName === undefined && !isAsked) return undefined;
  const keepsName = setName === undefined;
  const sections = section("link", "Link", [
    ["Name", setName],
    ["NamePolicy", keepsName ? "keep kernel database onboard slot path" : undefined],
    ["MACAddressPolicy", keepsName ? "persistent" : undefined],
    ["WakeOnLan", wakeOnLan === undefined ? undefined : wakeOnLan ? "magic" : "off"],
    ["ReceiveChecksumOffload", offload.receiveChecksum],
    ["TransmitChecksumOffload", offload.transmitChecksum],
    ["TCPSegmentationOffload", offload.tcpSegmentation],
    ["TCP6SegmentationOffload", offload.tcp6Segmentation],
    ["GenericSegmentationOffload", offload.genericSegmentation],
    ["GenericReceiveOffload", offload.genericReceive],
    ["LargeReceiveOffload", offload.largeReceive],
  ]);
  return [...linkMatch(link), ...sections];
}
