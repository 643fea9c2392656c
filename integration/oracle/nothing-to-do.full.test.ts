import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { addDisk } from "#agent/datasources/fake-machine.ts";
import { makeFat, makeIso, writeTree } from "#agent/datasources/images/make-images.ts";
import { datasources } from "#agent/datasources/table.ts";
import { type FakeRoot, writeFakeRoot } from "./ds-identify.ts";
import { fakeRoots } from "./fake-roots.ts";
import { foundOn } from "./found-on.ts";

t.setTimeout(300_000);

const condition = path.join(import.meta.dirname, "../../nixos/nothing-to-do.sh");
const shells = ["dash", "bash"] as const;

/** Whether Node is started, as both shells say it. */
function starts(t: Test, root: string): boolean {
  mkdirSync(path.join(root, "run/firstlight"), { recursive: true });
  const env = { PATH: "/none", FIRSTLIGHT_CONDITION_ROOT: root };
  const codes = shells.map((shell) => {
    const { status, stderr } = spawnSync(`/bin/${shell}`, [condition], { env, encoding: "utf8" });
    t.equal(stderr, "");
    return status;
  });
  t.ok(codes[0] === codes[1] && (codes[0] === 0 || codes[0] === 1), `ends with ${codes.join()}`);
  return codes[0] === 0;
}

t.test("Node is started on every machine that has a datasource", async (t) => {
  const seen = new Set<string>();
  let [none, spared] = [0, 0];
  for (const [name, machine] of fakeRoots()) {
    const root = path.join(t.testdir({ machine: {} }), "machine");
    writeFakeRoot(root, machine);
    const found = await foundOn(root);
    for (const each of found) seen.add(each);
    const isStarted = starts(t, root);
    if (found.length > 0) t.ok(isStarted, `${name}: ${found.join()}`);
    else none += 1;
    if (!isStarted) spared += 1;
  }
  t.comment(`${none} machines have no datasource; on ${spared} of them Node is not started`);
  t.ok(spared >= 35, `${spared} of ${none}`);
  const unseen = datasources.map(({ name }) => name).filter((name) => !seen.has(name));
  t.same(unseen, ["credentials", "usb"], "these are below");
});

/** What udev writes of a disk: libblkid says the same to it. */
function addUdev(root: string, name: string, image: string, number: string): void {
  const said = spawnSync("blkid", ["-p", "-o", "udev", image], { encoding: "utf8" }).stdout;
  const lines = said.split("\n").filter((line) => line !== "");
  const data = ["I:1", ...lines.map((line) => `E:${line}`), ""].join("\n");
  writeTree(path.join(root, "run/udev/data"), { [`b${number}`]: data });
  writeTree(path.join(root, "sys/class/block", name), { dev: `${number}\n` });
}

t.test("disks, as udev has seen them", async (t) => {
  const labels = [
    ...["cidata", "CIDATA", "config-2", "CONFIG-2", "CONTEXT", "CDROM", "CLOUDMD", "cloudmd"],
    ...["METADATA", "metadata", "FIRSTLIGHT", "firstlight", "OVF ENV", "ESP", "DATA", "NIXOS"],
  ];
  const spared: string[] = [];
  for (const label of labels)
    for (const type of ["vfat", "iso9660"] as const) {
      const root = path.join(t.testdir({ machine: {} }), "machine");
      writeFakeRoot(root, {});
      const image = `${root}-disk`;
      const tree = { "meta-data": "instance-id: i\n", "user-data": "\n", "context.sh": "A=1\n" };
      if (type === "vfat") makeFat(image, tree, { label });
      else makeIso(image, writeTree(`${image}.tree`, tree), { label });
      addDisk(root, "vdb", { image });
      addUdev(root, "vdb", image, "254:16");
      const found = await foundOn(root);
      const isStarted = starts(t, root);
      if (found.length > 0) t.ok(isStarted, `${label}, ${type}: ${found.join()}`);
      if (!isStarted) spared.push(`${label}, ${type}`);
    }
  t.same(spared, ["ESP, vfat", "DATA, vfat", "NIXOS, vfat"]);
});

t.test("credentials, by each channel", async (t) => {
  const name = "firstlight.user-data";
  const oem = Buffer.concat([
    Buffer.from([11, 5, 0, 0, 1]),
    Buffer.from(`io.systemd.credential:${name}=#cloud-config\0\0`),
  ]);
  const channels: Readonly<Record<string, string | Buffer>> = {
    [`run/credentials/@system/${name}`]: "x",
    [`etc/credstore.encrypted/${name}`]: "x",
    [`sys/firmware/qemu_fw_cfg/by_name/opt/io.systemd.credentials/${name}/raw`]: "x",
    "sys/firmware/dmi/entries/11-0/raw": oem,
    "proc/cmdline": `quiet systemd.set_credential=${name}:x\n`,
  };
  for (const [file, content] of Object.entries(channels)) {
    const root = path.join(t.testdir({ machine: {} }), "machine");
    writeFakeRoot(root, {});
    t.notOk(starts(t, root));
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), content);
    t.same(await foundOn(root), ["credentials"], file);
    t.ok(starts(t, root), file);
  }
});

t.test(
  "whatever an earlier boot began is gone on with, also where firstlight is switched off",
  (t) => {
    const began = [
      "var/lib/firstlight/journal/journal.jsonl",
      "var/lib/firstlight/instance/pinned.json",
      "var/lib/firstlight/report/place.json",
      "nix/var/nix/gcroots/firstlight-first-boot/unproved",
      "nix/var/nix/profiles/system-profiles/firstlight_trial-1-link",
    ];
    const switches: Readonly<Record<string, FakeRoot>> = {
      "switched off by /etc/firstlight/disabled": { files: { "etc/firstlight/disabled": "" } },
      "switched off by /etc/cloud/cloud-init.disabled": {
        files: { "etc/cloud/cloud-init.disabled": "", "var/lib/cloud/seed/nocloud/meta-data": "" },
      },
      "switched off by kernel command line: cloud-init=disabled": {
        dmi: { sys_vendor: "Hetzner" },
        commandLine: "quiet cloud-init=disabled",
      },
      "no sign of a datasource": {},
    };
    for (const [reason, machine] of Object.entries(switches)) {
      const root = path.join(t.testdir({ machine: {} }), "machine");
      writeFakeRoot(root, machine);
      t.notOk(starts(t, root), reason);
      const told = path.join(root, "run/firstlight/nothing-to-do");
      t.equal(readFileSync(told, "utf8"), `${reason}\n`);
      for (const file of began) {
        writeTree(path.join(root, path.dirname(file)), { [path.basename(file)]: "" });
        t.ok(starts(t, root), file);
        t.equal(readFileSync(told, "utf8"), "", "what was said before holds no more");
        rmSync(path.join(root, file));
      }
    }
    t.end();
  },
);

t.test("a fleet that wants to hear of this boot hears of it", (t) => {
  const root = path.join(t.testdir({ machine: {} }), "machine");
  writeFakeRoot(root, {
    files: { "etc/firstlight/settings.json": '{ "report": { "mqtt": { "host": "a" } } }' },
  });
  t.ok(starts(t, root));
  t.end();
});
