import { formatBytes } from "#core/bytes.ts";
import type { Code } from "#core/codes.ts";
import { counted } from "#core/count.ts";
import { isJunkId, preferredId } from "./disk-ids.ts";
import type { DiskContent, DiskReport, KernelDisk, LsblkDisk } from "./disk-report.ts";

/** What is asked of the disks. */
export interface DiskRequest {
  /** Names below `/dev/disk/by-id` that a person gave; empty where none did. */
  readonly named: readonly string[];
  /** How many disks the layout takes. */
  readonly count: number;
  /** How a disk may be attached that nobody named; `null` where the profile does not care. */
  readonly transports: readonly NonNullable<KernelDisk["transport"]>[] | null;
  /** What the layout needs at least. */
  readonly minBytes: number;
}

/** Why a disk is not taken. */
export interface Refusal {
  readonly code: Code;
  readonly message: string;
  /** Whether a person who names the disk takes this upon himself. */
  readonly yieldsToName: boolean;
}

/** One disk, and everything that speaks against it. */
export interface DiskVerdict {
  readonly name: string;
  /** How it would be named: its best id, or `null` where it has none. */
  readonly id: string | null;
  readonly sizeBytes: number | null;
  readonly model: string | null;
  readonly refusals: readonly Refusal[];
}

/** What an approval is of: exactly this disk, with exactly this on it. */
export interface DiskBinding {
  /** Below `/dev/disk/by-id`. */
  readonly id: string;
  readonly sizeBytes: number;
  readonly sectorBytes: number;
  readonly model: string | null;
  /** SHA-256 of its first and last MiB. */
  readonly tableHash: string;
  /** What is lost with it, as blkid calls it; empty of an empty disk. */
  readonly holds: readonly string[];
}

/** Which disks, or why none. */
export type DiskChoice =
  | {
      readonly kind: "chosen";
      readonly disks: readonly DiskBinding[];
      readonly verdicts: readonly DiskVerdict[];
    }
  | {
      readonly kind: "refused";
      readonly code: Code;
      readonly message: string;
      readonly hint: string;
      readonly verdicts: readonly DiskVerdict[];
    };

/**
 * Chooses the disks of an installation: those that were named, else the only ones that are empty,
 * built in and known under a name of their own. Pure. A witness that is missing, or that contradicts
 * another one, is a refusal: nothing is ever chosen for want of knowing better.
 */
export function chooseDisk(report: DiskReport, request: DiskRequest): DiskChoice {
  const kernel = report.kernel ?? [];
  const ids = idsByDisk(report);
  const verdicts = kernel.map((disk) => judge(report, request, disk, ids));
  const refuse = (code: Code, message: string, hint: string): DiskChoice => ({
    ...{ kind: "refused", code, message, hint, verdicts },
  });
  const missing = report.unheard.filter(({ witness }) => witness !== "content");
  if (missing.length > 0 || report.kernel === null || report.lsblk === null)
    return refuse(
      "install/witness-missing",
      missing.map(({ why }) => why).join("; ") || "a witness is missing",
      "install what is missing, or start from a medium that has it: a disk is not chosen by fewer witnesses",
    );
  const stranger = report.lsblk.find(
    ({ name, sizeBytes }) =>
      sizeBytes !== 0 && !noDisk.test(name) && !kernel.some((disk) => disk.name === name),
  );
  if (stranger !== undefined)
    return refuse(
      "install/witnesses-disagree",
      `lsblk knows a disk ${stranger.name}, and the kernel's files do not`,
      "start the machine again; where it stays so, please report it with `firstlight facts --report`",
    );
  if (kernel.length === 0)
    return refuse(
      "install/no-disk",
      "this machine has no disk",
      "look for a controller in RAID mode in the firmware, or for a driver that the medium lacks",
    );
  return request.named.length > 0
    ? chooseNamed({ report, request, verdicts, ids, refuse })
    : chooseOnly({ report, request, verdicts, ids, refuse });
}

