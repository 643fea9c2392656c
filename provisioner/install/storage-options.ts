import { attrs, bind, bool, list, type NixExpr, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign } from "#provisioner/render/assignment.ts";
import { moduleFile } from "#provisioner/render/module-file.ts";
import type { SourceFile } from "#provisioner/render/sources.ts";
import { byUuid, deviceOf } from "./devices.ts";
import type { Layout, LayoutMount } from "./layout.ts";

/** File in `/etc/nixos` that says what the disks are. */
export const storageFile = "storage.nix";

/** The layout as options of NixOS. */
export function storageOptions(layout: Layout): readonly Assignment[] {
  return [
    ...layout.mounts.map((mount) => assign(["fileSystems", mount.path], fileSystem(layout, mount))),
    assign(
      ["swapDevices"],
      list(layout.swap === null ? [] : [attrs([bind("device", str(byUuid(layout.swap.uuid)))])]),
    ),
    ...(layout.zram ? [assign(["zramSwap", "enable"], bool(true))] : []),
    ...(layout.swap?.hibernate === true
      ? [assign(["boot", "resumeDevice"], str(byUuid(layout.swap.uuid)))]
      : []),
    ...encryption(layout),
    ...arrays(layout),
    ...bootLoader(layout),
  ];
}

/** The same as a module of its own. */
export function storageModule(layout: Layout): SourceFile {
  const file = moduleFile({
    path: storageFile,
    header: `The disks of this machine, as they were laid out when it was installed (${layout.name}).`,
    assignments: storageOptions(layout),
  });
  return file ?? { path: storageFile, content: "{ }\n", mode: 0o644 };
}

function fileSystem({ fileSystems }: Layout, mount: LayoutMount): NixExpr {
  const { from, options, neededForBoot } = mount;
  const found =
    "fileSystem" in from ? fileSystems.find(({ uuid }) => uuid === from.fileSystem) : undefined;
  const [device, type, more] =
    "memory" in from
      ? ["tmpfs", "tmpfs", []]
      : "bind" in from
        ? [from.bind, "none", ["bind"]]
        : [
            found === undefined ? byUuid(from.fileSystem) : deviceOf(found),
            found?.type ?? "auto",
            from.subvolume === null ? [] : [`subvol=${from.subvolume}`],
          ];
  const all = [...more, ...options];
  return attrs([
    bind("device", str(device)),
    bind("fsType", str(type)),
    ...(all.length === 0 ? [] : [bind("options", list(all.map(str)))]),
    ...(neededForBoot ? [bind("neededForBoot", bool(true))] : []),
  ]);
}

/** One passphrase is asked for once: the initrd of systemd tries it on each container. */
function encryption({ encrypted }: Layout): readonly Assignment[] {
  if (encrypted.length === 0) return [];
  return [
    assign(["boot", "initrd", "systemd", "enable"], bool(true)),
    ...encrypted.map((each) =>
      assign(
        ["boot", "initrd", "luks", "devices", each.name],
        attrs([bind("device", str(deviceOf(each)))]),
      ),
    ),
  ];
}

function arrays({ arrays }: Layout): readonly Assignment[] {
  if (arrays.length === 0) return [];
  const lines = arrays.map(({ name, uuid }) => `ARRAY /dev/md/${name} UUID=${mdUuid(uuid)}`);
  return [
    assign(["boot", "swraid", "enable"], bool(true)),
    assign(["boot", "swraid", "mdadmConf"], str(`${[...lines, "MAILADDR root"].join("\n")}\n`)),
  ];
}

/** As mdadm writes it: four groups of eight digits. */
export function mdUuid(uuid: string): string {
  return uuid.replaceAll("-", "").replace(/(.{8})(?=.)/g, "$1:");
}

function bootLoader({ bootLoader }: Layout): readonly Assignment[] {
  const loader = (...path: readonly string[]) => ["boot", "loader", ...path];
  if (bootLoader.kind === "systemd-boot")
    return [
      assign(loader("systemd-boot", "enable"), bool(true)),
      assign(loader("efi", "canTouchEfiVariables"), bool(true)),
    ];
  // Each disk starts by itself, under the name that firmware looks for where it remembers nothing.
  const mirrored = bootLoader.esps.map((path) =>
    attrs([
      bind("devices", list([str("nodev")])),
      bind("path", str(path)),
      bind("efiSysMountPoint", str(path)),
    ]),
  );
  return [
    assign(loader("grub", "enable"), bool(true)),
    assign(loader("grub", "efiSupport"), bool(true)),
    assign(loader("grub", "efiInstallAsRemovable"), bool(true)),
    assign(loader("grub", "mirroredBoots"), list(mirrored)),
    assign(loader("efi", "canTouchEfiVariables"), bool(false)),
  ];
}
