import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Fault } from "#core/fault.ts";
import { hostFiles } from "#core/host-files.ts";
import { type HostIoOptions, hostIo } from "#core/host-io.ts";
import type { ExecRequest, ExecResult, Files, Io } from "#core/io.ts";
import { runProcess } from "#core/run-process.ts";
import type { Pin } from "#provisioner/render/base.ts";

/** The stand-in for nixpkgs: what `<nixpkgs>` is on a {@link NixMachine}. */
export const standIn = path.join(import.meta.dirname, "nixpkgs");
const checkout = path.dirname(import.meta.dirname);
const defaultTimeoutMs = 60_000;
const needs = "needs nix-build (Debian: apt-get install nix-bin) and mount namespaces (unshare)";

/**
 * How a machine has a Nix store of its own.
 * `namespace`: as root, a mount namespace per command in which the machine's folder is at /nix;
 * `directories`: `NIX_STORE_DIR` and friends, for any user.
 */
export type NixMode = "namespace" | "directories";

/** A program and its arguments. */
export type Argv = readonly [string, ...string[]];

export interface NixMachineOptions {
  /** Default: the first of {@link nixModes}. */
  readonly mode?: NixMode;
  /** Lines added to nix.conf, after ours. */
  readonly nixConfig?: readonly string[];
  /** Called with the empty directory that Nix will have, for example to mount a disk on it. */
  readonly mountNix?: (directory: string) => void;
}

