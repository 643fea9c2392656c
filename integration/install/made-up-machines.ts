import type {
  DiskContent,
  DiskReport,
  KernelDisk,
  LsblkDisk,
} from "#provisioner/install/disk-report.ts";

/** What a disk really is. */
export interface DiskTruth {
  /** Its own, whatever it is called; stands for the hash of its content. */
  readonly key: string;
  /** Name below `/dev/disk/by-id` that it would have. */
  readonly id: string;
  /** Whether its number is its own; that of another disk too, which `twin` hides behind names of their own; or none. */
  readonly serial: "own" | "cloned" | "twin" | "none";
  readonly sizeBytes: number;
  readonly transport: NonNullable<KernelDisk["transport"]>;
  readonly removable: boolean;
  readonly isCard: boolean;
  readonly readOnly: boolean;
  readonly hasMedium: boolean;
  readonly content: "zeros" | "empty table" | "noise" | "image" | "partition" | string;
  /** How it is used now. */
  readonly use: "mounted" | "swap" | "set" | "held" | null;
  /** Whether the machine was started from it, and it is not mounted any more. */
  readonly started: boolean;
}

/** What goes wrong with the witnesses. */
export type Fault =
  | { readonly kind: "none" | "no lsblk" | "no kernel" | "no mounts" | "no links" | "stranger" }
  /** `blind`: all but one witness miss what is on the disk. */
  | {
      readonly kind:
        | "unknown to lsblk"
        | "other size"
        | "stale table"
        | "unreadable"
        | "moved link"
        | "blind"
        | "other flag";
      readonly disk: string;
    };

/** A made-up machine. */
export interface Machine {
  readonly disks: readonly DiskTruth[];
  readonly fault: Fault;
  /** Id of a partition, where there is one. */
  readonly partitionId: string;
}

const gibibyte = 1024 ** 3;
const contents = [
  ...["zeros", "zeros", "zeros", "zeros", "zeros", "empty table", "noise", "image", "partition"],
  ...["crypto_LUKS", "LVM2_member", "linux_raid_member", "isw_raid_member", "zfs_member", "btrfs"],
  ...["BitLocker", "ntfs", "ext4", "xfs", "vfat", "swap", "apfs", "bcache"],
];

/** One machine of a seed: its disks as they are, and what the witnesses will get wrong. */
export function makeMachine(random: () => number): Machine {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const chance = (of: number) => random() < of;
  const count = pick([0, 1, 1, 1, 2, 2, 3, 4, 6]);
  const size = pick([64, 256, 512, 1000]) * gibibyte;
  const disks: DiskTruth[] = [];
  for (let index = 0; index < count; index++) {
    const transport = pick(["nvme", "nvme", "nvme", "ata", "usb", "mmc", "virtio"] as const);
    const word = Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
    const isClone = index > 0 && chance(0.06);
    const isTwin = index > 0 && chance(0.06);
    const before = disks[index - 1];
    disks.push({
      key: `${index}${word}`,
      id: `${transport === "usb" ? "usb" : transport}-DISK_${word}`,
      serial: chance(0.05) ? "none" : "own",
      sizeBytes: chance(0.1) ? 8 * gibibyte : chance(0.35) ? size * 2 : size,
      transport,
      removable: transport === "usb" ? chance(0.5) : chance(0.03),
      isCard: transport === "mmc" && chance(0.5),
      readOnly: chance(0.04),
      hasMedium: !chance(0.04),
      content: pick(contents),
      use: chance(0.18) ? pick(["mounted", "swap", "set", "held"] as const) : null,
      started: false,
    });
    const [last] = disks.slice(-1);
    if (isTwin && before?.serial === "own" && before.hasMedium && last?.hasMedium === true)
      disks.splice(-2, 2, { ...before, serial: "twin" }, { ...last, serial: "twin" });
    else if (isClone && before?.serial === "own" && last !== undefined) {
      const shared = { serial: "cloned", id: before.id, transport: before.transport } as const;
      disks.splice(
        -2,
        2,
        { ...before, serial: "cloned" },
        { ...last, ...shared, isCard: before.isCard },
      );
    }
  }
  // A machine is started from one of its own partitions, or from a medium that is none of these.
  const start = disks.findIndex(({ content }) => content === "partition");
  if (start >= 0 && chance(0.3))
    disks.splice(start, 1, { ...(disks[start] as DiskTruth), started: true });
  const whole = ["no lsblk", "no kernel", "no mounts", "no links", "stranger"] as const;
  const ofDisk = [
    ...["unknown to lsblk", "other size", "stale table", "unreadable", "moved link"],
    ...["blind", "blind", "blind", "other flag"],
  ] as readonly ("unknown to lsblk" | "blind" | "moved link")[];
  const hit = disks.filter(({ hasMedium, serial }) => hasMedium && serial === "own");
  const fault: Fault =
    chance(0.5) || disks.length === 0
      ? { kind: "none" }
      : chance(0.25) || hit.length === 0
        ? { kind: pick(whole) }
        : { kind: pick(ofDisk), disk: pick(hit).key };
  const partitioned = disks.find(({ content }) => content === "partition");
  return { disks, fault, partitionId: `${partitioned?.id ?? "ata-NONE"}-part1` };
}

const isSignature = (content: string) =>
  !["zeros", "empty table", "noise", "image", "partition"].includes(content);

