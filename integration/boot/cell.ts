import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Argv } from "../nix-machine.ts";
import { ask, childrenOf, hostEnvironment, onHost, type Scope } from "./host.ts";

/**
 * Where a machine's mounts and processes are: namespaces of their own, so that nobody else keeps a
 * file system busy, and the end of their first process is the end of everything in them.
 */
export interface Cell {
  /** The argv that runs `argv` in it; the process takes no signal from outside. */
  enter(argv: Argv): Argv;
  /** A path in it, for whoever is outside. */
  fromOutside(file: string): string;
  /** Its control group, below /sys/fs/cgroup. */
  readonly cgroup: string;
}

/** A container wants to see pure version 2, and a /run that is no disk; its network comes along. */
const prepare = `
  touch "$0/network"
  mount -n --bind "$1" "$0/network"
  mount -n -t tmpfs tmpfs /run
  umount -n -R /sys/fs/cgroup || :
  mount -n -t cgroup2 none /sys/fs/cgroup
  mkdir "/sys/fs/cgroup/$2"
  echo ready
  exec cat`;

/** A control group cannot go before what is below it. */
const removeCgroup = `
  umount -n -R /sys/fs/cgroup || :
  mount -n -t cgroup2 none /sys/fs/cgroup
  find "/sys/fs/cgroup/$0" -depth -type d -exec rmdir {} +`;

const namespaces = ["--mount", "--propagation", "private"] as const;
let cells = 0;

/** Opens a cell that keeps its things in `directory`; it ends with the test, or with this process. */
export async function openCell(t: Scope, directory: string, network: string): Promise<Cell> {
  cells += 1;
  const cgroup = `firstlight-${process.pid}-${cells}`;
  const pids = ["--pid", "--fork", "--kill-child", "--mount-proc"];
  const script = ["sh", "-ec", prepare, directory, network, cgroup];
  const child = spawn("unshare", [...namespaces, ...pids, ...script], {
    env: hostEnvironment,
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.teardown(() => close(child, cgroup));
  await isReady(child);
  const [first] = childrenOf(child.pid ?? 0);
  if (first === undefined) throw new Error("cell: its first process is not there");
  return {
    cgroup,
    enter: (argv) => ["nsenter", "--target", String(first), "--mount", "--pid", ...argv],
    fromOutside: (file) => `/proc/${first}/root${file}`,
  };
}

function isReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: child.stdout ?? process.stdin });
    lines.once("line", () => resolve());
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`cell: unshare ended with ${code}`)));
  });
}

/** The first process ends with its input, and takes all others along. */
async function close(child: ChildProcess, cgroup: string): Promise<void> {
  const ended = child.exitCode === null ? once(child, "exit") : undefined;
  child.stdin?.end();
  await ended;
  const { stderr } = await ask(["unshare", ...namespaces, "sh", "-c", removeCgroup, cgroup]);
  if (stderr.includes("busy")) throw new Error(`cell: ${cgroup} is still in use: ${stderr}`);
}

/** Runs a program in a cell and gives back what it printed. Throws unless it ends with 0. */
export function inCell(cell: Cell, argv: Argv): Promise<string> {
  return onHost(cell.enter(argv));
}
