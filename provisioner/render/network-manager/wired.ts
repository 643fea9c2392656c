import type { Link } from "../networkd/links.ts";
import { type Section, section } from "./sections.ts";
import type { Tell } from "./tell.ts";

/** Bytes of a hardware address as text: that of InfiniBand has more of them. */
const ethernetAddress = 17;

/** Whether a device is one of InfiniBand, which its address or its mode shows. */
export function isInfiniband({ device }: Link): boolean {
  const { match, infinibandMode } = device ?? {};
  return infinibandMode !== undefined || (match?.mac?.length ?? 0) > ethernetAddress;
}

/** What is said of frames: how a device is found by its address, which one it gets, and its MTU. */
export function wiredSection(link: Link, tell: Tell): readonly Section[] {
  const { settings, device, from } = link;
  if (!isInfiniband(link)) {
    return section("ethernet", [
      ["mac-address", device?.match?.mac],
      ["cloned-mac-address", settings.mac],
      ["mtu", settings.mtu],
    ]);
  }
  if (settings.mac !== undefined)
    tell({ path: [...from, "mac"], message: "NetworkManager gives InfiniBand no other address" });
  return section("infiniband", [
    ["mac-address", device?.match?.mac],
    ["transport-mode", device?.infinibandMode ?? "datagram"],
    ["mtu", settings.mtu],
  ]);
}

/** Says that an interface gets no MTU and no address. */
export function tellNoFrames(
  { settings, from }: Link,
  keys: readonly ("mac" | "mtu")[],
  tell: Tell,
): void {
  for (const key of keys) {
    if (settings[key] === undefined) continue;
    const what = key === "mac" ? "hardware address" : "MTU";
    tell({
      path: [...from, key],
      message: `NetworkManager gives this kind of interface no ${what}`,
    });
  }
}
