import { formatBytes } from "#core/bytes.ts";
import { Fault } from "#core/fault.ts";
import { chooseDisk, type DiskBinding, type DiskRequest } from "./choose-disk.ts";
import type { DiskReport } from "./disk-report.ts";

/** What the approval is held against. */
export interface ApprovedDisk extends DiskBinding {
  /** UUID of the partition table that the plan writes: found on the disk, it is this plan that was at work. */
  readonly tableId: string;
}

/** How a disk was found: as it was approved, or as this plan has left it. */
export type FoundDisk = "untouched" | "begun";

/**
 * Holds the disks against what was approved, immediately before the first write. All that speaks
 * against a disk that is named speaks against it here too; beyond that size and content must be the
 * same, but where the plan's own table is on it. Throws the refusal, or `install/disk-changed`.
 */
export function checkApproval(
  report: DiskReport,
  approved: readonly ApprovedDisk[],
  request: Omit<DiskRequest, "named">,
): readonly FoundDisk[] {
  const choice = chooseDisk(report, { ...request, named: approved.map(({ id }) => id) });
  if (choice.kind === "refused")
    throw new Fault(choice.code, choice.message, { hint: choice.hint });
  return approved.map((disk, index): FoundDisk => {
    const now = choice.disks[index];
    if (now === undefined || now.id !== disk.id) throw changed(disk, "it is another disk now");
    if (now.sizeBytes !== disk.sizeBytes)
      throw changed(
        disk,
        `it held ${formatBytes(disk.sizeBytes)}, and holds ${formatBytes(now.sizeBytes)}`,
      );
    if (now.sectorBytes !== disk.sectorBytes)
      throw changed(disk, "it is addressed in sectors of another size");
    if (now.tableHash === disk.tableHash) return "untouched";
    const table = report.content[report.links[disk.id] ?? ""]?.table;
    if (table?.kind === "gpt" && table.damage === null && table.id === disk.tableId) return "begun";
    throw changed(disk, "something else is written on it");
  });
}

function changed({ id }: DiskBinding, why: string): Fault {
  return new Fault("install/disk-changed", `${id}: ${why}`);
}
