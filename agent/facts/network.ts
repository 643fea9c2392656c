import type { NetworkInterface } from "#generated/provisioner/facts/facts.ts";
import type { KernelFiles } from "./kernel-files.ts";

const directory = "/sys/class/net";
const maxInterfaces = 1024;

/** What `DEVTYPE` in an interface's `uevent` says of it. */
const kindsByType: Readonly<Record<string, NetworkInterface["kind"]>> = {
  bond: "bond",
  bridge: "bridge",
  vlan: "vlan",
  vxlan: "tunnel",
  geneve: "tunnel",
  wireguard: "tunnel",
  wlan: "wifi",
  wwan: "wwan",
};

/** Hardware types of `<linux/if_arp.h>`. */
const kindsByHardware: Readonly<Record<number, NetworkInterface["kind"]>> = {
  1: "ethernet",
  32: "infiniband",
  280: "can",
  512: "ppp",
  768: "tunnel",
  769: "tunnel",
  772: "loopback",
  776: "tunnel",
  778: "tunnel",
  801: "wifi",
  802: "wifi",
  803: "wifi",
  823: "tunnel",
  65534: "tunnel",
};

/** Network interfaces by name, `null` when sysfs is not there to say so. */
export function readNetwork(kernel: KernelFiles): NetworkInterface[] | null {
  const names = kernel.list(directory, maxInterfaces);
  if (names === null) return kernel.exists("/sys/class") ? [] : null;
  const interfaces: NetworkInterface[] = [];
  for (const name of names) {
    const here = `${directory}/${name}`;
    const hardware = kernel.number(`${here}/type`);
    if (hardware === null) continue; // `bonding_masters` is a file among the interfaces
    interfaces.push({
      name,
      mac: macOf(kernel.value(`${here}/address`)),
      driver: kernel.linkName(`${here}/device/driver`),
      module: kernel.linkName(`${here}/device/driver/module`),
      kind: kindOf(kernel, here, hardware),
      physical: kernel.exists(`${here}/device`),
    });
  }
  return interfaces;
}

function kindOf(kernel: KernelFiles, here: string, hardware: number): NetworkInterface["kind"] {
  const named = kindsByType[kernel.pairs(`${here}/uevent`).get("DEVTYPE") ?? ""];
  if (named !== undefined) return named;
  if (kernel.exists(`${here}/phy80211`)) return "wifi";
  if (kernel.exists(`${here}/tun_flags`)) return "tunnel";
  return kindsByHardware[hardware] ?? "other";
}

/** An address of zeros stands for none. */
function macOf(text: string | null): string | null {
  const mac = text?.toLowerCase() ?? "";
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5,19}$/.test(mac) && !/^[0:]+$/.test(mac) ? mac : null;
}
