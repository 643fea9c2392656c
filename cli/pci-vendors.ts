/**
 * Makers of graphics and network devices by PCI vendor id, so that a person need not know it.
 * Source: the PCI ID repository, https://pci-ids.ucw.cz/.
 */
const makers: Readonly<Record<string, string>> = {
  "1002": "AMD",
  "1022": "AMD",
  "102b": "Matrox",
  "106b": "Apple",
  "1077": "QLogic",
  "10de": "NVIDIA",
  "10ec": "Realtek",
  "11ab": "Marvell",
  "1234": "QEMU",
  "1414": "Microsoft",
  "14c3": "MediaTek",
  "14e4": "Broadcom",
  "15ad": "VMware",
  "15b3": "Mellanox",
  "168c": "Qualcomm Atheros",
  "17cb": "Qualcomm",
  "1a03": "ASPEED",
  "1ae0": "Google",
  "1af4": "virtio",
  "1b36": "QEMU",
  "1d0f": "Amazon",
  "1d6a": "Aquantia",
  "5853": "Xen",
  "8086": "Intel",
  "80ee": "VirtualBox",
};

/** `AMD 1002:15bf`, or the ids alone where the maker is none of the known ones. */
export function pciText({ vendor, device }: { vendor: string; device: string }): string {
  const maker = makers[vendor];
  return `${maker === undefined ? "" : `${maker} `}${vendor}:${device}`;
}
