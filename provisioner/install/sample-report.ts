import type { BlockDevice } from "#generated/provisioner/facts/facts.ts";
import type { DiskReport, KernelDisk, LsblkDisk } from "./disk-report.ts";
import { type FakeDisk, factsOfDisk } from "./fake-disks.ts";

/** For tests: a machine with these disks, empty and free, by the word of every witness. */
export function sampleReport(fakes: readonly FakeDisk[]): {
  readonly report: DiskReport;
  readonly disks: BlockDevice[];
} {
  const disks = fakes.map(factsOfDisk);
  const report: DiskReport = {
    v: 1,
    kernel: fakes.map((fake, index): KernelDisk => {
      const disk = disks[index] ?? factsOfDisk(fake);
      const { name, sizeBytes, removable, readOnly, model, transport, wwid } = disk;
      return {
        ...{ name, sizeBytes, removable, readOnly, model, transport, wwid },
        ...{ sectorBytes: 512, isCard: false, signature: "none", partitionTable: "none" },
        ...{ claims: [fake.id], partitions: [], uses: [] },
      };
    }),
    lsblk: fakes.map(
      ({ name, id, sizeBytes, transport = "nvme" }): LsblkDisk => ({
        ...{ name, sizeBytes, transport, removable: false, readOnly: false, serial: id, wwn: null },
        ...{ partitions: [], signatures: [], mounts: [] },
      }),
    ),
    content: Object.fromEntries(
      fakes.map(({ name }) => [
        name,
        {
          table: { kind: "none", id: null, entries: [], damage: null },
          ...{ signatures: [], partitions: {}, isBlank: true, isHeld: false },
          tableHash: "0".repeat(64),
        },
      ]),
    ),
    links: Object.fromEntries(fakes.map(({ id, name }) => [id, name])),
    ...{ loaderPartition: null, unheard: [] },
  };
  return { report, disks };
}
