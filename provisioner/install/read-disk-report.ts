import { sha256 } from "#core/canonical-json.ts";
import { Fault, isFault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import type { BlockDevice } from "#generated/provisioner/facts/facts.ts";
import { blockStack } from "#provisioner/render/block-stack.ts";
import { readMounts, readSwaps, tellsMounts } from "#provisioner/render/mount-table.ts";
import type { DiskContent, DiskReport, KernelDisk, LsblkDisk, Unheard } from "./disk-report.ts";
import { readLsblk } from "./lsblk.ts";
import { readPartitionTable } from "./partition-table.ts";
import { findSignatures, type ReadBytes } from "./signatures.ts";

const mebibyte = 1024 * 1024;
const zeros = Buffer.alloc(mebibyte);
const byId = "/dev/disk/by-id";
const blocks = "/sys/class/block";
const maxBytes = 65_536;
const maxLinks = 8192;
/** Which partition systemd-boot and GRUB were started from: the Boot Loader Interface of systemd. */
const loaderVariable =
  "/sys/firmware/efi/efivars/LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

/**
 * Asks every witness about the disks; writes nothing. The kernel's own word comes with the facts of
 * the machine (`blockDevices`). Never throws: what cannot be asked is `null` and stands in `unheard`.
 */
export async function readDiskReport(
  io: Pick<Io, "files" | "exec">,
  disks: readonly BlockDevice[] | null,
): Promise<DiskReport> {
  const { files } = io;
  const unheard: Unheard[] = [];
  const hear = (witness: Unheard["witness"], error: unknown) =>
    unheard.push({ witness, why: error instanceof Error ? error.message : String(error) });
  if (disks === null) hear("kernel", "/sys/block is not there");
  if (!tellsMounts(files)) hear("mounts", "/proc/self/mountinfo is not there");
  const links = readLinks(files);
  if (links === undefined) hear("links", `${byId} is not there: udev has not named the disks`);
  const uses = usesByDisk(files);
  const kernel = disks?.map((disk) => kernelDisk(files, disk, uses.get(disk.name) ?? [])) ?? null;
  const content: Record<string, DiskContent | null> = {};
  for (const disk of kernel ?? []) {
    if (disk.sizeBytes === 0) continue; // a slot without a card
    if (/^fd\d/.test(disk.name)) continue; // an empty drive of floppies answers after seconds
    try {
      content[disk.name] = readContent(files, disk);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      content[disk.name] = null;
      hear("content", error);
    }
  }
  let lsblk: readonly LsblkDisk[] | null = null;
  try {
    lsblk = await readLsblk(io);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    hear("lsblk", error);
  }
  const loaderPartition = readLoaderPartition(files);
  return { v: 1, kernel, lsblk, content, links: links ?? {}, loaderPartition, unheard };
}

function kernelDisk(files: Files, disk: BlockDevice, uses: readonly string[]): KernelDisk {
  const { name, sizeBytes, removable, readOnly, model, transport, wwid } = disk;
  return {
    ...{ name, sizeBytes, removable, readOnly, model, transport, wwid },
    sectorBytes: readNumber(files, `${blocks}/${name}/queue/logical_block_size`),
    isCard:
      attempt(() => files.readText(`${blocks}/${name}/device/type`, { maxBytes }))?.trim() === "SD",
    signature: disk.signature,
    partitionTable: disk.partitionTable,
    claims: readClaims(files, name),
    partitions: disk.partitions.map(({ name, number, sizeBytes, signature }) => ({
      ...{ name, number, sizeBytes, signature },
    })),
    uses,
  };
}

/** The lines `S:` of udev's record of a device: every link that it would have, whoever has it now. */
function readClaims(files: Files, name: string): readonly string[] {
  const number = attempt(() => files.readText(`${blocks}/${name}/dev`, { maxBytes }))?.trim();
  if (number === undefined || !/^[0-9]+:[0-9]+$/.test(number)) return [];
  const record = attempt(() => files.readText(`/run/udev/data/b${number}`, { maxBytes })) ?? "";
  return record
    .split("\n")
    .filter((line) => line.startsWith("S:disk/by-id/"))
    .map((line) => line.slice("S:disk/by-id/".length))
    .sort();
}

function readLinks(files: Files): Readonly<Record<string, string>> | undefined {
  if (attempt(() => files.stat(byId)) === undefined) return undefined;
  const links: Record<string, string> = {};
  for (const name of (attempt(() => files.list(byId)) ?? []).slice(0, maxLinks)) {
    const target = attempt(() => files.readLink(`${byId}/${name}`));
    if (target !== undefined) links[name] = target.slice(target.lastIndexOf("/") + 1);
  }
  return links;
}

/** What uses each disk: mounts and swap through whatever lies between, and sets that are assembled. */
function usesByDisk(files: Files): ReadonlyMap<string, readonly string[]> {
  const uses = new Map<string, Set<string>>();
  const add = (device: string, use: string) => {
    for (const disk of blockStack(files, device).disks)
      uses.set(disk, (uses.get(disk) ?? new Set()).add(use));
  };
  for (const { device, number, path } of readMounts(files)) {
    add(device, `is mounted at ${path}`);
    // Of a loop device too: what it is made from lies on a file system, which is mounted itself.
    const real = attempt(() => files.realPath(`/sys/dev/block/${number}`));
    if (real !== undefined) add(real, `is mounted at ${path}`);
  }
  for (const swap of readSwaps(files)) add(swap, "is swapped to");
  for (const name of attempt(() => files.list(blocks)) ?? []) {
    for (const holder of attempt(() => files.list(`${blocks}/${name}/holders`)) ?? [])
      add(name, `is part of ${holder}`);
  }
  for (const pool of attempt(() => files.list("/sys/fs/btrfs")) ?? []) {
    for (const member of attempt(() => files.list(`/sys/fs/btrfs/${pool}/devices`)) ?? [])
      add(member, "is part of a btrfs that is mounted");
  }
  return new Map([...uses].map(([disk, said]) => [disk, [...said].sort()]));
}

function readContent(files: Files, disk: KernelDisk): DiskContent {
  const node = `/dev/${disk.name.replaceAll("!", "/")}`;
  const size = disk.sizeBytes;
  if (size === null)
    throw new Fault("io/read-failed", `${node}: the kernel does not say how large it is`);
  const isHeld = askHeld(files, node);
  const device = files.open(node, { size });
  try {
    const { read } = device;
    const ends = [read(0, Math.min(mebibyte, size)), read(Math.max(0, size - mebibyte), mebibyte)];
    const sectorBytes = disk.sectorBytes ?? 512;
    const table = readPartitionTable(read, { size, sectorBytes });
    const partitions = table.entries.map(({ number, startBytes, sizeBytes }) => {
      const within: ReadBytes = (offset, length) =>
        read(startBytes + offset, Math.max(0, Math.min(length, sizeBytes - offset)));
      return [String(number), findSignatures(within, sizeBytes)] as const;
    });
    return {
      table,
      signatures: findSignatures(read, size),
      partitions: Object.fromEntries(partitions),
      isBlank: ends.every((bytes) => zeros.subarray(0, bytes.length).equals(bytes)),
      tableHash: sha256(Buffer.concat(ends)),
      isHeld,
    };
  } finally {
    device.close();
  }
}

/** The kernel gives a device that is in use to nobody else who wants it for himself (open(2), O_EXCL). */
function askHeld(files: Files, node: string): boolean | null {
  // What stands for a machine below a directory has files in the place of devices.
  if (files.root !== "/" && files.stat(node)?.kind === "file") return null;
  try {
    files.open(node, { size: 0, exclusive: true }).close();
    return false;
  } catch (error) {
    const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException) : undefined;
    if (cause?.code === "EBUSY") return true;
    throw error;
  }
}

function readLoaderPartition(files: Files): string | null {
  const bytes = attempt(() => files.read(loaderVariable, { maxBytes: 1024 }));
  // Four bytes of attributes, then UTF-16.
  const text = Buffer.from(bytes?.subarray(4) ?? []).toString("utf16le");
  return /^[0-9a-f-]{8,36}/i.exec(text)?.[0].toLowerCase() ?? null;
}

function readNumber(files: Files, path: string): number | null {
  const number = Number(attempt(() => files.readText(path, { maxBytes }))?.trim() || Number.NaN);
  return Number.isSafeInteger(number) && number > 0 ? number : null;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isFault(error)) return undefined;
    throw error;
  }
}
