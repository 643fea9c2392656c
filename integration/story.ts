import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { addDisk } from "#agent/datasources/fake-machine.ts";
import { makeFat, makeIso, writeTree } from "#agent/datasources/images/make-images.ts";
import type { Io } from "#core/io.ts";
import { holdMachineToOptions } from "#provisioner/nixos-options/rendered.ts";
import type { Machine } from "./machines/machine.ts";
import { qemuQ35 } from "./machines/qemu-q35.ts";
import { writeMachine } from "./machines/write-machine.ts";
import { type Argv, type NixMachine, nixMachine } from "./nix-machine.ts";
import type { StartedProcess } from "./record-processes.ts";

const checkout = path.dirname(import.meta.dirname);
const recorder = pathToFileURL(path.join(import.meta.dirname, "record-processes.ts")).href;
const timeoutMs = 120_000;

/** The program as the source tree has it, and as one bundle where that was built. */
export const programs = {
  source: path.join(checkout, "cli/main.ts"),
  bundle: path.join(checkout, "dist/firstlight.js"),
} as const;

/** Whether `npm run build` has been done, as `npm test` does before its tests. */
export const hasBundle = existsSync(programs.bundle);

/** How the medium of a seed is made. */
export type Medium = "iso" | "fat";

/** Documents of a NoCloud seed. */
export interface Seed {
  readonly instanceId: string;
  readonly userData: string;
  /** Further lines of the meta-data. */
  readonly metaData?: string;
  readonly networkConfig?: string;
}

/** How one command of firstlight ended. */
export interface Run {
  /** `null` when it was killed. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** With `record`: every process that it started. */
  readonly processes: readonly StartedProcess[];
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Whether to record the processes that it starts. */
  readonly record?: boolean;
  readonly program?: keyof typeof programs;
}

/** A machine with a virtio disk, real Nix, and firstlight. */
export interface StoryNode {
  readonly machine: NixMachine;
  /** Its files, seen from outside. */
  readonly io: Io;
  /** Puts a disk with the label cidata into it, in place of the one that was there. */
  insert(medium: Medium, seed: Seed): void;
  /** Puts any image into it. */
  insertImage(image: string, place?: DiskPlace): void;
  /** Makes an image beside the machine and returns its path. */
  makeImage(medium: Medium, seed: Seed): string;
  eject(place?: DiskPlace): void;
  /** Throws where a system that was applied sets an option that NixOS has not. */
  firstlight(args: readonly string[], options?: RunOptions): Promise<Run>;
}

/** A slot for a disk: its name in /dev and its place below /sys/devices. */
export interface DiskPlace {
  readonly name: string;
  readonly device: string;
  readonly removable?: boolean;
}

/** The slot of the seed, and a stick. */
export const seedDisk: DiskPlace = {
  name: "vdb",
  device: "pci0000:00/0000:03:00.0/virtio2/block/vdb",
};
export const stick: DiskPlace = {
  name: "sdz",
  device: "pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/host2/target2:0:0/2:0:0:0/block/sdz",
  removable: true,
};

export interface StoryOptions {
  /** Of the machine's image. */
  readonly settings?: object;
  /** Lines added to nix.conf. */
  readonly nixConfig?: readonly string[];
  /** Its hardware; default {@link qemuQ35}. */
  readonly hardware?: Machine;
}

/** A machine that has never booted; removed when the test ends. */
export async function storyNode(
  t: { teardown(close: () => void): unknown },
  { settings = { stateVersion: "25.11" }, nixConfig = [], hardware = qemuQ35 }: StoryOptions = {},
): Promise<StoryNode> {
  const machine = await nixMachine(t, { nixConfig });
  const { root } = machine;
  const home = path.dirname(root);
  writeMachine(root, hardware);
  writeTree(path.join(root, "etc/firstlight"), { "settings.json": JSON.stringify(settings) });
  let images = 0;
  let runs = 0;

  const node: StoryNode = {
    machine,
    io: machine.io(),
    makeImage(medium, seed) {
      images += 1;
      const image = path.join(home, `seed-${images}`);
      const tree = seedTree(seed);
      if (medium === "fat") return makeFat(image, tree);
      return makeIso(image, writeTree(`${image}.tree`, tree));
    },
    insert: (medium, seed) => node.insertImage(node.makeImage(medium, seed)),
    insertImage(image, place = seedDisk) {
      node.eject(place);
      const { name, device, removable = false } = place;
      addDisk(root, name, {
        image,
        device,
        attributes: { removable: removable ? "1\n" : "0\n", ro: "0\n" },
      });
    },
    eject({ name, device } = seedDisk) {
      for (const file of [`dev/${name}`, `sys/class/block/${name}`, `sys/devices/${device}`]) {
        rmSync(path.join(root, file), { recursive: true, force: true });
      }
    },
    async firstlight(args, { env = {}, record = false, program = "source" } = {}) {
      runs += 1;
      const records = path.join(home, `processes-${runs}.jsonl`);
      const argv: Argv = [process.execPath, programs[program], ...args, "--root", root];
      const recording = { NODE_OPTIONS: `--import=${recorder}`, RECORD_PROCESSES: records };
      const { code, signal, stdout, stderr } = await machine.run(argv, {
        timeoutMs,
        env: { ...(record ? recording : {}), ...env },
      });
      if (isApplied(code)) holdMachineToOptions(root);
      return { code, signal, stdout, stderr, processes: readRecords(records) };
    },
  };
  return node;
}

/** Whether a boot came to a system, also one that was taken back: what Nix refuses may be anything. */
function isApplied(code: number | null): boolean {
  return code === 0 || code === 2 || code === 3;
}

/** The files of a seed. */
export function seedTree(seed: Seed): Record<string, string> {
  const { instanceId, userData, metaData = "", networkConfig } = seed;
  const head = `instance-id: ${instanceId}\nlocal-hostname: edge-1.example.org\n`;
  return {
    "meta-data": head + metaData,
    "user-data": userData,
    ...(networkConfig === undefined ? {} : { "network-config": networkConfig }),
  };
}

function readRecords(file: string): readonly StartedProcess[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as StartedProcess);
}

/** Replaces a file of the image, as its owner would. */
export function writeOnMachine({ machine }: StoryNode, file: string, content: string): void {
  const host = path.join(machine.root, file);
  mkdirSync(path.dirname(host), { recursive: true });
  writeFileSync(host, content);
}
