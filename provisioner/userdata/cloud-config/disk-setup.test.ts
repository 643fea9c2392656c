import t from "tap";
import { checkCases } from "./check-cases.ts";

const nofail = ["defaults", "nofail"];
const made = { device: "/dev/vdb1", path: "/a", type: "ext4", options: nofail, format: true };

checkCases(t, [
  {
    name: "a file system is made where a mount has the same device",
    yaml: "fs_setup: [{device: /dev/vdb1, filesystem: ext4}]\nmounts: [[vdb1, /a]]\n",
    spec: { mounts: [made] },
  },
  {
    name: "aliases, and partitions by number",
    yaml: "device_aliases: {d: /dev/vdb}\nfs_setup: [{device: d, partition: 1, filesystem: ext4}]\nmounts: [[d.1, /a, ext4]]\n",
    spec: { mounts: [made] },
  },
  {
    name: "a mount by its label goes to the device",
    yaml: "fs_setup: [{device: /dev/vdb, partition: '1', filesystem: ext4, label: d}]\nmounts: [[LABEL=d, /a]]\n",
    spec: { mounts: [made] },
    says: ["note cloud-config/unsupported-key 2:65 fs_setup.0.label"],
  },
  {
    name: "nothing is written over",
    yaml: "fs_setup: [{device: vdb1, filesystem: ext4, overwrite: true, replace_fs: ntfs}]\nmounts: [[vdb1, /a]]\n",
    spec: { mounts: [made] },
    says: [
      "warning cloud-config/unsupported-key 2:45 fs_setup.0.overwrite",
      "warning cloud-config/unsupported-key 2:62 fs_setup.0.replace_fs",
    ],
  },
  {
    name: "what nothing mounts is not made, swap neither",
    yaml: "fs_setup:\n  - {device: vdb1, filesystem: ext4, overwrite: false}\n  - {device: vdc1, filesystem: swap, partition: none}\n",
    spec: {},
    says: [
      "warning cloud-config/unsupported-key 3:5 fs_setup.0",
      "warning cloud-config/unsupported-key 4:5 fs_setup.1",
    ],
  },
  {
    name: "a mount of another type counts",
    yaml: "fs_setup: [{device: vdb1, filesystem: xfs}]\nmounts: [[vdb1, /a, ext4]]\n",
    spec: { mounts: [{ device: "/dev/vdb1", path: "/a", type: "ext4", options: nofail }] },
    says: ["warning cloud-config/overridden 2:12 fs_setup.0"],
  },
  {
    name: "commands of its own, and partitions to be found out, are refused",
    yaml: "fs_setup:\n  - {device: vdb1, filesystem: ext4, cmd: [mkfs, x], extra_opts: -E}\n  - {device: vdb, filesystem: ext4, partition: auto}\nmounts: [[vdb1, /a]]\n",
    spec: { mounts: [{ device: "/dev/vdb1", path: "/a", options: nofail }] },
    says: [
      "warning cloud-config/unsupported-key 3:38 fs_setup.0.cmd",
      "warning cloud-config/unsupported-key 3:54 fs_setup.0.extra_opts",
      "warning cloud-config/unsupported-key 4:37 fs_setup.1.partition",
    ],
  },
  {
    name: "a device that the cloud names is not known",
    yaml: "fs_setup: [{device: ephemeral0, filesystem: ext4}]\n",
    spec: {},
    says: ["warning cloud-config/unknown-device 2:13 fs_setup.0.device"],
  },
  {
    name: "wrong types in each place",
    yaml: "device_aliases: {a: [b]}\ndisk_setup: {d: {table_type: 1, layout: [1, [2, 3]], overwrite: x}, e: yes}\nfs_setup:\n  - a\n  - {device: [a], filesystem: 1, label: 2, partition: x, overwrite: x, replace_fs: [], cmd: {a: 1}, extra_opts: 2}\n  - {filesystem: ext4}\n  - {device: vdb1}\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:21 device_aliases.a",
      "warning cloud-config/unsupported-key 3:14 disk_setup.d",
      "error user-data/wrong-type 3:30 disk_setup.d.table_type",
      "error user-data/wrong-type 3:65 disk_setup.d.overwrite",
      "error user-data/wrong-type 3:72 disk_setup.e",
      "error user-data/wrong-type 5:5 fs_setup.0",
      "error user-data/wrong-type 6:14 fs_setup.1.device",
      "error user-data/wrong-type 6:31 fs_setup.1.filesystem",
      "error user-data/wrong-type 6:41 fs_setup.1.label",
      "error user-data/wrong-type 6:55 fs_setup.1.partition",
      "error user-data/wrong-type 6:69 fs_setup.1.overwrite",
      "error user-data/wrong-type 6:84 fs_setup.1.replace_fs",
      "error user-data/wrong-type 6:93 fs_setup.1.cmd",
      "error user-data/wrong-type 6:113 fs_setup.1.extra_opts",
      "error user-data/wrong-type 7:5 fs_setup.2",
      "error user-data/wrong-type 8:5 fs_setup.3",
    ],
  },
  {
    name: "partitions are refused, disk by disk; no layout asks for nothing",
    yaml: "disk_setup:\n  /dev/vdb: {table_type: gpt, layout: [50, 50], overwrite: true}\n  /dev/vdc: {layout: false}\n  /dev/vdd: {layout: remove}\n",
    spec: {},
    says: [
      "warning cloud-config/unsupported-key 3:3 disk_setup./dev/vdb",
      "note cloud-config/no-meaning 4:3 disk_setup./dev/vdc",
      "warning cloud-config/unsupported-key 5:3 disk_setup./dev/vdd",
    ],
  },
]);
