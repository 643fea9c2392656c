import type { Mount } from "#generated/provisioner/spec/v1.ts";
import type { Input } from "../input.ts";
import { readAliases } from "./device-aliases.ts";
import { readDevice } from "./device-name.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";
import { mountFields } from "./mount-fields.ts";
import { hasPassword, readMountOptions } from "./mount-options.ts";
import { addSwapFile } from "./swap-file.ts";

/** `mounts`, `mount_default_fields` and `swap`: what cloud-init writes to fstab. */
export const mounts: CloudConfigModule = {
  name: "mounts",
  keys: ["mounts", "mount_default_fields", "swap"],
  rule:
    "Each entry has the fields of fstab: device, path, type, options, and whether it is checked; the field for dump has " +
    "no meaning. A field that is missing or null comes from `mount_default_fields`, and else is `auto` with " +
    "`defaults,nofail`. `sdb1` is /dev/sdb1, `LABEL=` and `UUID=` are the links of udev, `data.1` is the first partition of " +
    "the alias `data`. A name that only a cloud knows (`ephemeral0`) needs an entry in `device_aliases`. Where " +
    "cloud-init looks for a partition on a disk, the disk itself is taken, and a note says so. " +
    "What the system lives in (/nix, /var, /var/lib, /usr, /etc, /run) takes no mount, an error; " +
    "/boot and /var/log are warned of. Homes of users on a mount are made when it is there. An entry without a path takes back those of the same device before it. Of two at one path the later counts. " +
    "`swap` is a swap file; `size: auto` is reckoned from the memory, without a look at the room on the disk, and " +
    "NixOS makes the file when it is first used.",
  example: `mounts:
  - [LABEL=data, /data, ext4, "defaults,noatime", "0", "2"]
  - [vdc1, /var/lib/media]
  - ["192.0.2.9:/export", /mnt/export, nfs, "nofail,ro"]
  - [vdd, none, swap, sw]
swap:
  filename: /swap.img
  size: auto
  maxsize: 4G
`,
  translate(module) {
    const { config } = module;
    const defaults = mountFields(config.get("mount_default_fields"));
    const aliases = readAliases(config);
    const entries: Entry[] = [];
    for (const item of config.get("mounts")?.items() ?? []) {
      addEntry(item, { entries, defaults, aliases });
    }
    for (const entry of entries) put(entry, module);
    const swap = config.get("swap");
    if (swap !== undefined) addSwapFile(swap, module);
  },
};

type Fields = readonly (string | null)[];

/** A line of fstab. */
interface Entry {
  readonly item: Input;
  readonly device: string;
  /** `null` for swap. */
  readonly path: string | null;
  readonly type: string;
  readonly options: readonly string[];
  readonly check: boolean;
}

interface Reading {
  readonly entries: Entry[];
  readonly defaults: Fields;
  readonly aliases: ReadonlyMap<string, string>;
}

function addEntry(item: Input, { entries, defaults, aliases }: Reading): void {
  if (!item.isList())
    return item.expected("a list of the fields of fstab", "as in `[/dev/vdb1, /data]`");
  const fields = item.items();
  const given = fields.map(fieldText);
  if (given.length === 0) return nameUseless(item, "there is no device");
  if (given.includes(undefined)) return item.mark("unsupported"); // said at the field
  fields.slice(defaults.length).forEach((field) => {
    field.unsupported({
      code: "cloud-config/unsupported-key",
      message: "a line of fstab has six fields; what stands behind them has no meaning",
      hint: "remove it; options stand in the fourth field, with commas between them",
    });
  });
  const [written, path, type, options, , pass] = defaults.map((each, at) => given[at] ?? each);
  if (written == null || written === "") return nameUseless(item, "there is no device");
  const named = readDevice(written, type ?? "auto", aliases);
  if (named.kind !== "known") return nameDevice(item, named.kind);
  const { device } = named;
  if (hasPassword(device)) return namePassword(item);
  if (path == null) return takeBack(item, entries, device);
  const isSwap = type === "swap";
  if (!isSwap && path === "none") return nameUseless(item, "it is mounted nowhere");
  if (!isSwap && !path.startsWith("/")) {
    return (fields[1] ?? item).expected(
      "an absolute path",
      "begin it with `/`, as in `/mnt/data`",
      "a relative one",
    );
  }
  if (named.whole && !isSwap) warnOfDisk(fields[0] ?? item, device);
  const place = isSwap ? null : path;
  overrule(entries, place);
  entries.push({
    item,
    device,
    path: place,
    type: type ?? "auto",
    check: readPass(fields[5], pass ?? "2"),
    options: readMountOptions(fields[3] ?? item, options ?? ""),
  });
}

