import type { DiskBinding } from "./choose-disk.ts";
import type { Layout, LayoutWishes } from "./layout.ts";
import { disksOf, makeLayout } from "./make-layout.ts";

const gibibyte = 1024 ** 3;

const usual: LayoutWishes = {
  name: "encrypted",
  fileSystem: "ext4",
  swap: "memory",
  home: "root",
  espMebibytes: 1024,
};

/** For tests: every layout with what can be asked of it. */
export const sampleWishes: Readonly<Record<string, LayoutWishes>> = {
  "encrypted-ext4-hibernate": usual,
  "encrypted-btrfs-zram": { ...usual, fileSystem: "btrfs", swap: "zram" },
  "encrypted-xfs-home": { ...usual, fileSystem: "xfs", home: "partition", espMebibytes: 2048 },
  "encrypted-btrfs-home": { ...usual, fileSystem: "btrfs", swap: "none", home: "partition" },
  "plain-ext4": { ...usual, name: "plain", swap: "zram" },
  "plain-btrfs": { ...usual, name: "plain", fileSystem: "btrfs", swap: "none" },
  "mirror-ext4": { ...usual, name: "mirror", swap: "none" },
  "edge-ext4": { ...usual, name: "edge", swap: "zram" },
};

export const sampleSeed = "5eed5eed-5eed-4eed-8eed-5eed5eed5eed";

/** A layout of the samples on disks that nobody has. */
export function sampleLayout(
  wishes: LayoutWishes,
  sizeBytes = 100 * gibibyte + 12_345 * 512,
): Layout {
  const disks = Array.from(
    { length: disksOf(wishes) },
    (_, index): DiskBinding => ({
      id: `nvme-Sample_Disk_S${index + 1}`,
      // The second one is a little larger, as disks of another maker are.
      sizeBytes: sizeBytes + index * 4096 * 1000,
      ...{ sectorBytes: 512, model: "Sample Disk", tableHash: "0".repeat(64), holds: [] },
    }),
  );
  return makeLayout(wishes, { disks, memoryBytes: 7.6 * gibibyte, seed: sampleSeed });
}