/** What lsblk calls a disk and no installation goes to: memory, network, floppies, boot areas of an eMMC. */
const noDisk = /^(zram|ram|nbd|rbd|fd|drbd|mtdblock|loop)\d|^mmcblk\d+(boot\d+|rpmb)$/;

interface Choosing {
  readonly report: DiskReport;
  readonly request: DiskRequest;
  readonly verdicts: readonly DiskVerdict[];
  readonly ids: ReadonlyMap<string, DiskIds>;
  readonly refuse: (code: Code, message: string, hint: string) => DiskChoice;
}

function chooseNamed({ report, request, verdicts, ids, refuse }: Choosing): DiskChoice {
  const known = () => verdicts.map(({ id }) => id).filter((id) => id !== null);
  if (request.named.length !== request.count)
    return refuse(
      "install/disk-count",
      `the layout takes ${counted(request.count, "disk")}, and ${request.named.length} were named`,
      "name each with a --disk of its own",
    );
  const found: DiskVerdict[] = [];
  for (const id of request.named) {
    const target = report.links[id];
    const verdict = verdicts.find(({ name }) => name === target);
    if (id.startsWith("/") || /^(sd|hd|vd|xvd|nvme|mmcblk)[a-z0-9]*$/.test(id))
      return refuse(
        "install/name-not-stable",
        `${id} is a name that another disk may have after the next start`,
        `name it as below /dev/disk/by-id: ${known().join(", ") || "it has no such name"}`,
      );
    if (target === undefined)
      return refuse(
        "install/no-such-disk",
        `${id}: no disk of this machine has this id`,
        `these there are: ${known().join(", ") || "none"}`,
      );
    if (/^mmcblk\d+(boot\d+|rpmb)$/.test(target))
      return refuse(
        "install/boot-area",
        `${id} is a boot area of an eMMC, which holds firmware`,
        "name the eMMC itself",
      );
    if (verdict === undefined)
      return refuse(
        "install/not-a-disk",
        `${id} points at ${target}, which is no whole disk`,
        "name the disk that it is on",
      );
    if (ids.get(verdict.name)?.all.includes(id) !== true)
      return refuse(
        "install/id-not-unique",
        `${id} may be another disk: udev does not say that it is this one alone`,
        "take the other disk out, or name this one by another of its ids",
      );
    if (found.some(({ name }) => name === verdict.name))
      return refuse(
        "install/disk-count",
        `${id} is a disk that was named before`,
        "name two disks",
      );
    const [refusal] = verdict.refusals.filter(({ yieldsToName }) => !yieldsToName);
    if (refusal !== undefined)
      return refuse(refusal.code, `${id}: ${refusal.message}`, "no name overrules this");
    found.push({ ...verdict, id });
  }
  return chosen(report, found, verdicts);
}

function chooseOnly({ report, request, verdicts, refuse }: Choosing): DiskChoice {
  const candidates = verdicts.filter(({ refusals }) => refusals.length === 0);
  const names = candidates.map(({ id, name }) => id ?? name).join(", ");
  const named = verdicts.filter(
    ({ refusals, id }) => id !== null && refusals.every(({ yieldsToName }) => yieldsToName),
  );
  const byName =
    named.length === 0
      ? "each has a reason against it that no name overrules"
      : `name the one that may be erased: ${named.map(({ id }) => `--disk ${id}`).join(" or ")}`;
  if (candidates.length === 0)
    return refuse("install/no-candidate", "no disk is empty, built in and free", byName);
  if (candidates.length < request.count)
    return refuse(
      "install/disk-count",
      `the layout takes ${counted(request.count, "disk")}, and only ${names} may be taken unasked`,
      byName,
    );
  if (candidates.length > request.count)
    return refuse("install/several-disks", `more than one disk may be taken: ${names}`, byName);
  const sizes = new Set(candidates.map(({ sizeBytes }) => sizeBytes));
  if (sizes.size > 1)
    return refuse(
      "install/disk-sizes",
      `${names} are not of the same size, so that a mirror of them is not taken for granted`,
      byName,
    );
  return chosen(report, candidates, verdicts);
}

