import { closeSync, ftruncateSync, mkdirSync, openSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { FakeProgram } from "#core/fake-io.ts";
import type { BlockDevice } from "#generated/provisioner/facts/facts.ts";

/** For tests: a disk as it stands in a directory that stands for a machine. */
export interface FakeDisk {
  readonly name: string;
  readonly id: string;
  readonly sizeBytes: number;
  readonly transport?: BlockDevice["transport"];
  readonly model?: string;
}

/** The kernel's word for a disk of this sort. */
export function factsOfDisk({
  name,
  id,
  sizeBytes,
  transport = "nvme",
  model,
}: FakeDisk): BlockDevice {
  return {
    ...{ name, sizeBytes, transport, model: model ?? "Fake Disk", wwid: null, byId: [id] },
    ...{ removable: false, readOnly: false, rotational: false, modules: ["nvme"] },
    ...{ partitionTable: "none", signature: "none", partitions: [] },
  };
}

/** Puts disks below `root`, empty: files of `/dev` with holes, and what udev and the kernel say of them. */
export function putDisks(root: string, disks: readonly FakeDisk[]): void {
  const put = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  put("/proc/self/mountinfo", "21 1 0:20 / / rw - tmpfs tmpfs rw\n");
  for (const [index, { name, id, sizeBytes }] of disks.entries()) {
    put(`/sys/class/block/${name}/dev`, `259:${index}\n`);
    put(`/sys/class/block/${name}/queue/logical_block_size`, "512\n");
    put(`/run/udev/data/b259:${index}`, `S:disk/by-id/${id}\nE:ID_SERIAL=x\n`);
    mkdirSync(path.join(root, "/dev/disk/by-id"), { recursive: true });
    const fd = openSync(path.join(root, "/dev", name), "w");
    ftruncateSync(fd, sizeBytes);
    closeSync(fd);
    symlinkSync(`../../${name}`, path.join(root, "/dev/disk/by-id", id));
  }
}

/** `lsblk` that says the same. */
export function fakeLsblk(disks: readonly FakeDisk[]): FakeProgram {
  return () => ({
    stdout: JSON.stringify({
      blockdevices: disks.map(({ name, id, sizeBytes, transport = "nvme" }) => ({
        ...{ name, type: "disk", size: sizeBytes, rm: false, ro: false, tran: transport },
        ...{ serial: id, wwn: null, fstype: null, mountpoint: null },
      })),
    }),
  });
}
