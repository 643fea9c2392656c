import type { BlockDevice, Facts, PciDevice } from "#generated/provisioner/facts/facts.ts";
import { str } from "#provisioner/nix-language/tree.ts";
import type { CompiledProfile } from "#provisioner/profiles/profile.ts";
import { type Assignment, addFinding, type Concern } from "../assignment.ts";
import type { RootStack } from "../root-stack.ts";
import { lists } from "./lists.ts";

type Transport = NonNullable<BlockDevice["transport"]>;

/** How a disk is driven, by the way it is attached. */
interface Attachment {
  /** Modules of the disk itself, which are there even where the kernel that runs has them built in. */
  readonly modules: readonly string[];
  /** Classes of PCI that its controller is among; `null` where the modules above reach down to the bus. */
  readonly controller: RegExp | null;
}

/** By the names of drivers/nvme, drivers/scsi, drivers/mmc, drivers/block and drivers/hv of Linux. */
const attachments: Readonly<Record<Transport, Attachment>> = {
  nvme: { modules: ["nvme"], controller: null },
  ata: { modules: ["sd_mod"], controller: /^01/ },
  scsi: { modules: ["sd_mod"], controller: /^01/ },
  sas: { modules: ["sd_mod"], controller: /^01/ },
  usb: { modules: ["sd_mod", "uas", "usb_storage"], controller: /^0c03/ },
  mmc: { modules: ["mmc_block"], controller: /^0805/ },
  virtio: { modules: ["virtio_blk", "virtio_pci"], controller: null },
  xen: { modules: ["xen_blkfront"], controller: null },
  hyperv: { modules: ["hv_storvsc", "sd_mod"], controller: null },
  other: { modules: [], controller: /^(?!)/ },
};

/** Modules that only name what the disk is, and not how it is reached. */
const topModules = new Set(["sd_mod", "sr_mod", "mmc_block"]);

/** Modules by the name that their driver has on the PCI bus, where the two differ. */
const moduleOfDriver: Readonly<Record<string, string>> = {
  "ehci-pci": "ehci_pci",
  "ohci-pci": "ohci_pci",
  "sdhci-pci": "sdhci_pci",
  "virtio-pci": "virtio_pci",
  "xhci-pci-renesas": "xhci_pci_renesas",
  xhci_hcd: "xhci_pci",
};

/** Drivers whose module has their own name; of any other that is built in, nothing tells how the module is called. */
const namedAlike = new Set([
  ...["aacraid", "ahci", "ata_piix", "firewire_ohci", "hpsa", "megaraid_sas", "mpt3sas", "mptsas"],
  ...["mptspi", "nvme", "sata_nv", "sata_sil", "sata_sil24", "smartpqi", "uhci_hcd", "vmd"],
  "vmw_pvscsi",
]);

/** Controllers of disks, FireWire, USB and SD cards. */
const controllers = /^(01|0c00|0c03|0805)/;

/**
 * What the profile says, the drivers of controllers, and the whole way to every disk that stays in
 * the machine and to those of the root file system, wherever they are. Where nothing tells the way to
 * these, a finding says so.
 */
export function renderInitrd(
  concern: Concern,
  profile: CompiledProfile | null,
  facts: Facts,
): readonly Assignment[] {
  const { root } = concern.base;
  const available = new Set([
    ...(profile?.initrd.availableModules ?? []),
    ...(facts.pci ?? [])
      .filter((device) => controllers.test(device.class ?? ""))
      .flatMap(moduleOfController),
    ...disksToReach(facts, root ?? null).flatMap((disk) => [
      ...disk.modules,
      ...attachmentOf(disk).modules,
    ]),
    ...(root?.layers ?? []),
  ]);
  if (root !== undefined && root !== null) reportUnreached(concern, { root, facts, profile });
  return [
    ...lists(
      ["boot", "initrd", "availableKernelModules"],
      [...available].filter(isModule).sort().map(str),
    ),
    ...lists(["boot", "initrd", "kernelModules"], (profile?.initrd.modules ?? []).map(str)),
  ];
}

function isModule(name: string): boolean {
  return /^[A-Za-z0-9_-]+$/.test(name);
}

function attachmentOf({ transport }: BlockDevice): Attachment {
  return attachments[transport ?? "other"];
}

/** The module of a bound driver; none where it is built in and the name of its module is not known. */
function moduleOfController({ driver, module }: PciDevice): readonly string[] {
  if (module !== null) return [module];
  if (driver === null) return [];
  const renamed = moduleOfDriver[driver];
  if (renamed !== undefined) return [renamed];
  return namedAlike.has(driver) ? [driver] : [];
}

/** Disks of the root file system, and those that nobody takes out; where that is none, every disk. */
function disksToReach(facts: Facts, root: RootStack | null): readonly BlockDevice[] {
  const disks = facts.blockDevices ?? [];
  const wanted = disks.filter(
    ({ name, removable }) => removable !== true || root?.disks.includes(name),
  );
  return wanted.length > 0 ? wanted : disks;
}

interface Reach {
  readonly root: RootStack;
  readonly facts: Facts;
  readonly profile: CompiledProfile | null;
}

const option = ["options", "boot.initrd.availableKernelModules"] as const;
const hint =
  "name them in boot.initrd.availableKernelModules under `options`, or see that the image's own configuration does";

/** Names every disk of the root file system of which nothing tells how it is reached. */
function reportUnreached(concern: Concern, reach: Reach): void {
  const { root, facts } = reach;
  // An adopted configuration has been started by its own initial RAM disk before.
  const level = concern.base.kind === "adopted" ? "note" : "warning";
  for (const name of root.disks) {
    const disk = facts.blockDevices?.find((each) => each.name === name);
    if (disk !== undefined && isWayKnown(disk, reach)) continue;
    const why =
      disk === undefined
        ? "which is not among the disks of the facts"
        : "whose drivers are built into the kernel that runs, so that nothing tells their modules";
    const message = `the root file system lies on ${name}, ${why}`;
    addFinding(concern, option, level, "render/initrd-drivers", message, hint);
  }
  for (const { path, type } of root.untold) {
    const message = `nothing tells on which disks ${path} (${type}) lies: the drivers of all disks that stay in the machine are in the initial RAM disk`;
    addFinding(concern, option, "note", "render/initrd-disks", message, hint);
  }
}

/** Whether what is in the set reaches from the disk to its bus. */
function isWayKnown(disk: BlockDevice, { facts, profile }: Reach): boolean {
  const { controller } = attachmentOf(disk);
  if (controller === null || disk.modules.some((module) => !topModules.has(module))) return true;
  const isBound = ({ class: kind }: PciDevice) => kind !== null && controller.test(kind);
  if (facts.pci?.some((device) => isBound(device) && moduleOfController(device).length > 0))
    return true;
  // The profile of a board knows what its disks hang on; one for any machine only guesses.
  return profile !== null && !profile.id.startsWith("generic/");
}
