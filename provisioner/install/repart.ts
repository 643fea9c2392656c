import type { Layout, LayoutDisk } from "./layout.ts";
import { partitionTypes } from "./partition-types.ts";

/** A file of `repart.d`, with its path below the directory of its disk. */
export interface RepartFile {
  readonly path: string;
  readonly content: string;
}

/**
 * The partitions as definitions of systemd-repart (repart.d(5)), one directory a disk. They are exact:
 * `systemd-repart --empty=force --definitions=DIR` makes the same table as the plan's own step.
 */
export function repartDefinitions(layout: Layout): readonly RepartFile[] {
  return layout.disks.flatMap((disk, index) =>
    disk.partitions.map((partition) => ({
      path: `disk-${index + 1}/${String(partition.number * 10).padStart(2, "0")}-${partition.role}.conf`,
      content: [
        "[Partition]",
        `Type=${partitionTypes[partition.role]}`,
        `Label=${partition.name}`,
        `UUID=${partition.uuid}`,
        `SizeMinBytes=${partition.sizeBytes}`,
        `SizeMaxBytes=${partition.sizeBytes}`,
        "",
      ].join("\n"),
    })),
  );
}

/** The same table as a script of sfdisk(8), which the plan's own step reads. */
export function sfdiskScript({ tableId, partitions, binding }: LayoutDisk): string {
  const sectors = (bytes: number) => bytes / binding.sectorBytes;
  const lines = partitions.map(({ number, startBytes, sizeBytes, role, uuid, name }) =>
    [
      `${number} : start=${sectors(startBytes)}`,
      `size=${sectors(sizeBytes)}`,
      `type=${partitionTypes[role]}`,
      `uuid=${uuid}`,
      `name="${name}"`,
    ].join(", "),
  );
  return [
    "label: gpt",
    `label-id: ${tableId}`,
    "unit: sectors",
    `sector-size: ${binding.sectorBytes}`,
    "",
    ...lines,
    "",
  ].join("\n");
}
