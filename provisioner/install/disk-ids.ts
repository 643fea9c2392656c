/**
 * Whether a name below `/dev/disk/by-id` says nothing of the disk: bridges and cheap disks give the
 * same number to each of theirs.
 */
export function isJunkId(id: string): boolean {
  if (/-part\d+$/.test(id)) return true;
  const number = id.replace(/^[a-z]+-/, "").replace(/^(0x|eui\.|naa\.|t10\.|nvme\.)/, "");
  return /^0*$/.test(number) || /^f+$/i.test(number) || /^(0?123456789(abcdef)?)$/i.test(number);
}

/** The name that a person knows the disk by: with its model and serial number, where there is one. */
export function preferredId(ids: readonly string[]): string | null {
  return ids.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0))[0] ?? null;
}

/** Where it says the model, before numbers that say nothing to a person; those of a namespace last. */
function rank(id: string): number {
  if (/^(wwn-|nvme-(eui|uuid|nvme)\.|scsi-[0-9]|dm-|lvm-|md-)/.test(id)) return 2;
  return /^nvme-.*_[0-9]+$/.test(id) && id.split("_").length > 2 ? 1 : 0;
}