/** How to run a program on the machine. */
export interface RunOptions {
  /** Added to the machine's environment; `undefined` removes. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly stdin?: string | Uint8Array;
  /** Default 60,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A call of switch-to-configuration, as the stand-in wrote it down. */
export interface SwitchCall {
  readonly action: string;
  readonly system: string;
  /** `null`: it has not ended, or was killed. */
  readonly code: number | null;
}

export interface GenerationLink {
  readonly number: number;
  /** Store path of the system. */
  readonly system: string;
  /** The one that the profile points to. */
  readonly current: boolean;
}

/** A machine with real Nix, its own store and the stand-in for nixpkgs; its host stays as it is. */
export interface NixMachine {
  readonly mode: NixMode;
  /** Directory that is the machine's `/`; a store path below it leads to the store. */
  readonly root: string;
  /** Of every program run on it: `NIX_PATH`, `NIX_CONFIG`, `STAND_IN_ROOT`, an own `HOME` and `TMPDIR`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `/nix/store`, or where it lies in mode `directories`. */
  readonly storeDirectory: string;
  /** Files of Nix's own directories, by the paths that Nix on this machine gives. */
  readonly storeFiles: Files;
  /** Path of the system profile, as Nix on this machine names it. */
  readonly systemProfile: string;
  /** The argv with which this host runs `argv` on the machine, for programs that are spawned. */
  command(argv: Argv): Argv;
  /** Runs a program to its end; throws only `exec/not-found`. */
  run(argv: Argv, options?: RunOptions): Promise<ExecResult>;
  /** The machine through `Io`: files below `root`, programs run as by {@link NixMachine.run}. */
  io(options?: Pick<HostIoOptions, "onEffect" | "clock">): Io;
  /** Builds the system of a configuration's text with `nix-build '<nixpkgs/nixos>' -A system`; throws when Nix does. */
  build(configuration: string): Promise<string>;
  /** Puts the stand-in into the store for good; the pin that names it there. */
  pinNixpkgs(): Promise<Pin>;
  /** Of the system profile, oldest first. */
  profileGenerations(): readonly GenerationLink[];
  /** Target of /run/current-system. */
  currentSystem(): string | undefined;
  /** The system that the stand-in's boot loader would start. */
  bootDefault(): string | undefined;
  /** Every call of switch-to-configuration, oldest first. */
  switches(): readonly SwitchCall[];
  /** Copies the whole machine, store included; no program may run on it. Give the result to {@link NixMachine.restore}. */
  snapshot(): string;
  restore(snapshot: string): void;
  /** As {@link NixMachine.restore}, and the snapshot is used up. */
  become(snapshot: string): void;
  /** Removes a snapshot before the machine is. */
  discard(snapshot: string): void;
  /** Removes it; done by `teardown` of the test that made it. */
  close(): void;
}

/** The modes that work on this host, the best first; none without Nix or without mount namespaces. */
export function nixModes(): readonly NixMode[] {
  if (spawnSync("nix-build", ["--version"]).status !== 0) return [];
  const mounts = (...options: string[]) =>
    spawnSync("unshare", ["--mount", ...options, "mount", "-n", "--bind", "/tmp", "/tmp"])
      .status === 0;
  if (process.getuid?.() === 0) return mounts() ? ["namespace", "directories"] : [];
  return mounts("--map-root-user") ? ["directories"] : [];
}

/**
 * Value for a test's `skip`: why it cannot run here, or `false`. Under `CI=true` always `false`, so
 * that {@link nixMachine} fails instead.
 */
export function skipWithoutNix(): string | false {
  if (process.env["CI"] === "true" || nixModes().length > 0) return false;
  return `SKIPPED: ${needs}`;
}

/** A fresh machine, removed when the test `t` ends. Throws when this host has no Nix. */
export async function nixMachine(
  t: { teardown(close: () => void): unknown },
  options: NixMachineOptions = {},
): Promise<NixMachine> {
  const mode = options.mode ?? nixModes()[0];
  if (mode === undefined) throw new Error(`nix-machine: ${needs}`);
  const home = realpathSync(mkdtempSync(path.join(temporaryDirectory(), "nix-machine-")));
  const machine = makeMachine(home, mode, options);
  t.teardown(() => machine.close());
  return machine;
}

/**
 * Where machines lie: in memory where that has room and may hold programs, because a store is many
 * small files. Activation puts the machine's /var and /run over the host's, so it may not lie below
 * them.
 */
function temporaryDirectory(): string {
  if (process.env["TMPDIR"] === undefined && isRoomy(memory)) return memory;
  const directory = realpathSync(tmpdir());
  return /^\/(var|run|etc|boot)(\/|$)/.test(directory) ? "/tmp" : directory;
}

const memory = "/dev/shm";
const roomyBytes = 2 * 1024 ** 3;

function isRoomy(directory: string): boolean {
  const mount = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .find(([, place]) => place === directory);
  if (mount === undefined || mount[3]?.split(",").includes("noexec") === true) return false;
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize >= roomyBytes;
}

function makeMachine(
  home: string,
  mode: NixMode,
  { nixConfig = [], mountNix }: NixMachineOptions,
): NixMachine {
  const root = path.join(home, "root");
  const nixOnHost = path.join(root, "nix");
  const nix = mode === "namespace" ? "/nix" : nixOnHost;
  const config = [
    "substituters =",
    "sandbox = false",
    "build-users-group =",
    "fsync-metadata = false", // power cuts have campaigns of their own
    "experimental-features = nix-command",
    ...nixConfig,
  ].join("\n");
  const env = machineEnvironment({ home, root, nix, mode, config });
  const onHost = (file: string) => path.join(root, file);

  for (const directory of ["home", "tmp", "conf"]) mkdirSync(path.join(home, directory));
  writeFileSync(path.join(home, "conf", "nix.conf"), `${config}\n`);
  mkdirSync(nixOnHost, { recursive: true });
  mountNix?.(nixOnHost);
  mkdirSync(path.join(nixOnHost, "var/stand-in"), { recursive: true });
  if (mode === "directories") {
    // Inside the machine too, a store path leads to the store: below the root, its name is the root.
    mkdirSync(path.dirname(onHost(root)), { recursive: true });
    symlinkSync(path.relative(path.dirname(onHost(root)), root), onHost(root));
  } else if (!existsSync("/nix")) {
    mkdirSync("/nix"); // the place to mount on: stays empty
  }
  writeFileSync(path.join(nixOnHost, "var/stand-in/root"), `${root}\n`);
  writeProgram(
    path.join(nixOnHost, "var/stand-in/firstlight"),
    `exec '${process.execPath}' '${path.join(checkout, "cli/main.ts")}' "$@"`,
  );

  const enter = ["--mount", "sh", "-ec", 'mount -n --bind "$0" /nix; exec "$@"', nixOnHost];
  const command = ([file, ...args]: Argv): Argv =>
    mode === "namespace" ? ["unshare", ...enter, file, ...args] : [file, ...args];
  const exec = async (request: ExecRequest, runner: Io["exec"]) => {
    const [file, ...args] = command([request.file, ...request.args]);
    const ended = await runner({ ...request, file, args });
    if (mode === "namespace" && ended.code === 127 && ended.stderr.includes(": not found")) {
      throw new Fault("exec/not-found", `${request.file}: no such program`);
    }
    return ended;
  };
  const run = (request: ExecRequest) => exec(request, (entered) => runProcess(entered, env));
  const output = async (request: ExecRequest) => {
    const { code, signal, stdout, stderr } = await run(request);
    if (code !== 0) throw new Error(`${request.file}: ${code ?? signal}\n${stderr}`);
    return stdout.trim();
  };
  const profiles = path.join(nixOnHost, "var/nix/profiles");
  let snapshots = 0;

  return {
    mode,
    root,
    env,
    storeDirectory: path.join(nix, "store"),
    systemProfile: path.join(nix, "var/nix/profiles/system"),
    storeFiles: hostFiles(mode === "namespace" ? root : "/", () => {}),
    command,
    run: ([file, ...args], { timeoutMs = defaultTimeoutMs, ...rest } = {}) =>
      run({ file, args, timeoutMs, ...rest }),
    io(ioOptions = {}) {
      const io = hostIo({ ...ioOptions, root, env });
      return { ...io, exec: (request) => exec(request, io.exec) };
    },
    async build(configuration) {
      const file = path.join(home, "configuration.nix");
      writeFileSync(file, configuration);
      const args = [
        "--no-out-link",
        "<nixpkgs/nixos>",
        "-A",
        "system",
        "-I",
        `nixos-config=${file}`,
      ];
      return output({ file: "nix-build", args, timeoutMs: defaultTimeoutMs });
    },
    async pinNixpkgs() {
      const storePath = await output({
        file: "nix-store",
        args: ["--add", standIn],
        timeoutMs: defaultTimeoutMs,
      });
      const root = [
        "--realise",
        storePath,
        "--add-root",
        path.join(nix, "var/nix/gcroots/nixpkgs"),
      ];
      await output({ file: "nix-store", args: root, timeoutMs: defaultTimeoutMs });
      const query = ["-q", "--hash", storePath];
      const hash = await output({ file: "nix-store", args: query, timeoutMs: defaultTimeoutMs });
      const sri = ["hash", "to-sri", hash];
      const narHash = await output({ file: "nix", args: sri, timeoutMs: defaultTimeoutMs });
      return { storePath, narHash, revision: null };
    },
    profileGenerations() {
      if (!existsSync(profiles)) return [];
      const current = linkTarget(path.join(profiles, "system"));
      return readdirSync(profiles)
        .flatMap((name) => {
          const number = /^system-(\d+)-link$/.exec(name)?.[1];
          if (number === undefined) return [];
          const system = readlinkSync(path.join(profiles, name));
          return [{ number: Number(number), system, current: name === current }];
        })
        .sort((a, b) => a.number - b.number);
    },
    currentSystem: () => linkTarget(onHost("run/current-system")),
    bootDefault: () => readLines(onHost("boot/default"))[0],
    switches: () => readSwitches(readLines(onHost("var/log/switches"))),
    snapshot() {
      snapshots += 1;
      const copy = path.join(home, `snapshot-${snapshots}`);
      copyTree(root, copy);
      return copy;
    },
    restore(copy) {
      removeTree(root);
      copyTree(copy, root);
    },
    become(copy) {
      removeTree(root);
      renameSync(copy, root);
    },
    discard: removeTree,
    close: () => removeTree(home),
  };
}

interface Place {
  readonly home: string;
  readonly root: string;
  readonly nix: string;
  readonly mode: NixMode;
  readonly config: string;
}

/** The host's environment without its own Nix, and with the machine's. */
function machineEnvironment({
  home,
  root,
  nix,
  mode,
  config,
}: Place): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("NIX_") && !name.startsWith("TAP") && name !== "XDG_CONFIG_HOME",
  );
  const directories = {
    NIX_STORE_DIR: path.join(nix, "store"),
    NIX_STATE_DIR: path.join(nix, "var/nix"),
    NIX_LOG_DIR: path.join(nix, "var/log/nix"),
  };
  return {
    ...Object.fromEntries(inherited),
    ...(mode === "directories" ? directories : {}),
    NIX_CONF_DIR: path.join(home, "conf"),
    NIX_CONFIG: config,
    NIX_PATH: `nixpkgs=${standIn}`,
    PATH: `${path.join(standIn, "tools")}:${process.env["PATH"] ?? ""}`,
    STAND_IN_ROOT: root,
    HOME: path.join(home, "home"),
    TMPDIR: path.join(home, "tmp"),
  };
}

