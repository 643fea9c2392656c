import { spawnSync } from "node:child_process";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { linesOf, secretText, translateCloud } from "../sample-translation.ts";
import { diskScript } from "./disk-unit.ts";

/** What comes of a document, but for the unit: its script is told apart below. */
function said(yaml: string): readonly [Spec["mounts"], readonly string[], readonly string[]] {
  const translation = translateCloud(yaml);
  return [translation.spec.mounts, commandsOf(yaml), linesOf(translation)];
}

/** The lines of the unit's script that write to a device. */
function commandsOf(yaml: string): readonly string[] {
  const script = secretText(translateCloud(yaml), "disk-setup") ?? "";
  const lines = script.split("\n").map((line) => line.trim());
  return lines.filter((line) => /^(mk|printf)/.test(line));
}

const waiting = ["defaults", "nofail", "x-systemd.requires=disk-setup.service"];
const made = [{ device: "/dev/vdb1", path: "/a", type: "ext4", options: waiting }];
const plain = ["defaults", "nofail"];

t.test("a file system is made where a device is empty, and its mount waits for that", async (t) => {
  t.strictSame(said("fs_setup: [{device: /dev/vdb1, filesystem: ext4}]\nmounts: [[vdb1, /a]]\n"), [
    made,
    ["mkfs.ext4 /dev/vdb1"],
    [],
  ]);
});

/** Entries of `fs_setup` with the command that comes of them. */
const commands: readonly (readonly [entry: string, command: string])[] = [
  ["{device: d, partition: 1, filesystem: ext4}", "mkfs.ext4 /dev/vdz1"],
  ["{device: d.2, filesystem: xfs, label: my data}", "mkfs.xfs -L 'my data' /dev/vdz2"],
  ["{device: d, partition: '3', filesystem: vfat, label: A}", "mkfs.vfat -n A /dev/vdz3"],
  ["{device: d, partition: none, filesystem: swap, label: s}", "mkswap -L s /dev/vdz"],
  ["{device: d, partition: auto, filesystem: btrfs}", "mkfs.btrfs /dev/vdz"],
  [
    "{device: vdc1, filesystem: ext4, extra_opts: [-E, nodiscard]}",
    "mkfs.ext4 -E nodiscard /dev/vdc1",
  ],
  ["{device: vdc1, filesystem: ext4, extra_opts: -q}", "mkfs.ext4 -q /dev/vdc1"],
  [
    "{device: vdc1, filesystem: jfs, label: x, cmd: mkfs -t %(filesystem)s -L %(label)s %(device)s}",
    "mkfs -t jfs -L x /dev/vdc1",
  ],
  ["{device: vdc1, cmd: [mkfs, '%(device)s', a b]}", "mkfs /dev/vdc1 'a b'"],
];
for (const [entry, command] of commands) {
  t.test(entry, async (t) => {
    const yaml = `device_aliases: {d: /dev/vdz}\nfs_setup: [${entry}]\n`;
    t.strictSame(said(yaml), [undefined, [command], []]);
  });
}

t.test("disks are partitioned, each by its table", async (t) => {
  const yaml =
    "disk_setup:\n  d: {table_type: gpt, layout: [33, [33, 82], 33]}\n  /dev/vdc: {layout: true}\n  vdd: {table_type: mbr, layout: [[50, 7], [50, '8e']], overwrite: false}\ndevice_aliases: {d: /dev/nvme1n1}\n";
  t.strictSame(said(yaml), [
    undefined,
    [
      'printf \'%s\\n\' \'label: gpt\' ",$((total * 33 / 100))M,L" ",$((total * 33 / 100))M,S" ",,L" | sfdisk --quiet /dev/nvme1n1',
      "printf '%s\\n' 'label: dos' \",,L\" | sfdisk --quiet /dev/vdc",
      "printf '%s\\n' 'label: dos' \",$((total * 50 / 100))M,7\" \",,V\" | sfdisk --quiet /dev/vdd",
    ],
    [],
  ]);
});

t.test("`any` is the first partition where the document makes one", async (t) => {
  const yaml =
    "disk_setup: {/dev/vdb: {layout: true}}\nfs_setup: [{device: vdb, filesystem: ext4}]\nmounts: [[LABEL=x, /a]]\n";
  t.strictSame(commandsOf(yaml).at(-1), "mkfs.ext4 /dev/vdb1");
});

