import { formatBytes } from "#core/bytes.ts";
import type {
  BlockDevice,
  Facts,
  NetworkInterface,
  PciDevice,
  UsbDevice,
} from "#generated/provisioner/facts/facts.ts";
import { isFingerprintReader } from "#provisioner/facts/features.ts";
import { busIdOf } from "#provisioner/facts/gpus.ts";
import { knownText } from "#provisioner/profiles/known-text.ts";
import { pciText } from "./pci-vendors.ts";
import { gap, notKnown, type Row, row } from "./picture-row.ts";

/** Graphics processors: what the kernel's class 03 says. */
export function graphicsRows(pci: readonly PciDevice[] | null): readonly Row[] {
  if (pci === null) return [gap("graphics", "not known: no PCI bus is shown")];
  const found = pci.filter((device) => device.class?.startsWith("03") === true);
  if (found.length === 0) return [row("graphics", ["none on the PCI bus"])];
  return found.map((device) =>
    row("graphics", [pciText(device), device.driver ?? "no driver", busIdOf(device.slot) ?? ""]),
  );
}

const transports: Readonly<Record<NonNullable<BlockDevice["transport"]>, string>> = {
  nvme: "NVMe",
  ata: "ATA",
  scsi: "SCSI",
  sas: "SAS",
  usb: "USB",
  mmc: "MMC",
  virtio: "virtio",
  xen: "Xen",
  hyperv: "Hyper-V",
  other: "",
};

/** A hypervisor's disks: that they spin is what the kernel takes for granted where nobody says. */
const virtualTransports: ReadonlySet<BlockDevice["transport"]> = new Set([
  "virtio",
  "xen",
  "hyperv",
]);

/** Disks, each with the drivers on the way to it, `back` between them. */
export function diskRows(disks: readonly BlockDevice[] | null, back: string): readonly Row[] {
  if (disks === null) return [gap("disks", "not known: the kernel shows no list of them")];
  if (disks.length === 0) return [row("disks", ["none"])];
  return disks.map(({ name, sizeBytes, model, transport, modules, ...is }) => {
    const way = modules.length === 0 ? ["drivers that are built in"] : modules;
    const what = [
      model ?? "",
      sizeBytes === null ? `size ${notKnown}` : formatBytes(sizeBytes),
      transport === null ? "" : transports[transport],
      is.rotational === true && !virtualTransports.has(transport) ? "spins" : "",
      is.removable === true ? "removable" : "",
      is.readOnly === true ? "read-only" : "",
    ];
    const chain = [name, ...way].join(` ${back} `);
    return { label: "disk", lines: [what, [chain]], isGap: sizeBytes === null };
  });
}

const interfaceLabels: Partial<Readonly<Record<NetworkInterface["kind"], string>>> = {
  ethernet: "Ethernet",
  wifi: "Wi-Fi",
  wwan: "WWAN",
  infiniband: "InfiniBand",
  can: "CAN",
};

/** Interfaces that a device stands behind, and network devices on PCI that no driver has made one of. */
export function networkRows({
  network,
  pci,
  usb,
}: Pick<Facts, "network" | "pci" | "usb">): readonly Row[] {
  const idle = (pci ?? [])
    .filter((device) => device.class?.startsWith("02") === true && device.driver === null)
    .map((device) => {
      const label = device.class?.startsWith("0280") === true ? "Wi-Fi" : "network";
      return row(label, [pciText(device), "no driver"]);
    });
  if (network === null)
    return [gap("network", "not known: the kernel shows no list of it"), ...idle];
  const rows = network
    .filter(({ physical }) => physical)
    .map((each) =>
      row(interfaceLabels[each.kind] ?? "network", [
        each.name,
        idsBehind(each, { pci, usb }),
        each.driver ?? "no driver",
      ]),
    );
  return rows.length + idle.length === 0 ? [row("network", ["none"])] : [...rows, ...idle];
}

/** Ids of the device behind an interface: of the only kind of device that its driver drives. */
function idsBehind(
  { driver, module }: NetworkInterface,
  { pci, usb }: Pick<Facts, "pci" | "usb">,
): string {
  const onPci = (pci ?? [])
    .filter((device) => driver !== null && device.driver === driver)
    .map(pciText);
  const onUsb = (usb ?? [])
    .filter((device) => module !== null && device.modules.includes(module))
    .map(usbIds);
  const [ids = "", ...others] = new Set([...onPci, ...onUsb]);
  return others.length === 0 ? ids : "";
}

/** Interface classes of USB (https://www.usb.org/defined-class-codes). */
const usbClasses = { storage: "08", hub: "09", video: "0e", wireless: "e0" } as const;

/** What is on USB and not in the picture already, by what it is for. */
export function usbRows({
  usb,
  network,
  pci,
}: Pick<Facts, "usb" | "network" | "pci">): readonly Row[] {
  const onPci = (pci ?? [])
    .filter((device) => device.class?.startsWith("0d11") === true)
    .map((device) => row("Bluetooth", [pciText(device), device.driver ?? "no driver"]));
  if (usb === null) return [...onPci, gap("USB", "not known: no USB bus is shown")];
  const networkModules = (network ?? []).flatMap(({ module }) => module ?? []);
  const isDrawn = ({ class: kind, interfaceClasses, modules }: UsbDevice) =>
    kind === usbClasses.hub ||
    (interfaceClasses.includes(usbClasses.storage) && modules.length > 0) ||
    modules.some((module) => networkModules.includes(module));
  const rows = usb
    .filter((device) => !isDrawn(device))
    .map((device) => row(usbLabel(device), [usbName(device), usbIds(device), ...device.modules]));
  const order = ["Bluetooth", "camera", "fingerprint", "USB"];
  return [...onPci, ...rows].sort((a, b) => order.indexOf(a.label) - order.indexOf(b.label));
}

function usbLabel(device: UsbDevice): string {
  const { class: kind, interfaceClasses, modules } = device;
  const has = (wanted: string) => kind === wanted || interfaceClasses.includes(wanted);
  // Networks over USB are of this class too.
  if (has(usbClasses.wireless) && !modules.includes("rndis_host")) return "Bluetooth";
  if (has(usbClasses.video)) return "camera";
  return isFingerprintReader(device) ? "fingerprint" : "USB";
}

function usbName({ manufacturer, name }: UsbDevice): string {
  const maker = knownText(manufacturer);
  const own = knownText(name);
  if (own === null) return maker ?? "a device without a name";
  if (maker === null || maker.toLowerCase() === "generic") return own;
  const [word = ""] = maker.toLowerCase().split(/[ .,]/);
  return own.toLowerCase().startsWith(word) ? own : `${maker} ${own}`;
}

function usbIds({ vendor, product }: Pick<UsbDevice, "vendor" | "product">): string {
  return `${vendor}:${product}`;
}