/** Pairs each start with its end; a killed call has none, so the end belongs to the newest start like it. */
function readSwitches(lines: readonly string[]): readonly SwitchCall[] {
  const calls: { action: string; system: string; code: number | null }[] = [];
  for (const line of lines) {
    const [action = "", system = "", state = ""] = line.split(" ");
    if (state === "started") {
      calls.push({ action, system, code: null });
      continue;
    }
    const open = calls.findLast(
      (call) => call.action === action && call.system === system && call.code === null,
    );
    if (open !== undefined) open.code = Number(state);
  }
  return calls;
}

function readLines(file: string): readonly string[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
}

function linkTarget(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined; // no link there
  }
}

function writeProgram(file: string, text: string): void {
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
}

function copyTree(from: string, to: string): void {
  runOnHost("cp", ["-a", "--reflink=auto", "--", from, to]);
}

/** Directories of a store are read-only, which stops any user but root from removing them. */
function removeTree(directory: string): void {
  if (process.getuid?.() !== 0) runOnHost("chmod", ["-R", "u+w", "--", directory]);
  rmSync(directory, { recursive: true, force: true });
}

function runOnHost(file: string, args: readonly string[]): void {
  const ended = spawnSync(file, args, { encoding: "utf8" });
  if (ended.status !== 0) throw new Error(`nix-machine: ${file}: ${ended.stderr}`);
}