function namePassword(item: Input): void {
  item.unsupported({
    code: "cloud-config/plain-password",
    message:
      "a password in the device of a mount would stand in the Nix store; the entry is left out",
    hint: "write it to a file of mode 0600 with write_files, and have the mount read that",
  });
}

/** The text of a field, null for the default; numbers may stand where fstab has them. */
function fieldText(field: Input, at: number): string | null | undefined {
  if (field.value === null) return null;
  if (at < 4 || typeof field.value !== "number") return field.looseText();
  field.mark("translated");
  return String(field.value);
}

/** Whether the file system is checked at boot. */
function readPass(field: Input | undefined, text: string): boolean {
  if (/^[0-9]$/.test(text)) return text !== "0";
  field?.expected("0, 1 or 2", "0 is for a file system that is not checked", "something else");
  return true;
}

function put({ item, device, path, type, check, options }: Entry, { draft }: ModuleInput): void {
  const said = options.length === 0 ? {} : { options: [...options] };
  if (path === null) {
    draft.spec.swap ??= [];
    draft.origin(["swap", draft.spec.swap.length], item);
    const rest = options.filter((option) => option !== "sw" && option !== "defaults");
    draft.spec.swap.push({ device, ...(rest.length === 0 ? {} : { options: rest }) });
    return;
  }
  draft.spec.mounts ??= [];
  draft.origin(["mounts", draft.spec.mounts.length], item);
  const mount: Mount = { device, path, ...(type === "auto" ? {} : { type }), ...said };
  draft.spec.mounts.push(check ? mount : { ...mount, check });
}

/** As in cloud-init a device without a path is not mounted, whatever was said of it before. */
function takeBack(item: Input, entries: Entry[], device: string): void {
  nameUseless(item, "the device is not mounted");
  for (const entry of entries.filter((each) => each.device === device)) {
    entries.splice(entries.indexOf(entry), 1);
    nameOverruled(entry.item, "a later entry takes this device back: it has no path");
  }
}

function overrule(entries: Entry[], path: string | null): void {
  const at = path === null ? -1 : entries.findIndex((each) => samePlace(each.path, path));
  const [entry] = at === -1 ? [] : entries.splice(at, 1);
  if (entry !== undefined) nameOverruled(entry.item, "a later entry is mounted at the same path");
}

function samePlace(one: string | null, other: string): boolean {
  const plain = (path: string) => path.replace(/\/+/g, "/").replace(/(?<=.)\/$/, "");
  return one !== null && plain(one) === plain(other);
}

function nameOverruled(item: Input, message: string): void {
  item.unsupported({ code: "cloud-config/overridden", message, hint: "keep one of the entries" });
}

function nameUseless(item: Input, message: string): void {
  item.unsupported({ code: "cloud-config/no-meaning", message, hint: "remove the entry" }, "note");
}

function nameDevice(item: Input, kind: "of-cloud" | "unknown"): void {
  item.unsupported({
    code: "cloud-config/unknown-device",
    message:
      kind === "of-cloud"
        ? "which disk the cloud calls so is not known here; the entry is left out"
        : "this is the name of no device; the entry is left out",
    hint:
      kind === "of-cloud"
        ? "say it under `device_aliases`, as in `ephemeral0: /dev/disk/by-id/…`"
        : "write the path of the device, `LABEL=` or `UUID=`",
  });
}

function warnOfDisk(field: Input, device: string): void {
  field.add("note", {
    code: "cloud-config/whole-disk",
    message: `${device} itself is mounted, also where it has partitions; cloud-init takes the first of them`,
    hint: "name the partition, or a label",
  });
}
