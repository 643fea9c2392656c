import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { makeIso, writeTree } from "#agent/datasources/images/make-images.ts";
import { seedTree } from "../story.ts";
import { openConsole } from "./console.ts";
import { type Answer, hostEnvironment, onHost, type Scope } from "./host.ts";
import type { OwnKernel } from "./image.ts";
import type { Lab } from "./lab.ts";
import type { Machine } from "./machine.ts";
import { lan } from "./network.ts";
import { vmDisk } from "./vm-disk.ts";

/** What a virtual machine says of itself by its SMBIOS. */
export interface VmOptions {
  readonly manufacturer: string;
  readonly product: string;
  /** Name of the main board, by the same manufacturer. Default: none is told. */
  readonly board?: string;
  /** By systemd-boot its firmware is UEFI. Default: GRUB. */
  readonly loader?: OwnKernel["loader"];
  /** Whether the profile that it is known by has parameters of the kernel. Default: no. */
  readonly restartsFirst?: boolean;
}

/** Emulated, because a /dev/kvm that opens is no promise that a kernel comes up with it. */
const emulation = "tcg,thread=multi,tb-size=512";
export const waitMs = 1_200_000;
const ovmf = "/usr/share/OVMF";
const sshTries = 60;
const sshPauseMs = 5_000;
/** How ssh says that it did not get as far as the machine's shell. */
const sshFailed = 255;

/** A virtual machine that has never been switched on: a cold boot with its own kernel and udev. */
export async function vm(t: Scope, lab: Lab, options: VmOptions): Promise<Machine> {
  const { loader = "grub", restartsFirst = false } = options;
  const original = await vmDisk(loader);
  const at = (name: string) => path.join(lab.directory, name);
  const [disk, seed] = [at("disk.qcow2"), at("seed.iso")];
  await onHost(["qemu-img", "create", "-q", "-f", "qcow2", "-b", original, "-F", "raw", disk]);
  const firmware = loader === "systemd-boot" ? await uefi(at("firmware")) : [];
  const tap = await lab.network.tap();
  const console = openConsole(waitMs);
  let running: ChildProcess | undefined;
  let ended: Promise<unknown> = Promise.resolve();

  const command = [
    ...["qemu-system-x86_64", "-accel", emulation, "-cpu", "Nehalem"],
    ...["-machine", "q35,smm=off", "-m", "1024", "-nodefaults", "-nographic", "-serial", "stdio"],
    ...firmware,
    ...["-drive", `file=${disk},if=none,id=root,cache=unsafe`],
    ...["-device", "nvme,drive=root,serial=root,bootindex=0"],
    ...["-drive", `file=${seed},if=none,id=seed,format=raw,readonly=on`],
    ...["-device", "virtio-blk-pci,drive=seed,serial=seed"],
    ...["-netdev", `tap,id=lan,ifname=${tap},script=no,downscript=no`],
    ...["-device", `virtio-net-pci,netdev=lan,mac=${lan.card}`],
    ...smbios(options),
  ] as const;

  /** It takes the connection along. */
  async function end(): Promise<void> {
    await machine.run(["true"]);
    await lab.ssh(["systemctl", "poweroff"]);
    const late = setTimeout(() => running?.kill("SIGKILL"), waitMs);
    await ended;
    clearTimeout(late);
  }

  const machine: Machine = {
    console,
    pace: 10,
    restartsFirst,
    async insert(documents) {
      const tree = at("seed");
      rmSync(tree, { recursive: true, force: true });
      const next = at("next.iso");
      makeIso(next, writeTree(tree, seedTree(documents)), { label: "CIDATA" });
      await onHost(["mv", next, seed]);
    },
    async switchOn() {
      const [file, ...args] = lab.network.outside(command);
      const child = spawn(file, args, {
        env: hostEnvironment,
        stdio: ["ignore", "pipe", "inherit"],
      });
      running = child;
      ended = once(child, "exit");
      console.follow(child.stdout);
    },
    // A new process: what is in its drive may be another seed. What restarts by itself is the same.
    async reboot() {
      await end();
      await machine.switchOn();
    },
    switchOff: end,
    async cutPower() {
      running?.kill("SIGKILL");
      await ended;
    },
    async run(argv) {
      let answer: Answer = { code: null, stdout: "", stderr: "never tried" };
      for (let tries = 1; tries <= sshTries; tries++) {
        answer = await lab.ssh(argv);
        if (answer.code !== sshFailed) break;
        await delay(sshPauseMs);
      }
      return answer;
    },
  };
  t.teardown(machine.cutPower);
  return machine;
}

/** UEFI with variables of its own in `file`. */
async function uefi(file: string): Promise<readonly string[]> {
  await onHost(["cp", `${ovmf}/OVMF_VARS_4M.fd`, file]);
  const flash = "if=pflash,format=raw";
  return [
    ...["-drive", `${flash},unit=0,readonly=on,file=${ovmf}/OVMF_CODE_4M.fd`],
    ...["-drive", `${flash},unit=1,file=${file}`],
  ];
}

function smbios({ manufacturer, product, board }: VmOptions): readonly string[] {
  const value = (text: string) => text.replaceAll(",", ",,");
  const maker = `manufacturer=${value(manufacturer)}`;
  const system = ["-smbios", `type=1,${maker},product=${value(product)}`];
  return board === undefined
    ? system
    : [...system, "-smbios", `type=2,${maker},product=${value(board)}`];
}
