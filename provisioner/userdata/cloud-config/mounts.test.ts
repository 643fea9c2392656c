import t from "tap";
import { checkCases } from "./check-cases.ts";

const nofail = ["defaults", "nofail"];

checkCases(t, [
  {
    name: "a line of fstab with all its fields",
    yaml: 'mounts: [[/dev/vdb1, /data, ext4, "defaults,noatime", "0", "0"]]\n',
    spec: {
      mounts: [
        {
          device: "/dev/vdb1",
          path: "/data",
          type: "ext4",
          options: ["defaults", "noatime"],
          check: false,
        },
      ],
    },
  },
  {
    name: "what is missing or null has cloud-init's defaults, numbers stand where fstab has them",
    yaml: "mounts:\n  - [/dev/vdb1, /a]\n  - [/dev/vdb2, /b, null, ro, 0, 2]\n",
    spec: {
      mounts: [
        { device: "/dev/vdb1", path: "/a", options: nofail },
        { device: "/dev/vdb2", path: "/b", options: ["ro"] },
      ],
    },
  },
  {
    name: "an empty field has its default, and is named",
    yaml: 'mounts: [[/dev/vdb1, /a, ""]]\n',
    spec: { mounts: [{ device: "/dev/vdb1", path: "/a", options: nofail }] },
    says: ["warning user-data/no-value 2:26 mounts.0.2"],
  },
  {
    name: "mount_default_fields are the defaults; `None` is nothing",
    yaml: "mount_default_fields: [None, null, xfs, 'defaults,ro', 0, '0']\nmounts: [[vdb1, /a], [vdc1]]\n",
    spec: {
      mounts: [
        { device: "/dev/vdb1", path: "/a", type: "xfs", options: ["defaults", "ro"], check: false },
      ],
    },
    says: ["note cloud-config/no-meaning 3:22 mounts.1"],
  },
  {
    name: "mount_default_fields are six",
    yaml: "mount_default_fields: [a, b]\n",
    spec: {},
    says: ["error user-data/wrong-type 2:23 mount_default_fields"],
  },
  ...Object.entries({
    sdb1: "/dev/sdb1",
    xvdh1: "/dev/xvdh1",
    sr0: "/dev/sr0",
    "LABEL=my data": "/dev/disk/by-label/my\\x20data",
    "UUID=0b1c": "/dev/disk/by-uuid/0b1c",
    "PARTUUID=0b1c": "/dev/disk/by-partuuid/0b1c",
    "PARTLABEL=x": "/dev/disk/by-partlabel/x",
    "/dev/sdb.2": "/dev/sdb2",
    "/dev/nvme0n1.2": "/dev/nvme0n1p2",
    "data.1": "/dev/vdx1",
    "disk.3": "/dev/disk/by-id/x-part3",
    "/dev/disk/by-path/a.1": "/dev/disk/by-path/a.1",
    "192.0.2.1:/a": "192.0.2.1:/a",
    "//192.0.2.1/share": "//192.0.2.1/share",
    ephemeral0: "/dev/vdz",
    ephemeral: "/dev/vdz",
  }).map(([written, device]) => ({
    name: `the device ${written}`,
    yaml: `device_aliases: {data: /dev/vdx, disk: /dev/disk/by-id/x, ephemeral0: /dev/vdz}\nmounts: [['${written}', /a]]\n`,
    spec: { mounts: [{ device, path: "/a", options: nofail }] },
    says: device === "/dev/vdz" ? ["note cloud-config/whole-disk 3:11 mounts.0.0"] : [],
  })),
  {
    name: "a whole disk is told: cloud-init looks for a partition",
    yaml: "mounts: [[vdc, /a]]\n",
    spec: { mounts: [{ device: "/dev/vdc", path: "/a", options: nofail }] },
    says: ["note cloud-config/whole-disk 2:11 mounts.0.0"],
  },
  {
    name: "file systems without a disk take a name",
    yaml: "mounts: [[tmpfs, /a, tmpfs, size=1m], [share, /b, virtiofs]]\n",
    spec: {
      mounts: [
        { device: "tmpfs", path: "/a", type: "tmpfs", options: ["size=1m"] },
        { device: "share", path: "/b", type: "virtiofs", options: nofail },
      ],
    },
  },
  {
    name: "names that only the cloud knows, and those of nothing, are named",
    yaml: "mounts: [[ephemeral0, /a], [dd, /b], [swap, none, swap]]\n",
    spec: {},
    says: [
      "warning cloud-config/unknown-device 2:10 mounts.0",
      "warning cloud-config/unknown-device 2:28 mounts.1",
      "warning cloud-config/unknown-device 2:38 mounts.2",
    ],
  },
  {
    name: "of two at one path the later counts",
    yaml: "mounts: [[sdc1, /a], [xvdh1, /a/]]\n",
    spec: { mounts: [{ device: "/dev/xvdh1", path: "/a/", options: nofail }] },
    says: ["warning cloud-config/overridden 2:10 mounts.0"],
  },
  {
    name: "a device without a path is taken back",
    yaml: "mounts: [[sdc1, /a], [sdc1, null]]\n",
    spec: {},
    says: [
      "warning cloud-config/overridden 2:10 mounts.0",
      "note cloud-config/no-meaning 2:22 mounts.1",
    ],
  },
  {
    name: "swap among the mounts",
    yaml: "mounts: [[vdd, none, swap, 'sw,pri=5,nofail', 0, 0]]\n",
    spec: { swap: [{ device: "/dev/vdd", options: ["pri=5", "nofail"] }] },
  },
  {
    name: "what is mounted nowhere is a note",
    yaml: "mounts: [[vdd1, none]]\n",
    spec: {},
    says: ["note cloud-config/no-meaning 2:10 mounts.0"],
  },
  {
    name: "options that wait for cloud-init go, and no password comes into the store",
    yaml: "mounts: [[//192.0.2.1/a, /a, cifs, 'ro,x-systemd.after=cloud-init-network.service,password=x']]\n",
    spec: { mounts: [{ device: "//192.0.2.1/a", path: "/a", type: "cifs", options: ["ro"] }] },
    says: [
      "note cloud-config/no-meaning 2:36 mounts.0.3",
      "warning cloud-config/plain-password 2:36 mounts.0.3",
    ],
  },
  {
    name: "nor one in a device, or behind the name of an account",
    yaml: "mounts: [['https://u:pw@dav.example.org/x', /d, davfs], [//192.0.2.1/a, /a, cifs, 'user=u%pw,passwd=pw']]\n",
    spec: { mounts: [{ device: "//192.0.2.1/a", path: "/a", type: "cifs" }] },
    says: [
      "warning cloud-config/plain-password 2:10 mounts.0",
      "warning cloud-config/plain-password 2:83 mounts.1.3",
    ],
  },
  {
    name: "fields beyond the sixth have no meaning",
    yaml: "mounts: [[vdb1, /a, ext4, ro, 0, 2, x]]\n",
    spec: { mounts: [{ device: "/dev/vdb1", path: "/a", type: "ext4", options: ["ro"] }] },
    says: ["warning cloud-config/unsupported-key 2:37 mounts.0.6"],
  },
  {
    name: "entries of other kinds are errors",
    yaml: "mounts: [/dev/vdb1 /a, [vdb1, a], [vdb1, /a, ext4, ro, 0, x], [[a], /b], []]\n",
    spec: {
      mounts: [{ device: "/dev/vdb1", path: "/a", type: "ext4", options: ["ro"] }],
    },
    says: [
      "error user-data/wrong-type 2:10 mounts.0",
      "error user-data/wrong-type 2:31 mounts.1.1",
      "error user-data/wrong-type 2:59 mounts.2.5",
      "error user-data/wrong-type 2:64 mounts.3.0",
      "note cloud-config/no-meaning 2:74 mounts.4",
    ],
  },
  {
    name: "a text is no list of mounts",
    yaml: "mounts: /dev/vdb1\n",
    spec: {},
    says: ["error user-data/wrong-type 2:9 mounts"],
  },
]);

