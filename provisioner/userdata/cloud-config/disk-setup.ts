import type { Input } from "../input.ts";
import { readAliases } from "./device-aliases.ts";
import { readLayouts } from "./disk-layout.ts";
import { diskScript, diskUnit, unitName } from "./disk-unit.ts";
import { addFileSystem } from "./file-system.ts";
import type { CloudConfigModule } from "./module.ts";

/** `disk_setup`, `fs_setup` and `device_aliases`: what is on the disks. */
export const diskSetup: CloudConfigModule = {
  name: "disk_setup",
  keys: ["device_aliases", "disk_setup", "fs_setup"],
  rule:
    "One unit, `disk-setup.service`, looks at each boot before file systems are mounted: a disk with nothing on it is partitioned as " +
    "`disk_setup` says, a device with nothing on it gets the file system of `fs_setup`, and mounts of it wait for that. Empty is what blkid finds " +
    "nothing on and whose first MiB is zero; whatever else there is stays, so that `overwrite` and `replace_fs` have no effect, and a warning says " +
    "so; `layout: remove` is refused. `partition: auto` and `any` are the first partition where the document makes one, else the device " +
    "itself. What the unit runs, a `cmd` with it, is a secret, as all commands are. `device_aliases` are names for all three keys and for `mounts`. For the disk of the system itself use disko.",
  example: `device_aliases:
  data: /dev/vdb
disk_setup:
  data: {table_type: gpt, layout: [50, 50]}
fs_setup:
  - {label: media, filesystem: ext4, device: data.1}
mounts:
  - [data.1, /srv/media]
`,
  translate({ config, draft }) {
    const names = config.get("device_aliases");
    if (names?.isMapping() === false) names.expected("a mapping of names to devices");
    for (const [, device] of names?.entries() ?? []) device.text();
    const aliases = readAliases(config);
    const layouts = readLayouts(config.get("disk_setup"), aliases);
    const laidOut = new Set(layouts.map(({ disk }) => disk));
    const input = config.get("fs_setup");
    const made = (input?.items() ?? []).flatMap((item) => {
      return addFileSystem(item, { draft, aliases, laidOut }) ?? [];
    });
    const from: Input | undefined = config.get("disk_setup") ?? input;
    if (from === undefined || layouts.length + made.length === 0) return;
    const script = draft.secret("disk-setup", diskScript(layouts, made));
    draft.spec.units = { ...draft.spec.units, [unitName]: diskUnit(made, script) };
    draft.origin(["units", unitName], from);
  },
};
