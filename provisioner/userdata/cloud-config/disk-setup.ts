import type { Input } from "../input.ts";
import { readAliases } from "./device-aliases.ts";
import { addFileSystem } from "./file-system.ts";
import type { CloudConfigModule } from "./module.ts";

const partitions =
  "partitions are made when the machine is installed, as by disko; afterwards name them in systemd.repart.partitions under `firstlight: options`, or make them by hand";

/** `disk_setup`, `fs_setup` and `device_aliases`: what is on the disks. */
export const diskSetup: CloudConfigModule = {
  name: "disk_setup",
  keys: ["device_aliases", "disk_setup", "fs_setup"],
  rule:
    "Nothing here writes over what is on a disk. `disk_setup` is refused: partitions are made when the machine is installed " +
    "(disko, systemd.repart). An entry of `fs_setup` counts where `mounts` has the same device: then the file " +
    "system is made at boot if the device has nothing on it that is known (`fileSystems.<path>.autoFormat`), and not otherwise, " +
    "so that `overwrite` and `replace_fs` have no effect, and a warning says so. It has no label; a mount by the label goes to the device of the entry. " +
    "What only a command of its own makes (`cmd`, `extra_opts`, swap) is refused. `device_aliases` are " +
    "names for `mounts` and `fs_setup`.",
  example: `device_aliases:
  data: /dev/vdb
disk_setup:
  data: {table_type: gpt, layout: [50, 50]}
fs_setup:
  - {label: media, filesystem: ext4, device: data.1}
  - {filesystem: xfs, device: /dev/vdc, overwrite: true}
mounts:
  - [LABEL=media, /srv/media]
  - [/dev/vdc, /srv/work]
`,
  translate({ config, draft }) {
    const names = config.get("device_aliases");
    if (names?.isMapping() === false) names.expected("a mapping of names to devices");
    for (const [, device] of names?.entries() ?? []) device.text();
    const disks = config.get("disk_setup");
    if (disks?.isMapping() === false) disks.expected("a mapping of devices");
    for (const [, wish] of disks?.entries() ?? []) refuseDisk(wish);
    const aliases = readAliases(config);
    for (const item of config.get("fs_setup")?.items() ?? []) addFileSystem(item, draft, aliases);
  },
};

/** What is asked of a disk, as a whole; without a layout cloud-init does nothing either. */
function refuseDisk(wish: Input): void {
  if (!wish.isMapping()) return wish.expected("a mapping with `layout`");
  const layout = wish.get("layout");
  wish.get("table_type")?.text();
  wish.get("overwrite")?.boolean();
  if (layout?.isMapping() === true || typeof layout?.value === "number") {
    return layout.expected("true, false, `remove` or a list of shares");
  }
  if (layout === undefined || layout.value === false) {
    const message = "without a layout there is nothing to do";
    const text = { code: "cloud-config/no-meaning", message, hint: "remove the entry" } as const;
    return wish.unsupported(text, "note");
  }
  const message = "this disk is not partitioned";
  wish.unsupported({ code: "cloud-config/unsupported-key", message, hint: partitions });
}