t.test("what the unit runs is handed to it as a secret", async (t) => {
  const translation = translateCloud(
    "fs_setup: [{device: vdb1, filesystem: ext4, cmd: 'mkfs --password hunter2 %(device)s'}]\n",
  );
  const unit = translation.spec.units?.["disk-setup.service"];
  t.strictSame(unit?.credentials, [{ secretRef: "disk-setup" }]);
  t.match(unit?.text, "\nExecStart=/bin/sh %d/disk-setup\n");
  t.notMatch(JSON.stringify(translation.spec), /hunter2|mkfs/);
  t.match(secretText(translation, "disk-setup"), "\n  mkfs --password hunter2 /dev/vdb1\n");
});

t.test("swap waits for the unit, by the name of its own", async (t) => {
  const { spec } = translateCloud(
    "fs_setup: [{device: /dev/disk/by-id/a_1, filesystem: swap}]\nmounts: [[/dev/disk/by-id/a_1, none, swap]]\n",
  );
  t.match(
    spec.units?.["disk-setup.service"]?.text,
    "\nBefore=local-fs.target swap.target dev-disk-by\\x2did-a_1.swap shutdown.target\n",
  );
  t.strictSame(spec.swap, [{ device: "/dev/disk/by-id/a_1", options: ["nofail"] }]);
});

t.test("a mount by its label waits as well", async (t) => {
  const [mounts] = said(
    "fs_setup: [{device: vdb1, filesystem: xfs, label: d}]\nmounts: [[LABEL=d, /a], [vdc1, /b]]\n",
  );
  t.strictSame(mounts, [
    { device: "/dev/disk/by-label/d", path: "/a", options: waiting, type: "xfs" },
    { device: "/dev/vdc1", path: "/b", options: plain },
  ]);
});

/** Documents with what is said of them. */
const findings: readonly (readonly [yaml: string, says: readonly string[]])[] = [
  [
    "fs_setup: [{device: vdb1, filesystem: ext4, overwrite: true, replace_fs: ntfs}]\ndisk_setup: {vdb: {layout: true, overwrite: true}}\n",
    [
      "warning cloud-config/not-overwritten 2:45 fs_setup.0.overwrite",
      "warning cloud-config/not-overwritten 2:62 fs_setup.0.replace_fs",
      "warning cloud-config/not-overwritten 3:34 disk_setup.vdb.overwrite",
    ],
  ],
  [
    "fs_setup: [{device: ephemeral0, filesystem: ext4}, {device: vdb1, filesystem: hfs}]\ndisk_setup: {ephemeral0: {layout: true}}\n",
    [
      "warning cloud-config/unknown-device 2:13 fs_setup.0.device",
      "warning cloud-config/unknown-value 2:67 fs_setup.1.filesystem",
      "warning cloud-config/unknown-device 3:14 disk_setup.ephemeral0",
    ],
  ],
  [
    "disk_setup:\n  /dev/vdb: {layout: false}\n  /dev/vdc: {layout: remove}\n  /dev/vdd: {table_type: sun, layout: true}\n  /dev/vde: {}\n",
    [
      "note cloud-config/no-meaning 3:3 disk_setup./dev/vdb",
      "warning cloud-config/unsupported-key 4:14 disk_setup./dev/vdc.layout",
      "warning cloud-config/unknown-value 5:14 disk_setup./dev/vdd.table_type",
      "note cloud-config/no-meaning 6:3 disk_setup./dev/vde",
    ],
  ],
  [
    "device_aliases: {a: [b]}\ndisk_setup: {/dev/a: {table_type: 1, layout: [1, [2, 3]], overwrite: x}, /dev/e: yes}\n",
    [
      "error user-data/wrong-type 2:21 device_aliases.a",
      "error user-data/wrong-type 3:35 disk_setup./dev/a.table_type",
      "error user-data/wrong-type 3:70 disk_setup./dev/a.overwrite",
      "error user-data/wrong-type 3:82 disk_setup./dev/e",
    ],
  ],
  [
    "disk_setup:\n  /dev/a: {layout: [50, 60]}\n  /dev/b: {layout: [1, 1, 1, 1, 1]}\n  /dev/c: {layout: [[1], [1, xyz], a, [1, [2]]]}\n  /dev/d: {layout: 7}\n",
    [
      "error user-data/wrong-type 3:20 disk_setup./dev/a.layout",
      "error user-data/wrong-type 4:20 disk_setup./dev/b.layout",
      "error user-data/wrong-type 5:21 disk_setup./dev/c.layout.0",
      "error user-data/wrong-type 5:30 disk_setup./dev/c.layout.1.1",
      "error user-data/wrong-type 5:36 disk_setup./dev/c.layout.2",
      "error user-data/wrong-type 5:43 disk_setup./dev/c.layout.3.1",
      "error user-data/wrong-type 6:20 disk_setup./dev/d.layout",
    ],
  ],
  [
    "fs_setup:\n  - a\n  - {device: [a], filesystem: 1, label: 2, partition: x, overwrite: x, replace_fs: [], cmd: {a: 1}, extra_opts: 2}\n  - {filesystem: ext4}\n  - {device: vdb1}\n",
    [
      "error user-data/wrong-type 3:5 fs_setup.0",
      "error user-data/wrong-type 4:14 fs_setup.1.device",
      "error user-data/wrong-type 4:31 fs_setup.1.filesystem",
      "error user-data/wrong-type 4:41 fs_setup.1.label",
      "error user-data/wrong-type 4:55 fs_setup.1.partition",
      "error user-data/wrong-type 4:69 fs_setup.1.overwrite",
      "error user-data/wrong-type 4:84 fs_setup.1.replace_fs",
      "error user-data/wrong-type 4:93 fs_setup.1.cmd",
      "error user-data/wrong-type 4:113 fs_setup.1.extra_opts",
      "error user-data/wrong-type 5:5 fs_setup.2",
      "error user-data/wrong-type 6:5 fs_setup.3",
    ],
  ],
  [
    "fs_setup: [{device: vdb1, filesystem: ext4}]\nmounts: [[vdb1, /a, xfs]]\n",
    ["warning cloud-config/other-type 2:39 fs_setup.0.filesystem"],
  ],
  [
    "disk_setup: a\nfs_setup: b\ndevice_aliases: c\n",
    [
      "error user-data/wrong-type 2:13 disk_setup",
      "error user-data/wrong-type 3:11 fs_setup",
      "error user-data/wrong-type 4:17 device_aliases",
    ],
  ],
];
for (const [yaml, says] of findings) {
  t.test(yaml.split("\n")[0] ?? "", async (t) => {
    t.strictSame(linesOf(translateCloud(yaml)), says);
  });
}

