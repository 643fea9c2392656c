import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { writeTree } from "#agent/datasources/images/make-images.ts";
import { prettyJson } from "#core/canonical-json.ts";
import type { Argv } from "../nix-machine.ts";
import { seedTree } from "../story.ts";
import { openCell } from "./cell.ts";
import { openConsole } from "./console.ts";
import { openDisks } from "./disk.ts";
import { type Answer, ask, childrenOf, hostEnvironment, type Scope } from "./host.ts";
import { image } from "./image.ts";
import type { Lab } from "./lab.ts";
import { type Machine, machinePath } from "./machine.ts";
import type { Card } from "./network.ts";

/** What a container can beside what every machine can. */
export interface Container extends Machine {
  /** Path of a file of its disk, for whoever is outside. */
  path(file: string): string;
  /** Runs one of its programs while it is off: no daemon, no network, only its disk. */
  runOffline(argv: Argv): Promise<Answer>;
}

export interface ContainerOptions {
  /** Files of the image that lie over others of it, read-only: `from` in the image, by their place. */
  readonly covers?: Readonly<Record<string, string>>;
  /** Credentials that its systemd is given from outside, by name. */
  readonly credentials?: Readonly<Record<string, string>>;
  /** The networks that it has a card in; the first alone when absent. */
  readonly cards?: readonly Card[];
  /** Whether NetworkManager sets its network up, and no systemd-networkd runs. */
  readonly hasManager?: boolean;
  /** Whether its image is of the lab's fleet: then it holds the fleet's first root. */
  readonly isOfFleet?: boolean;
  /** Words of its command line: those that a machine's kernel has of its boot loader. */
  readonly words?: readonly string[];
}

const waitMs = 180_000;
const pollMs = 20;
const seedDirectory = "/var/lib/cloud/seed/nocloud";
/** How systemd-nspawn says that the machine wants to start again. */
const rebootCode = 133;

/** A container that has never been switched on, with systemd as its first process; off with the test. */
export async function container(
  t: Scope,
  lab: Lab,
  {
    covers = {},
    credentials = {},
    cards = ["lan"],
    words = [],
    hasManager = false,
    isOfFleet = false,
  }: ContainerOptions = {},
): Promise<Container> {
  const contents = await image({ hasManager, isOfFleet });
  const { directory, network } = lab;
  const cell = await openCell(t, directory, network.machineNamespace);
  const disks = await openDisks(cell, directory, contents);
  const console = openConsole(waitMs);
  let running: ChildProcess | undefined;
  let ended: Promise<number | null> = Promise.resolve(null);
  let isRunning = false;
  /** Whether a machine that wants to start again is switched on again. */
  let comesBack = false;

  const nspawn = [
    ...["systemd-nspawn", "--register=no", "--keep-unit", "--quiet", "--console=read-only"],
    ...[`--directory=${disks.root}`, "--machine=edge", "--capability=CAP_NET_ADMIN"],
    `--network-namespace-path=${directory}/network`,
    ...Object.entries(covers).map(([place, from]) => `--bind-ro=${disks.root}${from}:${place}`),
    ...Object.entries(credentials).map(([name, value]) => `--set-credential=${name}:${value}`),
    ...["/usr/sbin/boot-loader", ...words],
  ];
  const join = 'echo 0 > "/sys/fs/cgroup/$0/cgroup.procs"; exec "$@"';

  /** Our number for the container's first process. */
  async function leader(): Promise<number> {
    for (const deadline = Date.now() + waitMs; Date.now() < deadline; await delay(pollMs)) {
      if (!isRunning) break;
      const found = childrenOf(running?.pid ?? 0)
        .flatMap(childrenOf)
        .find(isFirstProcess);
      if (found !== undefined) return found;
    }
    throw new Error(`the container does not run:\n${console.lines.slice(-15).join("\n")}`);
  }

  /** One boot after the other, until the machine ends otherwise; how it ends. */
  async function run(said: PassThrough): Promise<number | null> {
    try {
      for (;;) {
        await network.plug(cards);
        if (!comesBack) return null;
        const code = await boot(said);
        if (code !== rebootCode || !comesBack) return code;
      }
    } finally {
      isRunning = false;
      said.end();
    }
  }

  async function boot(said: PassThrough): Promise<number | null> {
    const [file, ...args] = cell.enter(["sh", "-c", join, cell.cgroup, ...nspawn]);
    const child = spawn(file, args, { env: hostEnvironment, stdio: ["ignore", "pipe", "pipe"] });
    running = child;
    child.stdout.pipe(said, { end: false });
    child.stderr.resume();
    const [code] = await once(child, "close");
    return code as number | null;
  }

  async function hasEnded(wanted: number): Promise<void> {
    const late = setTimeout(() => void kill(), waitMs);
    const code = await ended;
    clearTimeout(late);
    if (code === wanted) return;
    const last = console.lines.slice(-15).join("\n");
    throw new Error(`the container ended with ${code}, expected ${wanted}:\n${last}`);
  }

  async function kill(): Promise<void> {
    comesBack = false;
    try {
      process.kill(await leader(), "SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await ended;
  }

  const machine: Container = {
    console,
    pace: 1,
    restartsFirst: false,
    path: (file) => cell.fromOutside(`${disks.root}${file}`),
    async insert(seed) {
      const place = machine.path(seedDirectory);
      rmSync(place, { recursive: true, force: true });
      mkdirSync(place, { recursive: true });
      writeTree(place, seedTree(seed));
      await ask(["sync", "-f", place]);
    },
    async switchOn() {
      [isRunning, comesBack] = [true, true];
      const said = new PassThrough();
      console.follow(said);
      ended = run(said);
      ended.catch(() => {}); // whoever waits for it is told
      await leader();
    },
    async reboot() {
      comesBack = false; // the console is to begin anew
      await machine.run(["systemctl", "reboot"]);
      await hasEnded(rebootCode);
      await machine.switchOn();
    },
    async switchOff() {
      await machine.run(["systemctl", "poweroff"]);
      await hasEnded(0);
    },
    async cutPower() {
      await disks.loseAll();
      await kill();
      await disks.unmount();
      await disks.mount();
    },
    async run(argv) {
      const target = ["--target", String(await leader())];
      const namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--root"];
      const clean = ["env", "-i", "--chdir=/", `PATH=${machinePath}`, "HOME=/root"];
      return ask(["nsenter", ...target, ...namespaces, ...clean, ...argv]);
    },
    runOffline(argv) {
      const clean = ["env", "-i", "--chdir=/", `PATH=${machinePath}`, "HOME=/root"];
      const script =
        'mount -n --bind /dev "$0/dev"; mount -n -t proc proc "$0/proc"; exec chroot "$0" "$@"';
      const apart = ["unshare", "--mount", "sh", "-ec", script, disks.root] as const;
      return ask(cell.enter([...apart, ...clean, ...argv]));
    },
  };
  t.teardown(kill);
  if (isOfFleet) {
    const place = machine.path("/etc/fleet");
    mkdirSync(place, { recursive: true });
    writeFileSync(`${place}/root.json`, prettyJson(lab.signer.firstRoot));
  }
  return machine;
}

/** Whether a process is the first of a PID namespace, in which it has another number than outside. */
function isFirstProcess(pid: number): boolean {
  try {
    const numbers = /^NSpid:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return numbers?.split("\t").at(-1) === "1";
  } catch {
    return false;
  }
}