function chosen(
  report: DiskReport,
  disks: readonly DiskVerdict[],
  verdicts: readonly DiskVerdict[],
): DiskChoice {
  const bindings = disks.flatMap(({ name, id }): readonly DiskBinding[] => {
    const disk = report.kernel?.find((each) => each.name === name);
    const content = report.content[name];
    if (disk?.sizeBytes == null || content == null || id === null) return [];
    const lsblk = report.lsblk?.find((each) => each.name === name);
    return [
      {
        id,
        sizeBytes: disk.sizeBytes,
        sectorBytes: disk.sectorBytes ?? 512,
        model: disk.model,
        tableHash: content.tableHash,
        holds: signaturesOf(disk, lsblk, content),
      },
    ];
  });
  return { kind: "chosen", disks: bindings, verdicts };
}

/** The ids of a disk that are its own. */
interface DiskIds {
  readonly best: string | null;
  readonly all: readonly string[];
  /** Names that it would have, and that another disk would have too. */
  readonly shared: readonly string[];
}

/** A link counts where udev's record of that very disk claims it, and that of no other one. */
function idsByDisk({ kernel, links }: DiskReport): ReadonlyMap<string, DiskIds> {
  const disks = kernel ?? [];
  const claimed = new Map<string, number>();
  for (const { claims } of disks)
    for (const id of new Set(claims)) claimed.set(id, (claimed.get(id) ?? 0) + 1);
  return new Map(
    disks.map(({ name, claims }) => {
      const shared = claims.filter((id) => (claimed.get(id) ?? 0) > 1);
      const all = claims.filter(
        (id) => links[id] === name && !shared.includes(id) && !isJunkId(id),
      );
      return [name, { best: preferredId(all), all, shared }];
    }),
  );
}

function judge(
  report: DiskReport,
  request: DiskRequest,
  disk: KernelDisk,
  ids: ReadonlyMap<string, DiskIds>,
): DiskVerdict {
  const own = ids.get(disk.name) ?? { best: null, all: [], shared: [] };
  const lsblk = report.lsblk?.find(({ name }) => name === disk.name);
  const content = report.content[disk.name] ?? null;
  const verdict = { name: disk.name, id: own.best, sizeBytes: disk.sizeBytes, model: disk.model };
  if (disk.sizeBytes === 0)
    return { ...verdict, refusals: [never("install/no-medium", "no medium is in it")] };
  const refusals = [
    ...identity(report, disk, own),
    ...contradictions(disk, lsblk, content),
    ...uses(report, disk, lsblk, content),
    ...fitness(request, disk, lsblk),
    ...holdings(disk, lsblk, content),
  ];
  return { ...verdict, refusals };
}

/** A size for a person, who may not be told one. */
function sizeText(bytes: number | null): string {
  return bytes === null ? "an unknown size" : formatBytes(bytes);
}

function never(code: Code, message: string): Refusal {
  return { code, message, yieldsToName: false };
}

function unlessNamed(code: Code, message: string): Refusal {
  return { code, message, yieldsToName: true };
}

function identity(report: DiskReport, disk: KernelDisk, own: DiskIds): readonly Refusal[] {
  const twin = twinOf(report, disk);
  if (twin !== undefined)
    return [never("install/id-not-unique", `${twin} says that it is the same disk`)];
  if (own.all.length > 0) return [];
  return own.shared.length > 0
    ? [never("install/id-not-unique", "another disk has the same id")]
    : [
        never(
          "install/no-id",
          "it has no id of its own below /dev/disk/by-id; a virtual one needs a serial number",
        ),
      ];
}