const has = (program: string) =>
  spawnSync("sh", ["-c", `PATH=$PATH:/usr/sbin:/sbin command -v ${program}`]).status === 0;
const env = { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` };
const missing = ["mkfs.ext4", "blkid", "cmp"].find((program) => !has(program));

t.test(
  "the script writes to what is empty, and to nothing else",
  { skip: missing === undefined ? false : `${missing} is not there` },
  async (t) => {
    const folder = t.testdir({});
    const disk = (name: string) => {
      const file = join(folder, name);
      writeFileSync(file, "");
      truncateSync(file, 16 * 1024 * 1024);
      return file;
    };
    const run = (file: string, command: string) => {
      const script = diskScript([], [{ device: file, command, isSwap: false }]);
      return spawnSync("sh", ["-c", script], { encoding: "utf8", env });
    };
    const type = (file: string) => {
      return spawnSync("blkid", ["-p", "-o", "value", "-s", "LABEL", file], {
        encoding: "utf8",
        env,
      }).stdout.trim();
    };
    const empty = disk("empty");
    t.equal(run(empty, `mkfs.ext4 -q -L first ${empty}`).status, 0);
    t.equal(type(empty), "first");
    const again = run(empty, `mkfs.ext4 -q -L second ${empty}`);
    t.equal(again.status, 0);
    t.match(again.stdout, /is not empty, and stays as it is/);
    t.equal(type(empty), "first");
    const used = disk("used");
    writeFileSync(used, "raw data that no program knows", { flag: "r+" });
    t.match(run(used, `mkfs.ext4 -q ${used}`).stdout, /is not empty/);
    t.equal(type(used), "");
    const absent = join(folder, "absent");
    t.match(run(absent, "exit 1"), { status: 0, stdout: /is not there/ });
    t.equal(run(disk("failing"), "false").status, 1);
  },
);

t.test(
  "an empty disk is partitioned once",
  { skip: has("sfdisk") && has("blkid") ? false : "sfdisk is not there" },
  async (t) => {
    const disk = join(t.testdir({}), "disk");
    writeFileSync(disk, "");
    truncateSync(disk, 64 * 1024 * 1024);
    const partition = (...percents: readonly number[]) => {
      const parts = percents.map((percent) => ({ percent, type: "L" }));
      const script = diskScript([{ disk, table: "gpt", parts }], []);
      return spawnSync("sh", ["-c", script], { encoding: "utf8", env });
    };
    const sizes = () => {
      const dump = spawnSync("sfdisk", ["--json", disk], { encoding: "utf8", env }).stdout;
      const table = JSON.parse(dump) as { partitiontable: { partitions: { size: number }[] } };
      return table.partitiontable.partitions.map(({ size }) => size / 2048);
    };
    t.match(partition(50, 25, 25), { status: 0, stderr: "" });
    t.match(sizes(), [31, 15, Number]);
    t.match(partition(100).stdout, /is not empty/);
    t.equal(sizes().length, 3);
  },
);