checkCases(t, [
  {
    name: "a swap file of a size",
    yaml: "swap: {filename: /var/swap, size: 2G}\n",
    spec: { swap: [{ device: "/var/swap", sizeMiB: 2048 }] },
  },
  {
    name: "bytes are bytes; the file has cloud-init's name",
    yaml: "swap: {size: 1073741824}\n",
    spec: { swap: [{ device: "/swap.img", sizeMiB: 1024 }] },
  },
  {
    name: "a size that is reckoned, with a limit",
    yaml: "swap: {size: auto, maxsize: 10485760}\n",
    spec: { swap: [{ device: "/swap.img", size: "auto", maxMiB: 10 }] },
  },
  {
    name: "without a size there is none",
    yaml: "swap: {filename: /swap}\n",
    spec: {},
    says: ["note cloud-config/no-meaning 2:1 swap"],
  },
  {
    name: "wrong types, sizes and paths",
    yaml: "swap: {filename: swap, size: 2X, maxsize: [1]}\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:18 swap.filename",
      "error user-data/wrong-type 2:30 swap.size",
      "error user-data/wrong-type 2:43 swap.maxsize",
    ],
  },
  {
    name: "a list is no swap",
    yaml: "swap: [2G]\n",
    spec: {},
    says: ["error user-data/wrong-type 2:7 swap"],
  },
]);
