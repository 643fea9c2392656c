import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Cell, inCell } from "./cell.ts";
import { ask, onHost } from "./host.ts";

/** The disk of a container: ext4 over the image, so that it can lose its power. */
export interface Disk {
  /** The machine's root, as a path in the cell. */
  readonly root: string;
  /**
   * What the disk has not got yet is lost, as when the power goes: the file system ends without
   * writing its log (`EXT4_IOC_SHUTDOWN`, fs/ext4/ioctl.c). Whoever uses it gets errors from then on.
   */
  loseAll(): Promise<void>;
  /** After the machine has ended; throws when something keeps the disk busy. */
  unmount(): Promise<void>;
  mount(): Promise<void>;
}

const size = "2G";
const busyMs = 30_000;
const pollMs = 50;
const shutdown = `open(my $disk, "<", $ARGV[0]) or die $!; my $noLogFlush = pack("L", 2); ioctl($disk, 0x8004587d, $noLogFlush) or die $!`;

/** Makes a disk in `directory` of the cell and mounts it over `lower`. */
export async function openDisk(
  cell: Cell,
  directory: string,
  lower: readonly string[],
): Promise<Disk> {
  const at = (name: string) => path.join(directory, name);
  const [file, ext4, root] = [at("disk.ext4"), at("disk"), at("root")];
  await onHost(["truncate", "--size", size, file]);
  await onHost(["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1", file]);
  await onHost(["mkdir", ext4, root]);
  const layers = `lowerdir=${lower.join(":")},upperdir=${ext4}/upper,workdir=${ext4}/work`;
  const disk: Disk = {
    root,
    loseAll: async () => void (await inCell(cell, ["perl", "-e", shutdown, ext4])),
    async unmount() {
      await until(
        `${root} is busy`,
        async () => (await ask(cell.enter(["umount", root]))).code === 0,
      );
      await until(
        `${ext4} is busy`,
        async () => (await ask(cell.enter(["umount", ext4]))).code === 0,
      );
      // The kernel's own last user of it is not seen by umount.
      await until(`${file} is in use`, async () => (await onHost(["losetup", "-j", file])) === "");
    },
    async mount() {
      await inCell(cell, ["mount", "-n", "-o", "loop", file, ext4]);
      await inCell(cell, ["mkdir", "-p", `${ext4}/upper`, `${ext4}/work`]);
      await inCell(cell, ["mount", "-n", "-t", "overlay", "-o", layers, "overlay", root]);
    },
  };
  await disk.mount();
  return disk;
}

async function until(what: string, done: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + busyMs; !(await done()); await delay(pollMs)) {
    if (Date.now() > deadline) throw new Error(`disk: ${what} after ${busyMs} ms`);
  }
}
