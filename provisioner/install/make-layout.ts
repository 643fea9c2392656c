import { createHash } from "node:crypto";
import { formatBytes } from "#core/bytes.ts";
import { Fault } from "#core/fault.ts";
import type { DiskBinding } from "./choose-disk.ts";
import type {
  Encrypted,
  Layout,
  LayoutDisk,
  LayoutFileSystem,
  LayoutMount,
  LayoutPartition,
  LayoutWishes,
  On,
  PartitionRole,
} from "./layout.ts";

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;
const alignment = mebibyte;
/** Generations of kernels, and firmware updates, which are whole images. */
const leastEspMebibytes = 1024;
/** A system, the next one, and room to work. */
const leastRootBytes = 20 * gibibyte;
const leastStateBytes = 4 * gibibyte;
const leastHomeBytes = 8 * gibibyte;

/** What a layout is made for. */
export interface LayoutGround {
  readonly disks: readonly DiskBinding[];
  readonly memoryBytes: number | null;
  /** A UUID by chance, made once for a plan: every other one comes from it. */
  readonly seed: string;
}

/** How many disks a layout takes. */
export function disksOf({ name }: Pick<LayoutWishes, "name">): number {
  return name === "mirror" ? 2 : 1;
}

/** The smallest disk that will do. Throws `install/layout` for what does not go together. */
export function leastDiskBytes(wishes: LayoutWishes, memoryBytes: number | null): number {
  return 2 * alignment + sum(partsOf(wishes, memoryBytes).map(({ least }) => least));
}

/**
 * Lays the disks out to the byte. Pure: the same wishes, disks and seed give the same layout. Throws
 * `install/layout` for what does not go together, and `install/disk-too-small`.
 */
export function makeLayout(wishes: LayoutWishes, ground: LayoutGround): Layout {
  const { name } = wishes;
  const id = (what: string) => uuidOf(ground.seed, `${name} ${what}`);
  const parts = partsOf(wishes, ground.memoryBytes);
  const smallest = Math.min(...ground.disks.map(({ sizeBytes }) => sizeBytes));
  const disks = ground.disks.map((binding, index): LayoutDisk => {
    const partitions = place(
      parts,
      smallest,
      (role) => id(`partition ${index} ${role}`),
      binding.id,
    );
    return { binding, tableId: id(`table ${index}`), partitions };
  });
  const partition = (role: PartitionRole): On => {
    const found = disks[0]?.partitions.find((each) => each.role === role);
    if (found === undefined) throw new Fault("cli/internal", `${name}: no partition for ${role}`);
    return { partition: found.uuid };
  };
  const isEncrypted = name === "encrypted";
  const encrypted: Encrypted[] = [];
  /** The place of a role: its partition, or what is encrypted on it. */
  const placeOf = (role: PartitionRole): On => {
    if (name === "mirror" && role === "root") return { array: "root" };
    if (!isEncrypted) return partition(role);
    const container = { name: `crypt${role}`, uuid: id(`luks ${role}`), on: partition(role) };
    encrypted.push(container);
    return { encrypted: container.name };
  };
  const roles = parts.map(({ role }) => role);
  const esps = disks.map((disk, index): LayoutFileSystem => {
    const on = disk.partitions.find(({ role }) => role === "esp")?.uuid ?? "";
    return {
      ...{ role: "esp", type: "vfat", uuid: fatId(id(`esp ${index}`)), on: { partition: on } },
      ...{ label: index === 0 ? "ESP" : `ESP${index + 1}`, subvolumes: [] },
    };
  });
  const data = (["root", "state", "home"] as const)
    .filter((role) => roles.includes(role) || (role === "root" && name === "mirror"))
    .map((role): LayoutFileSystem => {
      const { fileSystem: type } = wishes;
      const subvolumes = type !== "btrfs" ? [] : role === "root" ? rootSubvolumes(wishes) : [role];
      return {
        ...{ role, type, uuid: id(`file system ${role}`), on: placeOf(role), subvolumes },
        label: role === "root" ? "nixos" : role,
      };
    });
  const swap = roles.includes("swap")
    ? { uuid: id("swap"), on: placeOf("swap"), hibernate: isEncrypted }
    : null;
  return {
    name,
    disks,
    arrays:
      name === "mirror"
        ? [{ name: "root", uuid: id("array root"), members: membersOf(disks) }]
        : [],
    encrypted,
    fileSystems: [...esps, ...data],
    swap,
    zram: wishes.swap === "zram",
    mounts: mountsOf(wishes, esps, data),
    bootLoader:
      name === "mirror"
        ? { kind: "grub", esps: esps.map((_, index) => espPath(index)) }
        : { kind: "systemd-boot" },
  };
}

function membersOf(disks: readonly LayoutDisk[]): readonly string[] {
  return disks.flatMap(({ partitions }) =>
    partitions.filter(({ role }) => role === "mirror").map(({ uuid }) => uuid),
  );
}

function espPath(index: number): string {
  return index === 0 ? "/boot" : `/boot-${index + 1}`;
}

interface Part {
  readonly role: PartitionRole;
  readonly least: number;
  /** Share of what is left; 0 is exactly `least`. */
  readonly weight: number;
}

