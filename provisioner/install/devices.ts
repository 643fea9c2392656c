import type { On } from "./layout.ts";

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

/**
 * How the installed system finds what lies somewhere: by the UUID that it was made with, or of what was
 * kept by its place.
 */
export function deviceOf({ kept, uuid, on }: Found): string {
  if (kept !== true) return byUuid(uuid);
  if ("partition" in on) return partitionPath(on.partition);
  return "array" in on ? `/dev/md/${on.array}` : `/dev/mapper/${on.encrypted}`;
}

interface Found {
  readonly kept?: true;
  readonly uuid: string;
  readonly on: On;
}
