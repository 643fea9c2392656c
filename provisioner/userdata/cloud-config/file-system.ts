import { wordHint } from "#core/word-hint.ts";
import type { Mount } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import { partitionOf, readDevice } from "./device-name.ts";
import { warnOfOverwriting } from "./disk-layout.ts";
import { unitName } from "./disk-unit.ts";
import { addPackages, shellLine } from "./spec-command.ts";

/** A file system that is made where its device is empty. */
export interface NewFileSystem {
  readonly device: string;
  /** A line of shell that makes it. */
  readonly command: string;
  readonly isSwap: boolean;
}

interface Surroundings {
  readonly draft: SpecDraft;
  readonly aliases: ReadonlyMap<string, string>;
  /** Disks that the document partitions. */
  readonly laidOut: ReadonlySet<string>;
}

/** How a type names its label where it is not `-L`, and the package of its program where that is not of every system. */
const types: Readonly<Record<string, { readonly label?: string; readonly package?: string }>> = {
  ext2: { package: "e2fsprogs" },
  ext3: { package: "e2fsprogs" },
  ext4: { package: "e2fsprogs" },
  swap: {},
  btrfs: { package: "btrfs-progs" },
  exfat: { package: "exfatprogs" },
  f2fs: { label: "-l", package: "f2fs-tools" },
  ntfs: { package: "ntfs3g" },
  vfat: { label: "-n", package: "dosfstools" },
  xfs: { package: "xfsprogs" },
};

/** An entry of `fs_setup`; its mounts wait for it. Nothing with a finding where it is none. */
export function addFileSystem(item: Input, around: Surroundings): NewFileSystem | undefined {
  if (!item.isMapping()) {
    item.expected("a mapping with `device` and `filesystem`");
    return undefined;
  }
  const type = readType(item);
  const label = item.get("label")?.text();
  const device = readPlace(item, around);
  const command = readCommand(item, { type, label, device });
  warnOfOverwriting(item.get("overwrite"));
  warnOfReplacing(item.get("replace_fs"));
  if (device === undefined || command === undefined) return undefined;
  const known = type === undefined ? undefined : types[type]?.package;
  if (known !== undefined) addPackages(around.draft, item, [known]);
  for (const mount of mountsOf(around.draft, device, label)) {
    if (type !== undefined && (mount.type ?? type) !== type) nameOther(item, type);
    waitFor(mount, type);
  }
  return { device, command, isSwap: type === "swap" };
}

function readType(item: Input): string | undefined {
  const input = item.get("filesystem");
  const type = input?.text();
  const isOwn = item.get("cmd") !== undefined;
  if (!isOwn && !item.has("filesystem")) nameMissing(item, "filesystem");
  if (type === undefined || isOwn || Object.hasOwn(types, type)) return type;
  input?.unsupported({
    code: "cloud-config/unknown-value",
    message: `no file system of this type is made; known are ${Object.keys(types).join(", ")}`,
    hint: "give a `cmd` that makes it",
  });
  return undefined;
}

/** The device that is meant, with its partition. */
function readPlace(item: Input, { aliases, laidOut }: Surroundings): string | undefined {
  const input = item.get("device");
  const partition = item.get("partition");
  const number = partition === undefined ? "any" : readPartition(partition);
  const name = input?.text();
  if (input === undefined) nameMissing(item, "device");
  if (input === undefined || name === undefined || number === undefined) return undefined;
  const named = readDevice(name, "auto", aliases);
  if (named.kind === "known" && named.device.startsWith("/dev/")) {
    if (number === "none") return named.device;
    if (number !== "any") return partitionOf(named.device, number);
    return laidOut.has(named.device) ? partitionOf(named.device, 1) : named.device;
  }
  input.unsupported({
    code: "cloud-config/unknown-device",
    message: "which device this is is not known here; no file system is made",
    hint: "write its path, or say it under `device_aliases`",
  });
  return undefined;
}

/** Its number, `none` for the device itself, `any` for the one that the document makes. */
function readPartition(input: Input): string | undefined {
  const text = typeof input.value === "number" ? String(input.value) : input.text();
  if (text === undefined) return undefined;
  if (/^(?:none|auto|any|[1-9][0-9]{0,2})$/.test(text)) {
    input.mark("translated");
    return text === "auto" ? "any" : text;
  }
  input.expected(
    "a number, `auto`, `any` or `none`",
    wordHint(input.value, ["1", "auto", "any", "none"]),
    "something else",
  );
  return undefined;
}

interface Wish {
  readonly type: string | undefined;
  readonly label: string | undefined;
  readonly device: string | undefined;
}

/** A command of one's own goes before the type, as in cloud-init. */
function readCommand(item: Input, { type, label, device }: Wish): string | undefined {
  const own = item.get("cmd");
  const options = item.get("extra_opts")?.oneOrMoreTexts() ?? [];
  const words = own?.oneOrMoreTexts() ?? [];
  if (own !== undefined && words.length > 0) {
    const values = { label: label ?? "None", filesystem: type ?? "None", device: device ?? "" };
    const filled = words.map((word) => fillIn(word, values));
    return own.isList() ? shellLine(filled) : filled[0];
  }
  if (own !== undefined || type === undefined || device === undefined) return undefined;
  const program = type === "swap" ? "mkswap" : `mkfs.${type}`;
  const named = label === undefined ? [] : [types[type]?.label ?? "-L", label];
  return shellLine([program, ...named, ...options, device]);
}

/** As Python's `%`. */
function fillIn(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/%\((label|filesystem|device)\)s|%%/g, (whole, name?: string) => {
    return name === undefined ? "%" : (values[name] ?? whole);
  });
}

function warnOfReplacing(input: Input | undefined): void {
  if (input?.text() === undefined) return;
  input.unsupported({
    code: "cloud-config/not-overwritten",
    message: "what is on a device stays: only an empty one is written to",
    hint: "empty the device by hand, with `wipefs` and `blkdiscard`, where that is meant",
  });
}

/** By the device, or by the label that it will have. */
function mountsOf(
  { spec }: SpecDraft,
  device: string,
  label: string | undefined,
): readonly Mount[] {
  const byLabel = label === undefined ? undefined : readDevice(`LABEL=${label}`, "auto", new Map());
  return (spec.mounts ?? []).filter((mount) => {
    return (
      mount.device === device || (byLabel?.kind === "known" && mount.device === byLabel.device)
    );
  });
}

/** NixOS has the program and the module of a type that is said. */
function waitFor(mount: Mount, type: string | undefined): void {
  if (type !== undefined) mount.type ??= type;
  mount.options = [...(mount.options ?? []), `x-systemd.requires=${unitName}`];
}

function nameOther(item: Input, type: string): void {
  (item.get("filesystem") ?? item).add("warning", {
    code: "cloud-config/other-type",
    message: `${type} is made, and \`mounts\` says another type of the same device: it will not be mounted`,
    hint: "write the same type in both, or none in `mounts`",
  });
}

function nameMissing(item: Input, key: string): void {
  item.expected(`a mapping with \`${key}\``, undefined, "one without");
}
