import type { Layout, LayoutPartition, On } from "./layout.ts";

/** Path of a partition that never means another one: by the UUID that the plan gives it. */
export function partitionPath(uuid: string): string {
  return `/dev/disk/by-partuuid/${uuid}`;
}

/** Where something lies while it is installed: names of arrays and containers are the installation's own. */
export function devicePath(on: On): string {
  if ("partition" in on) return partitionPath(on.partition);
  return "array" in on ? arrayPath(on.array) : `/dev/mapper/${mapperName(on.encrypted)}`;
}

export function arrayPath(name: string): string {
  return `/dev/md/${arrayName(name)}`;
}

/** Names that the running medium does not have. */
export function arrayName(name: string): string {
  return `firstlight-${name}`;
}

export function mapperName(name: string): string {
  return `firstlight-${name}`;
}

/** How the installed system finds a file system, swap or a container. */
export function byUuid(uuid: string): string {
  return `/dev/disk/by-uuid/${uuid}`;
}

export function partitionOf(layout: Layout, uuid: string): LayoutPartition | undefined {
  return layout.disks
    .flatMap(({ partitions }) => partitions)
    .find((partition) => partition.uuid === uuid);
}