/** Another disk with the same world-wide identifier or serial number: a clone, or a second way to this one. */
function twinOf({ kernel, lsblk }: DiskReport, disk: KernelDisk): string | undefined {
  const own = lsblk?.find(({ name }) => name === disk.name);
  const isSame = (a: string | null | undefined, b: string | null | undefined) =>
    a != null && b != null && a === b;
  const byKernel = kernel?.find(
    (other) => other.name !== disk.name && isSame(other.wwid, disk.wwid),
  );
  const byLsblk = lsblk?.find(
    (other) =>
      other.name !== disk.name &&
      other.sizeBytes !== 0 &&
      (isSame(other.wwn, own?.wwn) || isSame(other.serial, own?.serial)),
  );
  return byKernel?.name ?? byLsblk?.name;
}

function contradictions(
  disk: KernelDisk,
  lsblk: LsblkDisk | undefined,
  content: DiskContent | null,
): readonly Refusal[] {
  const disagree = (message: string) => [never("install/witnesses-disagree", message)];
  if (content === null) return [never("install/disk-unreadable", "it cannot be read")];
  if (lsblk === undefined) return disagree("lsblk does not know it");
  if (disk.sizeBytes === null || disk.sizeBytes !== lsblk.sizeBytes)
    return disagree(
      `the kernel says ${sizeText(disk.sizeBytes)}, and lsblk says ${sizeText(lsblk.sizeBytes)}`,
    );
  if (disk.removable !== null && lsblk.removable !== null && disk.removable !== lsblk.removable)
    return disagree("the kernel and lsblk differ on whether it can be taken out");
  if (disk.readOnly !== null && lsblk.readOnly !== null && disk.readOnly !== lsblk.readOnly)
    return disagree("the kernel and lsblk differ on whether it can be written");
  const names = (partitions: readonly { readonly name: string }[]) =>
    partitions
      .map(({ name }) => name)
      .sort()
      .join(" ");
  if (names(disk.partitions) !== names(lsblk.partitions))
    return disagree(
      `the kernel has ${counted(disk.partitions.length, "partition")}, and lsblk ${lsblk.partitions.length}`,
    );
  // A damaged table is one that the kernel may read otherwise; it counts as data below.
  if (content.table.damage !== null) return [];
  const onDisk = content.table.entries;
  const isSame =
    onDisk.length === disk.partitions.length &&
    onDisk.every(({ number, sizeBytes, type }) =>
      disk.partitions.some(
        (each) =>
          each.number === number && (each.sizeBytes === sizeBytes || extendedTypes.has(type)),
      ),
    );
  if (isSame) return [];
  return disagree(
    `the table on the disk has ${counted(onDisk.length, "partition")} that the kernel does not have so: it was changed and not read again`,
  );
}

/** The kernel shows an extended partition with the size of its first block. */
const extendedTypes = new Set(["0x05", "0x0f", "0x85"]);

function uses(
  report: DiskReport,
  disk: KernelDisk,
  lsblk: LsblkDisk | undefined,
  content: DiskContent | null,
): readonly Refusal[] {
  const said = [
    ...disk.uses,
    ...(lsblk?.mounts ?? []).map((path) => `is mounted at ${path}`),
    ...(content?.isHeld === true ? ["is held open by the kernel"] : []),
  ];
  const signatures = signaturesOf(disk, lsblk, content);
  const started = content?.table.entries.some(({ uuid }) => uuid === report.loaderPartition);
  return [
    ...(started === true
      ? [never("install/boot-medium", "the machine was started from it")]
      : signatures.includes("iso9660")
        ? [
            never(
              "install/boot-medium",
              "it holds an image to start from; where it is not the one in use, erase it with `wipefs --all` first",
            ),
          ]
        : []),
    ...(said.length > 0
      ? [never("install/disk-in-use", `it ${[...new Set(said)].join(", ")}`)]
      : []),
  ];
}

