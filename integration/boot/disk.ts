import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Cell, inCell } from "./cell.ts";
import { ask, onHost } from "./host.ts";

/** The disks of a container: ext4 over the image, and one for /boot, so that they can lose their power. */
export interface Disks {
  /** The machine's root, as a path in the cell. */
  readonly root: string;
  /**
   * What the disks have not got yet is lost, as when the power goes: their file systems end without
   * writing their logs (`EXT4_IOC_SHUTDOWN`, fs/ext4/ioctl.c). Whoever uses them gets errors from then on.
   */
  loseAll(): Promise<void>;
  /** After the machine has ended; throws when something keeps a disk busy. */
  unmount(): Promise<void>;
  mount(): Promise<void>;
}

/** What disks hold before the machine's first boot. */
export interface DiskContents {
  /** Directories of the root, the topmost first. */
  readonly layers: readonly string[];
  /** Directory of the boot partition's files. */
  readonly boot: string;
}

const size = "2G";
const bootSize = "64M";
/** Nothing of it reaches the disk unless somebody asks for that. */
const bootOptions = "loop,noauto_da_alloc,commit=300";
const busyMs = 30_000;
const pollMs = 50;
const shutdown = `for (@ARGV) { open(my $disk, "<", $_) or die $!; my $noLogFlush = pack("L", 2); ioctl($disk, 0x8004587d, $noLogFlush) or die $! }`;

/** Makes disks in `directory` of the cell and mounts them. */
export async function openDisks(
  cell: Cell,
  directory: string,
  { layers, boot }: DiskContents,
): Promise<Disks> {
  const at = (name: string) => path.join(directory, name);
  const [file, ext4, root] = [at("disk.ext4"), at("disk"), at("root")];
  const bootFile = at("boot.ext4");
  const make = ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1"] as const;
  await onHost(["truncate", "--size", size, file]);
  await onHost([...make, file]);
  await onHost(["truncate", "--size", bootSize, bootFile]);
  await onHost([...make, "-L", "boot", "-d", boot, bootFile]);
  await onHost(["mkdir", ext4, root]);
  const overlay = `lowerdir=${layers.join(":")},upperdir=${ext4}/upper,workdir=${ext4}/work`;
  const disks: Disks = {
    root,
    loseAll: async () => void (await inCell(cell, ["perl", "-e", shutdown, `${root}/boot`, ext4])),
    async unmount() {
      for (const place of [`${root}/boot`, root, ext4]) {
        const unmount = cell.enter(["umount", place]);
        await until(`${place} is busy`, async () => (await ask(unmount)).code === 0);
      }
      // The kernel's own last user of one is not seen by umount.
      for (const each of [bootFile, file]) {
        const isFree = async () => (await onHost(["losetup", "-j", each])) === "";
        await until(`${each} is in use`, isFree);
      }
    },
    async mount() {
      await inCell(cell, ["mount", "-n", "-o", "loop", file, ext4]);
      await inCell(cell, ["mkdir", "-p", `${ext4}/upper`, `${ext4}/work`]);
      await inCell(cell, ["mount", "-n", "-t", "overlay", "-o", overlay, "overlay", root]);
      await inCell(cell, ["mount", "-n", "-o", bootOptions, bootFile, `${root}/boot`]);
    },
  };
  await disks.mount();
  return disks;
}

async function until(what: string, done: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + busyMs; !(await done()); await delay(pollMs)) {
    if (Date.now() > deadline) throw new Error(`disk: ${what} after ${busyMs} ms`);
  }
}
