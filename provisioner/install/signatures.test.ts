import t from "tap";
import { findSignatures, type ReadBytes } from "./signatures.ts";

/** A device of zeros with some bytes at some places. */
function device(size: number, written: readonly (readonly [number, string | Buffer])[]): ReadBytes {
  return (offset, length) => {
    const end = Math.max(offset, Math.min(size, offset + length));
    const bytes = Buffer.alloc(end - offset);
    for (const [at, what] of written) {
      const source = typeof what === "string" ? Buffer.from(what, "latin1") : what;
      for (let index = 0; index < source.length; index++)
        if (at + index >= offset && at + index < end)
          bytes[at + index - offset] = source[index] ?? 0;
    }
    return bytes;
  };
}

const size = 104_857_600; // 100 MiB
const md = Buffer.from("fc4e2ba9", "hex");
const zfs = Buffer.from("0cb1ba0000000000", "hex");

t.test("each says what it is where its format has it", async (t) => {
  // Places by hand, from the description of each format.
  const table: readonly (readonly [string, number, string | Buffer])[] = [
    ["crypto_LUKS", 0, "LUKS\xba\xbe"],
    ["LVM2_member", 512, "LABELONE"],
    ["linux_raid_member", 4096, md], // 1.2
    ["linux_raid_member", 0, md], // 1.1
    ["linux_raid_member", 104_849_408, md], // 1.0: 8 KiB before the end
    ["linux_raid_member", 104_792_064, md], // 0.90: the last whole 64 KiB
    ["linux_raid_member", 104_792_064, Buffer.from("a92b4efc", "hex")], // and of a big-endian machine
    ["isw_raid_member", 104_856_576, "Intel Raid ISM Cfg Sig. 1.3.00"],
    ["ddf_raid_member", 104_857_088, Buffer.from("de11de11", "hex")],
    ["zfs_member", 131_072 + 5 * 4096, zfs], // the first label, sectors of 4 KiB
    ["zfs_member", 104_333_312 + 131_072 + 1024, zfs], // the third one, near the end
    ["zfs_member", 131_072, Buffer.from("0000000000bab10c", "hex")],
    ["btrfs", 65_600, "_BHRfS_M"],
    ["BitLocker", 3, "-FVE-FS-"],
    ["ntfs", 3, "NTFS    "],
    ["xfs", 0, "XFSB"],
    ["ext", 1080, Buffer.from("53ef", "hex")],
    ["iso9660", 32_769, "CD001"],
    ["swap", 4086, "SWAPSPACE2"],
    ["swap", 65_526, "S1SUSPEND"],
    ["apfs", 32, "NXSB"],
    ["bcache", 4120, Buffer.from("c68573f64e1a45ca8265f57f48ba6d81", "hex")],
  ];
  for (const [name, at, bytes] of table) {
    t.same(findSignatures(device(size, [[at, bytes]]), size), [name], `${name} at ${at}`);
    t.same(findSignatures(device(size, [[at + 1, bytes]]), size), [], `and not one byte later`);
  }
  const both = device(size, [
    [0, "XFSB"],
    [104_849_408, md],
  ]);
  t.same(findSignatures(both, size), ["linux_raid_member", "xfs"], "two at once are both told");
});

t.test("a device of any size is looked at without a fault", async (t) => {
  for (const small of [0, 1, 511, 512, 513, 4095, 65_535, 65_537, 262_145, 1_048_577])
    t.same(findSignatures(device(small, []), small), [], String(small));
});