/** The partitions of one disk, in their order on it: what grows stands last. */
function partsOf(wishes: LayoutWishes, memoryBytes: number | null): readonly Part[] {
  const { name, swap, home, espMebibytes } = wishes;
  const refuse = (message: string, hint: string): never => {
    throw new Fault("install/layout", message, { hint });
  };
  if (espMebibytes < leastEspMebibytes)
    refuse(
      `an EFI system partition of ${espMebibytes} MiB is too small`,
      `take ${leastEspMebibytes} MiB or more: kernels of several generations and firmware updates lie on it`,
    );
  if (swap === "memory" && name !== "encrypted")
    refuse(
      `the layout ${name} has no swap of the size of the memory: all of the memory would stand on the disk in the clear`,
      "take the layout `encrypted`, or `--swap zram`",
    );
  if (home === "partition" && name !== "encrypted" && name !== "plain")
    refuse(`the layout ${name} has no partition for /home`, "leave --home out");
  const esp: Part = { role: "esp", least: espMebibytes * mebibyte, weight: 0 };
  if (name === "mirror") return [esp, { role: "mirror", least: leastRootBytes, weight: 1 }];
  if (name === "edge") {
    if (wishes.fileSystem === "btrfs")
      refuse("the layout edge has ext4 or xfs", "leave --file-system out");
    return [
      esp,
      { role: "root", least: leastRootBytes / 2, weight: 3 },
      { role: "state", least: leastStateBytes, weight: 1 },
    ];
  }
  return [
    esp,
    ...(swap === "memory"
      ? [{ role: "swap" as const, least: swapBytes(memoryBytes), weight: 0 }]
      : []),
    { role: "root", least: leastRootBytes, weight: 1 },
    ...(home === "partition" ? [{ role: "home" as const, least: leastHomeBytes, weight: 3 }] : []),
  ];
}

/** All of the memory in whole GiB: what the kernel sees of it is a little less than what is built in. */
function swapBytes(memoryBytes: number | null): number {
  if (memoryBytes === null)
    throw new Fault(
      "install/layout",
      "swap is to be of the size of the memory, and nobody knows how large that is",
      { hint: "take `--swap zram`" },
    );
  return Math.ceil(memoryBytes / gibibyte) * gibibyte;
}

/** Gives every partition its place: what is left over is shared out in whole MiB. */
function place(
  parts: readonly Part[],
  diskBytes: number,
  uuid: (role: PartitionRole) => string,
  disk: string,
): readonly LayoutPartition[] {
  const room = Math.floor(diskBytes / alignment) * alignment - 2 * alignment;
  const rest = room - sum(parts.map(({ least }) => least));
  if (rest < 0)
    throw new Fault(
      "install/disk-too-small",
      `${disk} holds ${formatBytes(diskBytes)}, and the layout needs ${formatBytes(room - rest + 2 * alignment)}`,
    );
  const weights = sum(parts.map(({ weight }) => weight));
  let start = alignment;
  let left = rest;
  return parts.map(({ role, least, weight }, index) => {
    const isLast = index === parts.length - 1;
    const share = Math.floor((rest * weight) / Math.max(weights, 1) / alignment) * alignment;
    const more = isLast ? left : share;
    const sizeBytes = least + more;
    const startBytes = start;
    start += sizeBytes;
    left -= more;
    const name = `firstlight-${role}`;
    return { number: index + 1, role, name, uuid: uuid(role), startBytes, sizeBytes };
  });
}

/** The store by itself, so that a snapshot of what is the owner's has none of it. */
function rootSubvolumes({ home }: LayoutWishes): readonly string[] {
  return home === "partition" ? ["root", "nix"] : ["root", "nix", "home"];
}

function mountsOf(
  wishes: LayoutWishes,
  esps: readonly LayoutFileSystem[],
  data: readonly LayoutFileSystem[],
): readonly LayoutMount[] {
  const by = (role: PartitionRole) => data.find((each) => each.role === role)?.uuid ?? "";
  const mount = (
    path: string,
    role: PartitionRole,
    more: Partial<Pick<LayoutMount, "options" | "neededForBoot">> & { subvolume?: string } = {},
  ): LayoutMount => {
    const { subvolume = null, options = [], neededForBoot = false } = more;
    return { path, from: { fileSystem: by(role), subvolume }, options, neededForBoot };
  };
  const boots = esps.map(
    ({ uuid }, index): LayoutMount => ({
      path: espPath(index),
      from: { fileSystem: uuid, subvolume: null },
      // Secrets of the initrd may lie here, and FAT knows no owners.
      options: ["umask=0077"],
      neededForBoot: false,
    }),
  );
  if (wishes.name === "edge") {
    return [
      {
        ...{ path: "/", from: { memory: true }, neededForBoot: false },
        options: ["mode=0755", "size=25%"],
      },
      ...boots,
      mount("/nix", "root", { options: ["noatime"], neededForBoot: true }),
      mount("/var", "state", { options: ["noatime"], neededForBoot: true }),
      // What has to outlive a start, and NixOS writes below /etc.
      ...["/etc/nixos", "/etc/ssh"].map(
        (path): LayoutMount => ({
          ...{ path, from: { bind: `/var/lib/kept${path}` }, options: [], neededForBoot: false },
        }),
      ),
    ];
  }
  const isBtrfs = wishes.fileSystem === "btrfs";
  const options = isBtrfs ? ["compress=zstd"] : [];
  const quiet = [...options, "noatime"];
  const of = (subvolume: string) => (isBtrfs ? { subvolume } : {});
  const hasOwnHome = wishes.home === "partition";
  return [
    mount("/", "root", { options, ...of("root") }),
    ...boots,
    ...(isBtrfs || hasOwnHome
      ? [mount("/home", hasOwnHome ? "home" : "root", { options, ...of("home") })]
      : []),
    ...(isBtrfs ? [mount("/nix", "root", { options: quiet, ...of("nix") })] : []),
  ];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** A UUID of version 4 that a plan's own seed and a word give. */
function uuidOf(seed: string, what: string): string {
  const bytes = createHash("sha256").update(`${seed}\0${what}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** A volume id of FAT as udev shows it. */
function fatId(uuid: string): string {
  return `${uuid.slice(0, 4)}-${uuid.slice(4, 8)}`.toUpperCase();
}
