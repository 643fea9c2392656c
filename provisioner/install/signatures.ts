/** Bytes of a disk or partition; fewer than asked for only at its end. */
export type ReadBytes = (offset: number, length: number) => Uint8Array;

/** What may lie on a device, by blkid's names; all of `ext2` to `ext4` is `ext`. */
export type Signature = string;

interface Magic {
  readonly name: Signature;
  /** Byte of the device; negative counts from its end, rounded down to whole sectors of 512 bytes. */
  readonly at: number;
  readonly bytes: readonly number[];
}

const text = (value: string) => [...Buffer.from(value, "latin1")];
const hex = (value: string) => [...Buffer.from(value, "hex")];
const mdMagic = hex("fc4e2ba9");
const swapPages = [4, 8, 16, 32, 64].map((kibibytes) => kibibytes * 1024 - 10);

/**
 * Where each file system, volume and member of a set says what it is. Sources: the super blocks of
 * libblkid (util-linux, `libblkid/src/superblocks`), and the formats' own descriptions.
 */
const magics: readonly Magic[] = [
  { name: "crypto_LUKS", at: 0, bytes: text("LUKS\xba\xbe") },
  { name: "crypto_LUKS", at: 0x4000, bytes: text("SKUL\xba\xbe") },
  ...[0, 512, 1024, 1536].map((at) => ({ name: "LVM2_member", at, bytes: text("LABELONE") })),
  { name: "linux_raid_member", at: 0, bytes: mdMagic },
  { name: "linux_raid_member", at: 4096, bytes: mdMagic },
  { name: "isw_raid_member", at: -1024, bytes: text("Intel Raid ISM Cfg Sig. ") },
  { name: "ddf_raid_member", at: -512, bytes: hex("de11de11") },
  { name: "btrfs", at: 0x10040, bytes: text("_BHRfS_M") },
  { name: "bcache", at: 0x1018, bytes: hex("c68573f64e1a45ca8265f57f48ba6d81") },
  { name: "bcachefs", at: 0x1018, bytes: hex("c68573f666ce90a9d96a60cf803df7ef") },
  { name: "ceph_bluestore", at: 0, bytes: text("bluestore block device") },
  { name: "VMFS_volume_member", at: 0x100000, bytes: hex("0dd001c0") },
  { name: "drbd", at: -4096 + 0x3c, bytes: hex("8374026b") },
  { name: "BitLocker", at: 3, bytes: text("-FVE-FS-") },
  { name: "BitLocker", at: 0xa0, bytes: hex("3bd67a49292ed84a8399f6a339e3d001") },
  { name: "BitLocker", at: 0x1a8, bytes: hex("3bd67a49292ed84a8399f6a339e3d001") },
  { name: "ntfs", at: 3, bytes: text("NTFS    ") },
  { name: "ReFS", at: 3, bytes: text("ReFS\0\0\0\0") },
  { name: "exfat", at: 3, bytes: text("EXFAT   ") },
  { name: "vfat", at: 0x52, bytes: text("FAT32   ") },
  { name: "vfat", at: 0x36, bytes: text("FAT12   ") },
  { name: "vfat", at: 0x36, bytes: text("FAT16   ") },
  { name: "ext", at: 0x438, bytes: hex("53ef") },
  { name: "xfs", at: 0, bytes: text("XFSB") },
  { name: "f2fs", at: 0x400, bytes: hex("1020f5f2") },
  { name: "jfs", at: 0x8000, bytes: text("JFS1") },
  { name: "nilfs2", at: 0x406, bytes: hex("3434") },
  { name: "reiserfs", at: 0x10034, bytes: text("ReIsEr") },
  { name: "reiser4", at: 0x10000, bytes: text("ReIsEr4") },
  { name: "ufs", at: 0x255c, bytes: hex("54190100") },
  { name: "ufs", at: 0x1055c, bytes: hex("19015419") },
  { name: "apfs", at: 32, bytes: text("NXSB") },
  { name: "hfsplus", at: 0x400, bytes: text("H+") },
  { name: "hfsplus", at: 0x400, bytes: text("HX") },
  { name: "iso9660", at: 0x8001, bytes: text("CD001") },
  { name: "udf", at: 0x8001, bytes: text("BEA01") },
  { name: "squashfs", at: 0, bytes: text("hsqs") },
  { name: "erofs", at: 0x400, bytes: hex("e2e1f5e0") },
  ...["SWAPSPACE2", "SWAP-SPACE", "S1SUSPEND", "ULSUSPEND", "LINHIB0001"].flatMap((word) =>
    swapPages.map((at) => ({ name: "swap", at, bytes: text(word) })),
  ),
];

const headBytes = 0x110000;
const sector = 512;
const zfsMagics = [hex("0cb1ba0000000000"), hex("0000000000bab10c")];
const zfsLabel = 256 * 1024;

/**
 * Everything that a device of `size` bytes holds by its own word, sorted, each once: two at once are
 * both told. Reads its beginning and its end; `read` may throw.
 */
export function findSignatures(read: ReadBytes, size: number): readonly Signature[] {
  const head = read(0, Math.min(headBytes, size));
  const wholeSectors = size - (size % sector);
  const found = new Set<Signature>();
  for (const { name, at, bytes } of magics) {
    if (at >= 0 ? isAt(head, at, bytes) : isInTail(read, wholeSectors + at, bytes)) found.add(name);
  }
  if (hasOldRaid(read, size)) found.add("linux_raid_member");
  if (hasZfs(read, size)) found.add("zfs_member");
  return [...found].sort();
}

function isAt(data: Uint8Array, at: number, bytes: readonly number[]): boolean {
  return (
    at + bytes.length <= data.length && bytes.every((byte, index) => data[at + index] === byte)
  );
}

function isInTail(read: ReadBytes, at: number, bytes: readonly number[]): boolean {
  return at >= 0 && isAt(read(at, bytes.length), 0, bytes);
}

/** Versions 0.90 and 1.0 of md stand near the end (md(4)); 0.90 in the byte order of its machine. */
function hasOldRaid(read: ReadBytes, size: number): boolean {
  const at090 = Math.floor(size / 65_536) * 65_536 - 65_536;
  const at10 = Math.floor(size / 512 - 16) * 512;
  const aligned = at10 - (at10 % 4096);
  return (
    isInTail(read, at090, mdMagic) ||
    isInTail(read, at090, [...mdMagic].reverse()) ||
    isInTail(read, aligned, mdMagic)
  );
}

/** A ring of blocks in each of four labels, in either byte order; any one of them will do. */
function hasZfs(read: ReadBytes, size: number): boolean {
  const whole = Math.floor(size / zfsLabel) * zfsLabel;
  const labels = [0, zfsLabel, whole - 2 * zfsLabel, whole - zfsLabel].filter((at) => at >= 0);
  return labels.some((label) => {
    const ring = read(label + zfsLabel / 2, zfsLabel / 2);
    for (let at = 0; at + 8 <= ring.length; at += 1024) {
      if (zfsMagics.some((magic) => isAt(ring, at, magic))) return true;
    }
    return false;
  });
}
