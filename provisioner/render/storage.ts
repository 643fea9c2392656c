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
import { checked, checkedAll, textRules } from "./text-rules.ts";

/** File systems and swap. */
export function renderStorage(concern: Concern): readonly Assignment[] {
  const { mounts = [], swap = [] } = concern.spec;
  const seen = new Set<string>();
  const devices = swap.flatMap((each, index) => renderSwap(concern, each, index));
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
  const place = path.replace(/\/+/g, "/").replace(/(?<=.)\/$/, "");
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
  const set = (key: string, value: NixExpr | undefined): readonly AttrsEntry[] =>
    value === undefined ? [] : [bind(key, winning(concern.base, value))];
  const value = attrs([
    ...set("device", str(device)),
    ...set("fsType", type === undefined ? undefined : str(type)),
    ...set("options", options.length === 0 ? undefined : list(options.map(str))),
    ...set("noCheck", mount.check === undefined ? undefined : bool(!mount.check)),
  ]);
  return [assign(["fileSystems", place], value, from)];
}

function renderSwap(concern: Concern, swap: Swap, index: number): readonly NixExpr[] {
  const from = ["swap", String(index), "device"];
  const device = checked(concern, from, swap.device, textRules.word);
  if (device === undefined) return [];
  const { sizeMiB } = swap;
  return [
    attrs([
      bind("device", str(device)),
      ...(sizeMiB === undefined ? [] : [bind("size", int(sizeMiB))]),
    ]),
  ];
}