function fitness(
  { transports, minBytes }: DiskRequest,
  disk: KernelDisk,
  lsblk: LsblkDisk | undefined,
): readonly Refusal[] {
  const { transport, removable } = disk;
  const isUsb = transport === "usb" || lsblk?.transport === "usb";
  const isReadOnly = disk.readOnly !== false || lsblk?.readOnly === true;
  const isOther = transports !== null && (transport === null || !isOneOf(transports, transport));
  return [
    ...(isReadOnly ? [never("install/read-only", "it refuses writes, or nobody knows")] : []),
    ...(disk.sizeBytes !== null && disk.sizeBytes < minBytes
      ? [
          never(
            "install/disk-too-small",
            `it holds ${sizeText(disk.sizeBytes)}, and the layout needs ${sizeText(minBytes)}`,
          ),
        ]
      : []),
    ...(isUsb || removable !== false || lsblk?.removable === true || disk.isCard
      ? [unlessNamed("install/removable", "it can be taken out of the machine")]
      : []),
    ...(isOther && !isUsb
      ? [
          unlessNamed(
            "install/other-transport",
            `it is attached by ${transport ?? "nobody knows what"}, and the profile installs on ${transports?.join(", ")}`,
          ),
        ]
      : []),
  ];
}

function isOneOf<T>(list: readonly T[], value: T): boolean {
  return list.includes(value);
}

const windows = new Set(["BitLocker", "ntfs", "ReFS"]);
const members = new Set([
  ...["crypto_LUKS", "btrfs", "zfs_member", "bcache", "bcachefs", "ceph_bluestore", "drbd"],
  ...["stratis", "vdo", "mpath_member", "VMFS", "VMFS_volume_member"],
]);

/** Whether a signature is that of a part of something larger, or of what only a key opens. */
function isMember(signature: string): boolean {
  return members.has(signature) || /^LVM\d?_member$|_raid_member$/.test(signature);
}

/** What is lost where the disk is taken. */
function holdings(
  disk: KernelDisk,
  lsblk: LsblkDisk | undefined,
  content: DiskContent | null,
): readonly Refusal[] {
  const found = signaturesOf(disk, lsblk, content);
  const count = Math.max(disk.partitions.length, content?.table.entries.length ?? 0);
  const refusals: Refusal[] = [];
  const add = (code: Code, kinds: readonly string[], what: string) => {
    if (kinds.length > 0) refusals.push(unlessNamed(code, `${what}: ${kinds.join(", ")}`));
  };
  add(
    "install/disk-member",
    found.filter(isMember),
    "it holds encrypted data or a member of a set",
  );
  add(
    "install/disk-windows",
    found.filter((each) => windows.has(each)),
    "it holds a Windows system",
  );
  const others = found.filter((each) => !isMember(each) && !windows.has(each));
  add("install/disk-has-data", others, "it holds data");
  const damage = content?.table.damage ?? null;
  if (refusals.length > 0) return refusals;
  if (damage !== null)
    return [unlessNamed("install/disk-has-data", `it has a damaged partition table: ${damage}`)];
  if (count > 0)
    return [unlessNamed("install/disk-has-data", `it has ${counted(count, "partition")}`)];
  const hasTable = content?.table.kind !== "none" || !isNone(disk.partitionTable);
  if (content === null || content.isBlank || hasTable) return [];
  return [
    unlessNamed("install/disk-unknown-data", "something is written on it, and nobody knows what"),
  ];
}

function isNone(said: string | null): boolean {
  return said === null || said === "none";
}

/** By every witness, each once. */
function signaturesOf(
  disk: KernelDisk,
  lsblk: LsblkDisk | undefined,
  content: DiskContent | null,
): readonly string[] {
  const said = [
    disk.signature,
    ...disk.partitions.map(({ signature }) => signature),
    ...(lsblk?.signatures ?? []),
    ...(content?.signatures ?? []),
    ...Object.values(content?.partitions ?? {}).flat(),
  ];
  const names = said.filter((each): each is string => !isNone(each)).map(plainName);
  return [...new Set(names)].sort();
}

/** blkid tells the versions of ext apart, and ours does not. */
function plainName(signature: string): string {
  return /^ext[234]$/.test(signature) ? "ext" : signature;
}
