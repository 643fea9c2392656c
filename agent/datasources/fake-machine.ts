/** For tests: a directory that stands for a machine, with disks and seeds. */
import {
  copyFileSync,
  mkdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { type Tree, writeTree } from "./images/make-images.ts";

/** A disk of a fake machine. */
export interface FakeDisk {
  /** An image, or absent for a disk of zeros. */
  readonly image?: string;
  /** Bytes; default: those of the image. */
  readonly bytes?: number;
  /** Its place below `/sys/devices`; the kernel's link in `/sys/class/block` points there. */
  readonly device?: string;
  /** Further files of its directory in sysfs: `removable`, `dm/uuid`. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Adds a disk: its node is a plain file. */
export function addDisk(root: string, name: string, disk: FakeDisk = {}): void {
  const node = path.join(root, "dev", name);
  mkdirSync(path.dirname(node), { recursive: true });
  if (disk.image === undefined) writeFileSync(node, "");
  else copyFileSync(disk.image, node);
  if (disk.image === undefined) truncateSync(node, disk.bytes ?? 64 * 1024);
  const bytes = disk.bytes ?? statSync(node).size;

  const entry = path.join(root, "sys/class/block", name.replace("/", "!"));
  const place = disk.device === undefined ? entry : path.join(root, "sys/devices", disk.device);
  writeTree(place, { size: `${Math.floor(bytes / 512)}\n`, ...disk.attributes });
  if (disk.device !== undefined) {
    mkdirSync(path.dirname(entry), { recursive: true });
    symlinkSync(path.join("../../devices", disk.device), entry);
  }
}

/** Fills a seed directory. */
export function addSeedDirectory(root: string, tree: Tree, name = "nocloud"): void {
  writeTree(path.join(root, "var/lib/cloud/seed", name), tree);
}

/** Sets the kernel's command line. */
export function setKernelCommandLine(root: string, line: string): void {
  writeTree(path.join(root, "proc"), { cmdline: `${line}\n` });
}
