import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { qemuQ35 } from "#integration/machines/qemu-q35.ts";
import { writeMachine } from "#integration/machines/write-machine.ts";
import { writeSeed } from "#integration/machines/write-seed.ts";
import type { Case } from "./case.ts";

const condition = path.join(import.meta.dirname, "../nixos/nothing-to-do.sh");
const bundle = path.join(import.meta.dirname, "../dist/firstlight.js");

/** What each first boot is given. */
export const userData = `#cloud-config
hostname: bench
timezone: Europe/Zurich
locale: en_US.UTF-8
packages: [git, htop]
users:
  - default
  - { name: alice, groups: [wheel], shell: /bin/bash, ssh_authorized_keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJlbmNo alice"] }
write_files:
  - { path: /etc/motd, content: "hello\\n" }
runcmd: [[systemctl, --version]]
firstlight:
  health: { passes: 1, interval: 1ms, timeout: 1s }
`;

/** A machine with a seed; a fresh copy of it for every run. */
function openMachine(): { readonly fresh: () => string; readonly close: () => void } {
  const home = mkdtempSync(path.join(tmpdir(), "firstlight-bench-"));
  const template = path.join(home, "template");
  mkdirSync(template);
  writeMachine(template, qemuQ35);
  writeSeed(template, "i-bench", userData);
  let copies = 0;
  return {
    fresh() {
      copies += 1;
      const copy = path.join(home, String(copies));
      cpSync(template, copy, { recursive: true, verbatimSymlinks: true });
      return copy;
    },
    close: () => rmSync(home, { recursive: true, force: true }),
  };
}

/** Without a seed, its disks as udev has seen them: each is looked at to the end. */
function makeBare(root: string): void {
  rmSync(path.join(root, "var/lib/cloud"), { recursive: true });
  mkdirSync(path.join(root, "run/firstlight"), { recursive: true });
  const blocks = path.join(root, "sys/class/block");
  mkdirSync(path.join(root, "run/udev/data"), { recursive: true });
  for (const [index, name] of readdirSync(blocks).entries()) {
    const number = `254:${index}`;
    writeFileSync(path.join(blocks, name, "dev"), `${number}\n`);
    const seen = ["I:1", "E:ID_FS_TYPE=ext4", "E:ID_FS_LABEL=nixos", ""].join("\n");
    writeFileSync(path.join(root, "run/udev/data", `b${number}`), seen);
  }
}

/** First boots and boots with nothing to do, from the bundle, beside bare Node. */
export function bootCases(): { readonly cases: readonly Case[]; readonly close: () => void } {
  const machine = openMachine();
  const boot = (root: string) => [
    process.execPath,
    bundle,
    "boot",
    "-q",
    "--root",
    root,
    "--driver",
    "dry",
  ];
  const booted = machine.fresh();
  const bare = machine.fresh();
  makeBare(bare);
  spawnSync(process.execPath, boot(booted).slice(1));
  return {
    close: machine.close,
    cases: [
      { name: "node -e 0", argv: () => [process.execPath, "-e", "0"] },
      {
        name: "nothing-to-do.sh",
        argv: () => ["/bin/sh", "-c", '(. "$0"); [ $? = 1 ]', condition],
        env: { FIRSTLIGHT_CONDITION_ROOT: bare },
      },
      { name: "boot --driver dry, first", argv: () => boot(machine.fresh()), floor: "node -e 0" },
      { name: "boot --driver dry, nothing to do", argv: () => boot(booted), floor: "node -e 0" },
    ],
  };
}