/** What the witnesses say of it, each in its own words, under names that the kernel gave by chance. */
export function reportOf({ disks, fault }: Machine, random: () => number): DiskReport {
  const numbers = disks.map((_, index) => index).sort(() => random() - 0.5);
  const nameOf = (disk: DiskTruth) => {
    const number = numbers[disks.indexOf(disk)] ?? 0;
    const letter = String.fromCharCode(97 + number);
    const names = { nvme: `nvme${number}n1`, mmc: `mmcblk${number}`, virtio: `vd${letter}` };
    return names[disk.transport as keyof typeof names] ?? `sd${letter}`;
  };
  const partOf = (disk: DiskTruth) =>
    /\d$/.test(nameOf(disk)) ? `${nameOf(disk)}p1` : `${nameOf(disk)}1`;
  const isHit = (disk: DiskTruth, kind: Fault["kind"]) =>
    fault.kind === kind && "disk" in fault && fault.disk === disk.key;
  // Who still sees what is on a disk that the others are blind for.
  const seeing = Math.floor(random() * 3);
  const sees = (disk: DiskTruth, witness: number) => !isHit(disk, "blind") || witness === seeing;
  const isParted = (disk: DiskTruth) => disk.hasMedium && disk.content === "partition";
  const half = (disk: DiskTruth) => disk.sizeBytes / 2;
  // Whether a signature stands on the whole of the disk, or on its one partition.
  const onPartition = new Set(disks.filter((disk) => isParted(disk)).map(({ key }) => key));

  const kernel = disks.map((disk): KernelDisk => {
    const stale = isHit(disk, "stale table");
    const parts = isParted(disk) || stale;
    const uses = { mounted: "is mounted at /home", swap: "is swapped to", set: "is part of md0" };
    return {
      name: nameOf(disk),
      sizeBytes: disk.hasMedium ? disk.sizeBytes : 0,
      sectorBytes: 512,
      removable: disk.removable,
      readOnly: disk.readOnly,
      isCard: disk.isCard,
      model: "DISK",
      transport: disk.transport,
      wwid: null,
      signature: sees(disk, 0) && isSignature(disk.content) ? disk.content : "none",
      partitionTable: parts || disk.content === "empty table" ? "gpt" : "none",
      claims: disk.serial === "none" ? [] : [disk.id],
      partitions:
        parts && !(stale && onPartition.has(disk.key))
          ? [{ name: partOf(disk), number: 1, sizeBytes: half(disk), signature: "none" }]
          : [],
      uses: disk.use === null || disk.use === "held" ? [] : [uses[disk.use]],
    };
  });
  const lsblk = disks
    .filter((disk) => !isHit(disk, "unknown to lsblk"))
    .map((disk): LsblkDisk => {
      const kernelSays = kernel.find(({ name }) => name === nameOf(disk));
      const signatures = sees(disk, 1) && isSignature(disk.content) ? [disk.content] : [];
      return {
        name: nameOf(disk),
        sizeBytes: !disk.hasMedium ? 0 : disk.sizeBytes + (isHit(disk, "other size") ? 4096 : 0),
        removable: isHit(disk, "other flag") ? !disk.removable : disk.removable,
        readOnly: disk.readOnly,
        transport: disk.transport,
        serial: disk.serial === "twin" ? "TWIN" : disk.serial === "none" ? null : disk.id,
        wwn: null,
        partitions:
          kernelSays?.partitions.map(({ name, sizeBytes }) => ({ name, sizeBytes })) ?? [],
        signatures: disk.content === "image" ? ["iso9660"] : signatures,
        mounts: disk.use === "mounted" ? ["/home"] : [],
      };
    });
  if (fault.kind === "stranger")
    lsblk.push({
      ...{ name: "sdz", sizeBytes: 64 * gibibyte, removable: false, readOnly: false },
      ...{ transport: "ata", serial: "Z", wwn: null, partitions: [], signatures: [], mounts: [] },
    });
  const content: Record<string, DiskContent | null> = {};
  for (const disk of disks) {
    if (!disk.hasMedium) continue;
    const entries = onPartition.has(disk.key)
      ? [
          {
            number: 1,
            startBytes: 2 ** 20,
            sizeBytes: half(disk),
            type: "x",
            uuid: `u-${disk.key}`,
            name: "",
          },
        ]
      : [];
    const isTable = entries.length > 0 || disk.content === "empty table";
    content[nameOf(disk)] = isHit(disk, "unreadable")
      ? null
      : {
          table: {
            kind: isTable ? "gpt" : "none",
            id: isTable ? disk.key : null,
            entries,
            damage: null,
          },
          signatures:
            disk.content === "image"
              ? ["iso9660"]
              : sees(disk, 2) && isSignature(disk.content)
                ? [disk.content]
                : [],
          partitions: {},
          // What is blind for it reads zeros.
          isBlank: disk.content === "zeros" || (isSignature(disk.content) && !sees(disk, 2)),
          tableHash: disk.key,
          isHeld: disk.use !== null && disk.use !== "swap",
        };
  }
  const links: Record<string, string> = {};
  for (const disk of disks) {
    if (disk.serial === "none") continue;
    links[disk.id] = isHit(disk, "moved link") ? "sdy" : nameOf(disk);
    if (isParted(disk)) links[`${disk.id}-part1`] = partOf(disk);
  }
  const started = disks.find((disk) => disk.started);
  const witness = {
    "no lsblk": "lsblk",
    "no kernel": "kernel",
    "no mounts": "mounts",
    "no links": "links",
  } as const;
  const gone = witness[fault.kind as keyof typeof witness];
  return {
    v: 1,
    kernel: fault.kind === "no kernel" ? null : kernel,
    lsblk: fault.kind === "no lsblk" ? null : lsblk,
    content,
    links: fault.kind === "no links" ? {} : links,
    loaderPartition: started === undefined ? null : `u-${started.key}`,
    unheard: gone === undefined ? [] : [{ witness: gone, why: `${gone}: made up to be missing` }],
  };
}
