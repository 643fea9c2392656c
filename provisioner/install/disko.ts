import { print } from "#provisioner/nix-language/print.ts";
import {
  type AttrsEntry,
  attrs,
  bind,
  blank,
  bool,
  int,
  list,
  moduleOf,
  type NixExpr,
  str,
} from "#provisioner/nix-language/tree.ts";
import type { Layout, LayoutFileSystem, LayoutMount, LayoutPartition, On } from "./layout.ts";
import { partitionTypes } from "./partition-types.ts";

const mebibyte = 1024 * 1024;

/**
 * The layout as a configuration of disko, for people who use it: `disko.devices` (disko's
 * documentation, `docs/reference.md`). It asks for the passphrase itself.
 */
export function diskoConfiguration(layout: Layout): string {
  const disks = layout.disks.map(({ binding, partitions }, index) =>
    bind(
      `disk${index + 1}`,
      attrs([
        bind("type", str("disk")),
        bind("device", str(`/dev/disk/by-id/${binding.id}`)),
        bind(
          "content",
          attrs([
            bind("type", str("gpt")),
            bind(
              "partitions",
              attrs(partitions.map((each) => bind(each.role, partition(layout, each)))),
            ),
          ]),
        ),
      ]),
    ),
  );
  const arrays = layout.arrays.map(({ name }) =>
    bind(
      name,
      attrs([
        bind("type", str("mdadm")),
        bind("level", int(1)),
        ...content(layout, { array: name }),
      ]),
    ),
  );
  const nodev = layout.mounts.flatMap(({ path, from, options }) =>
    "fileSystem" in from ? [] : [bind(path, withoutDisk(from, options))],
  );
  const devices: readonly AttrsEntry[] = [
    bind("disk", attrs(disks)),
    ...(arrays.length === 0 ? [] : [bind("mdadm", attrs(arrays))]),
    ...(nodev.length === 0 ? [] : [bind("nodev", attrs(nodev))]),
  ];
  const header = `The disks of this machine for disko (${layout.name}). disko makes its own UUIDs: take its module in place of storage.nix.`;
  return print(moduleOf([], attrs([bind(["disko", "devices"], attrs(devices)), blank])), {
    header,
  });
}

/** Memory, or the same directory at a second place. */
function withoutDisk(
  from: Exclude<LayoutMount["from"], { fileSystem: string }>,
  options: readonly string[],
): NixExpr {
  if ("memory" in from)
    return attrs([bind("fsType", str("tmpfs")), bind("mountOptions", texts(options))]);
  return attrs([
    bind("fsType", str("none")),
    bind("device", str(from.bind)),
    bind("mountOptions", texts(["bind", ...options])),
  ]);
}

function partition(layout: Layout, partition: LayoutPartition): NixExpr {
  const { number, role, name, uuid, sizeBytes } = partition;
  return attrs([
    bind("priority", int(number)),
    bind("label", str(name)),
    bind("type", str(partitionTypes[role])),
    bind("size", str(`${sizeBytes / mebibyte}M`)),
    ...content(layout, { partition: uuid }),
  ]);
}

/** What lies on something, down to the file system. */
function content(layout: Layout, on: On): readonly AttrsEntry[] {
  const said = contentOf(layout, on);
  return said === undefined ? [] : [bind("content", said)];
}

function contentOf(layout: Layout, on: On): NixExpr | undefined {
  const isHere = (each: { readonly on: On }) => JSON.stringify(each.on) === JSON.stringify(on);
  const array = layout.arrays.find(
    ({ members }) => "partition" in on && members.includes(on.partition),
  );
  if (array !== undefined)
    return attrs([bind("type", str("mdraid")), bind("name", str(array.name))]);
  const container = layout.encrypted.find(isHere);
  if (container !== undefined)
    return attrs([
      bind("type", str("luks")),
      bind("name", str(container.name)),
      bind("askPassword", bool(true)),
      ...content(layout, { encrypted: container.name }),
    ]);
  if (layout.swap !== null && isHere(layout.swap))
    return attrs([
      bind("type", str("swap")),
      ...(layout.swap.hibernate ? [bind("resumeDevice", bool(true))] : []),
    ]);
  const fileSystem = layout.fileSystems.find(isHere);
  return fileSystem === undefined ? undefined : fileSystemContent(layout, fileSystem);
}

function fileSystemContent({ mounts }: Layout, { type, uuid }: LayoutFileSystem): NixExpr {
  const own = mounts.flatMap(({ path, from, options }) =>
    "fileSystem" in from && from.fileSystem === uuid ? [{ path, from, options }] : [],
  );
  if (type === "btrfs") {
    const subvolumes = own.map(({ path, from, options }) =>
      bind(
        `/${from.subvolume ?? ""}`,
        attrs([bind("mountpoint", str(path)), bind("mountOptions", texts(options))]),
      ),
    );
    return attrs([bind("type", str("btrfs")), bind("subvolumes", attrs(subvolumes))]);
  }
  const [mount] = own;
  return attrs([
    bind("type", str("filesystem")),
    bind("format", str(type)),
    ...(mount === undefined ? [] : [bind("mountpoint", str(mount.path))]),
    ...(mount === undefined || mount.options.length === 0
      ? []
      : [bind("mountOptions", texts(mount.options))]),
  ]);
}

function texts(values: readonly string[]): NixExpr {
  return list(values.map(str));
}
