import t from "tap";
import type { BlockDevice, Facts, PciDevice } from "#generated/provisioner/facts/facts.ts";
import type { RootStack } from "../root-stack.ts";
import { fileOf, plainFacts, tryRender } from "../try-render.ts";

const disk = (name: string, more: Partial<BlockDevice>): BlockDevice => ({
  name,
  sizeBytes: 64 * 1024 ** 3,
  removable: false,
  readOnly: false,
  rotational: false,
  model: null,
  transport: "nvme",
  wwid: null,
  byId: [],
  modules: [],
  partitionTable: null,
  signature: null,
  partitions: [],
  ...more,
});

const pci = (kind: string, driver: string | null, module: string | null): PciDevice => ({
  slot: "0000:00:1f.0",
  vendor: "8086",
  device: "a0d3",
  subsystemVendor: null,
  subsystemDevice: null,
  class: kind,
  driver,
  module,
});

const onDisks = (...disks: readonly string[]): RootStack => ({ disks, layers: [], untold: [] });

interface Machine {
  readonly disks?: readonly BlockDevice[];
  readonly pci?: readonly PciDevice[];
  readonly root?: RootStack | null;
}

function rendered({ disks, pci = [], root }: Machine, kind: "platform" | "adopted" = "platform") {
  const facts: Facts = { ...plainFacts, blockDevices: disks ? [...disks] : null, pci: [...pci] };
  const base = { kind, ...(root === undefined ? {} : { root }) };
  const result = tryRender({}, { facts, base });
  const text = fileOf(result, "firstlight/hardware.nix");
  const [, list = ""] = /availableKernelModules = \[([^\]]*)\]/.exec(text) ?? [];
  return {
    modules: [...list.matchAll(/"([^"]+)"/g)].map(([, name]) => name),
    findings: result.findings.map(({ level, code, message }) => [level, code, message]),
  };
}

const cases: readonly (readonly [string, Machine, readonly string[]])[] = [
  [
    "the whole way to the root disk",
    {
      disks: [disk("sda", { transport: "ata", modules: ["sd_mod", "ahci"] })],
      root: onDisks("sda"),
    },
    ["ahci", "sd_mod"],
  ],
  [
    "a root on USB that calls itself removable, and no other stick",
    {
      disks: [
        disk("sda", { transport: "usb", removable: true, modules: ["sd_mod", "uas", "xhci_pci"] }),
        disk("sdb", { transport: "usb", removable: true, modules: ["sd_mod", "ums_realtek"] }),
        disk("nvme0n1", { modules: ["nvme"] }),
      ],
      root: onDisks("sda"),
    },
    ["nvme", "sd_mod", "uas", "usb_storage", "xhci_pci"],
  ],
  [
    "every disk where all can be taken out and nothing tells the root",
    { disks: [disk("mmcblk0", { transport: "mmc", removable: true, modules: ["sdhci_acpi"] })] },
    ["mmc_block", "sdhci_acpi"],
  ],
  [
    "what lies between disk and file system",
    {
      disks: [disk("nvme0n1", { modules: ["nvme"] })],
      root: { ...onDisks("nvme0n1"), layers: ["dm_crypt", "dm_mod", "raid1"] },
    },
    ["dm_crypt", "dm_mod", "nvme", "raid1"],
  ],
  [
    "modules of drivers that the kernel which runs has built in, and no names that are no modules",
    {
      disks: [disk("vda", { transport: "virtio" }), disk("sda", { transport: "ata" })],
      pci: [
        pci("010000", "virtio-pci", null),
        pci("010601", "ahci", null),
        pci("0c0320", "ehci-pci", null),
        pci("0c0330", "xhci_hcd", null),
        pci("010700", "isci-of-somebody", null),
        pci("0c0340", "thunderbolt", "thunderbolt"),
        pci("010400", null, null),
        pci("030000", "i915", "i915"),
      ],
      root: onDisks("vda", "sda"),
    },
    ["ahci", "ehci_pci", "sd_mod", "thunderbolt", "virtio_blk", "virtio_pci", "xhci_pci"],
  ],
  [
    "disks of Xen and of Hyper-V, which no controller on PCI drives",
    {
      disks: [disk("xvda", { transport: "xen" }), disk("sda", { transport: "hyperv" })],
      root: onDisks("xvda", "sda"),
    },
    ["hv_storvsc", "sd_mod", "xen_blkfront"],
  ],
];

for (const [sentence, machine, modules] of cases) {
  t.test(`the initial RAM disk has ${sentence}`, async (t) => {
    t.same(rendered(machine), { modules, findings: [] });
  });
}

const builtIn = "whose drivers are built into the kernel that runs";

t.test("a root disk is named where nothing tells how it is reached", async (t) => {
  const cases: readonly (readonly [string, Machine, RegExp])[] = [
    [
      "render/initrd-drivers",
      { disks: [disk("sda", { transport: "ata", modules: ["sd_mod"] })], root: onDisks("sda") },
      new RegExp(`lies on sda, ${builtIn}`),
    ],
    [
      "render/initrd-drivers",
      { disks: [disk("pmem0", { transport: "other" })], root: onDisks("pmem0") },
      new RegExp(`lies on pmem0, ${builtIn}`),
    ],
    [
      "render/initrd-drivers",
      { disks: [], root: onDisks("nbd0") },
      /lies on nbd0, which is not among the disks of the facts/,
    ],
  ];
  for (const [code, machine, message] of cases) {
    t.match(rendered(machine).findings, [["warning", code, message]]);
    t.match(rendered(machine, "adopted").findings, [["note", code, message]], "it booted before");
  }
  const zfs = { disks: [], layers: [], untold: [{ path: "/", type: "zfs" }] };
  t.match(
    rendered({ disks: [disk("nvme0n1", { modules: ["nvme"] })], root: zfs }),
    { modules: ["nvme"], findings: [["note", "render/initrd-disks", /which disks \/ \(zfs\)/]] },
    "and all that stay in the machine are covered",
  );
  t.same(rendered({ disks: [], root: null }).findings, [], "a container has none");
});
