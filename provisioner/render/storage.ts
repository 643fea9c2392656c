import type { Mount, Swap } from "#generated/provisioner/spec/v1.ts";
import {
  type AttrsEntry,
  attrs,
  bind,
  bool,
  int,
  list,
  type NixExpr,
  str,
} from "#provisioner/nix-language/tree.ts";
import { type Assignment, addFinding, assign, type Concern, winning } from "./assignment.ts";
import { checkHidden } from "./hidden-places.ts";
import { mountPlace } from "./mount-order.ts";
import { checked, checkedAll, textRules } from "./text-rules.ts";

/** File systems and swap, on a machine with so many bytes of memory. */
export function renderStorage(concern: Concern, memoryBytes: number | null): readonly Assignment[] {
  const { mounts = [], swap = [] } = concern.spec;
  const seen = new Set<string>();
  const devices = swap.flatMap((each, index) => renderSwap(concern, each, { index, memoryBytes }));
  return [
    ...mounts.flatMap((mount, index) => renderMount(concern, mount, { index, seen })),
    ...(devices.length === 0 ? [] : [assign(["swapDevices"], list(devices), ["swap"])]),
  ];
}

interface MountPlace {
  readonly index: number;
  /** Mount points of the entries before. */
  readonly seen: Set<string>;
}

function renderMount(
  concern: Concern,
  mount: Mount,
  { index, seen }: MountPlace,
): readonly Assignment[] {
  const from = ["mounts", String(index)];
  const device = checked(concern, [...from, "device"], mount.device, textRules.word);
  const type = checked(concern, [...from, "type"], mount.type, textRules.fileSystemType);
  const options = checkedAll(concern, [...from, "options"], mount.options, textRules.mountOption);
  const path = checked(concern, [...from, "path"], mount.path, textRules.mountPoint);
  if (path === undefined || device === undefined) return [];
  const place = mountPlace(path);
  if (seen.has(place)) {
    addFinding(
      concern,
      from,
      "error",
      "render/mount-twice",
      `something else is mounted at ${place}`,
      "keep one of the entries",
    );
    return [];
  }
  seen.add(place);
  if (!checkHidden(concern, from, place)) return [];
  const set = (key: string, value: NixExpr | undefined): readonly AttrsEntry[] =>
    value === undefined ? [] : [bind(key, winning(concern.base, value))];
  const value = attrs([
    ...set("device", str(device)),
    ...set("fsType", type === undefined ? undefined : str(type)),
    ...set("options", options.length === 0 ? undefined : list(options.map(str))),
    ...set("noCheck", mount.check === undefined ? undefined : bool(!mount.check)),
    ...set("autoFormat", readFormat(concern, mount, from)),
  ]);
  return [assign(["fileSystems", place], value, from)];
}

/** NixOS makes it with the type that is said, and refuses one that is to be found out. */
function readFormat(
  concern: Concern,
  { type = "auto", format }: Mount,
  from: readonly string[],
): NixExpr | undefined {
  if (format === undefined) return undefined;
  if (!format || type !== "auto") return bool(format);
  const message = "a file system is to be made, and its type is not said";
  const hint = "name it in `type`, as ext4";
  addFinding(concern, [...from, "format"], "error", "render/format-type", message, hint);
  return undefined;
}

interface SwapPlace {
  readonly index: number;
  readonly memoryBytes: number | null;
}

function renderSwap(
  concern: Concern,
  swap: Swap,
  { index, memoryBytes }: SwapPlace,
): readonly NixExpr[] {
  const from = ["swap", String(index)];
  const device = checked(concern, [...from, "device"], swap.device, textRules.word);
  const options = checkedAll(concern, [...from, "options"], swap.options, textRules.mountOption);
  if (device === undefined) return [];
  const sizeMiB = swap.size === "auto" ? fittingSwapMiB(memoryBytes, swap.maxMiB) : swap.sizeMiB;
  if (swap.size === "auto" && sizeMiB === undefined) {
    const message =
      "the size of the swap is to suit the memory, and nobody knows how large that is";
    const hint = "give `sizeMiB` instead, or the facts of the machine";
    addFinding(concern, [...from, "size"], "warning", "render/swap-size", message, hint);
    return [];
  }
  return [
    attrs([
      bind("device", str(device)),
      ...(sizeMiB === undefined ? [] : [bind("size", int(sizeMiB))]),
      ...(options.length === 0 ? [] : [bind("options", list(options.map(str)))]),
    ]),
  ];
}

const gibibyte = 1024 ** 3;
/** The kernel's word for the memory changes a little with the kernel; the file should not. */
const stepMiB = 64;

/**
 * Swap for a machine of this memory, in MiB, as cloud-init reckons it (`suggested_swapsize`) but for the
 * room on the disk: as much as the memory up to 4 GiB, then 4 GiB, from 16 GiB on its root.
 */
function fittingSwapMiB(memoryBytes: number | null, maxMiB = Number.POSITIVE_INFINITY) {
  if (memoryBytes === null) return undefined;
  const gibibytes = memoryBytes / gibibyte;
  const wanted = gibibytes < 4 ? gibibytes : gibibytes < 16 ? 4 : Math.round(Math.sqrt(gibibytes));
  return Math.min(Math.ceil((wanted * 1024) / stepMiB) * stepMiB, maxMiB);
}
