import type { Files } from "#core/io.ts";

const blocks = "/sys/class/block";
const maxDepth = 16;

/** A block device and everything that it lies on, down to the disks: names as in `/sys/class/block`. */
export interface BlockStack {
  readonly names: readonly string[];
  /** The disks at the bottom, each once. */
  readonly disks: readonly string[];
}

/** What a device lies on, by the kernel's own links: partitions, LVM, LUKS and RAID on each other. */
export function blockStack(files: Files, device: string): BlockStack {
  const names = new Set<string>();
  const disks = new Set<string>();
  const real = files.realPath(device) ?? device;
  descend(real.slice(real.lastIndexOf("/") + 1), 0);
  return { names: [...names], disks: [...disks] };

  function descend(name: string, depth: number): void {
    if (depth > maxDepth || files.stat(`${blocks}/${name}`) === undefined) return;
    names.add(name);
    const below = files.list(`${blocks}/${name}/slaves`);
    for (const each of below) descend(each, depth + 1);
    if (below.length === 0) disks.add(diskOf(files, name));
  }
}

/** A partition's directory lies in that of its disk. */
function diskOf(files: Files, name: string): string {
  if (files.stat(`${blocks}/${name}/partition`) === undefined) return name;
  return (files.realPath(`${blocks}/${name}`) ?? "").split("/").at(-2) ?? name;
}

/** What of a stack needs more than its name to come up at boot; `undefined` when nothing does. */
export function obstacle(files: Files, { names }: BlockStack): string | undefined {
  for (const name of names) {
    const uuid = files.readText(`${blocks}/${name}/dm/uuid`, { maxBytes: 4096 }) ?? "";
    if (uuid.startsWith("CRYPT-")) return "is encrypted, and nothing says how it is opened";
    const level = files.readText(`${blocks}/${name}/md/level`, { maxBytes: 4096 });
    if (level !== undefined) return "lies on a software RAID, and nothing says how it is assembled";
  }
  return undefined;
}

/** A name by UUID or label, which does not change when disks are found in another order. */
export function stableName(files: Files, device: string): string {
  const real = files.realPath(device) ?? device;
  for (const folder of ["/dev/disk/by-uuid", "/dev/disk/by-label"]) {
    const name = files.list(folder).find((link) => files.realPath(`${folder}/${link}`) === real);
    if (name !== undefined) return `${folder}/${name}`;
  }
  return device;
}
