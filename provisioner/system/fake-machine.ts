import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { sha256 } from "#core/canonical-json.ts";
import { type FakeIo, type FakeProgram, fakeIo } from "#core/fake-io.ts";
import { Fault, isFault } from "#core/fault.ts";
import type { ExecRequest, ExecResult, FileSpace, Files } from "#core/io.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import type { BuildPolicy } from "./build-policy.ts";
import { type Driver, type DriverOptions, openDriver } from "./driver.ts";
import { dryDerivation, dryToplevel } from "./dry-commands.ts";
import {
  efiText,
  efiVariable,
  type FakeLoader,
  fakeFirmware,
  installMenu,
} from "./fake-firmware.ts";
import { swapPrograms } from "./fake-swap.ts";
import { mountinfo } from "./loaders/fake-mounts.ts";
import type { Processes } from "./lock.ts";
import type { RebootPolicy } from "./trial-way.ts";

/**
 * A machine for tests: Nix, systemd and switch-to-configuration as functions on a directory, with
 * what makes them dangerous: a boot default of its own, timers that fire, and a store whose new
 * paths are lost in a power cut unless they were synced.
 */
export interface FakeMachine {
  readonly root: string;
  /** The system of the image: generation 1, made by nobody we know. */
  readonly image: string;
  /** A new process of firstlight on this machine; it dies before the effect with number `dieAt`. */
  start(options?: StartOptions): FakeProcess;
  running(): string | undefined;
  bootDefault(): string | undefined;
  profile(): string | undefined;
  /** Units that have failed and that nobody has reset. */
  readonly failedUnits: ReadonlyMap<string, unknown>;
  /** Timers that are armed, by unit. */
  readonly timers: ReadonlyMap<string, string>;
  fireTimers(): void;
  /** Power off and on: what was not synced is gone; the boot default runs, or what was chosen for one boot. */
  cutPower(): void;
  /** Makes a system the boot default, as `nixos-rebuild boot` by hand does. */
  choose(toplevel: string): void;
  /** Lets the next boot be of this system, whatever anybody chose: a loader that is out of its mind. */
  bootNext(toplevel: string): void;
  /** Restarts in good order, if that was asked for; whether it was. */
  restartIfAsked(): boolean;
  /** Units that run at the moment, by name: they end once somebody has looked, with the result that stands here. */
  readonly runningUnits: Map<string, Partial<ExecResult>>;
  /** Makes the machine a bare one: nothing runs, nothing is the default. */
  wipe(): void;
  /** How programs misbehave. */
  readonly faults: MachineFaults;
  /** Text of a file of the machine. */
  read(file: string): string | undefined;
  write(file: string, text: string): void;
  /** Makes a link on the machine. */
  link(target: string, file: string): void;
}

export interface StartOptions {
  readonly dieAt?: number;
  /** Default `nix`. */
  readonly driver?: "nix" | "dry";
  /** Whether the processes from before go on living. */
  readonly beside?: boolean;
  readonly reboot?: RebootPolicy;
  readonly policy?: BuildPolicy;
  readonly substituters?: readonly string[];
  readonly fetch?: NonNullable<DriverOptions["fetch"]>;
}

export interface FakeProcess {
  readonly io: FakeIo;
  readonly system: Driver;
  /** Whether it has died. */
  dead(): boolean;
}

/** `undefined`: as it would without a fault. */
export type FakeAnswer = (
  request: ExecRequest,
) => Partial<ExecResult> | Promise<Partial<ExecResult>> | undefined;

export interface MachineFaults {
  /** What a program answers instead, by its name or by `switch ACTION`. */
  readonly answers: Map<string, FakeAnswer>;
  /** Whether the disk takes no more of the journal, by the line that is to be appended. */
  full: (line: string) => boolean;
  /** Room on the disk of a place, where it is not that of the test's own. */
  space: (place: string) => Partial<FileSpace>;
}

/** Sources whose system is named by `content`. */
export function fakeSources(content: string, nixpkgs: string | null = null): Sources {
  const files = [
    {
      path: "configuration.nix",
      content: "{ imports = [ ./firstlight/instance.nix ]; }\n",
      mode: 0o644,
    },
    {
      path: "firstlight/instance.nix",
      content: `{ networking.hostName = "${content}"; }\n`,
      mode: 0o644,
    },
  ];
  return { digest: sha256(content), files, credentials: [], nixpkgs };
}

/** A system whose content names a kernel has that one, and needs a reboot for it. */
function kernelOf(content: string): string {
  const kernel = /kernel-\w+/.exec(content)?.[0];
  return kernel === undefined ? "quiet" : `quiet ${kernel}`;
}

/** The store path that the machine builds from sources. */
export function systemOf(sources: Sources): string {
  return dryToplevel(dryDerivation("/nix/store", sources.digest, sources.nixpkgs));
}

const shellPath = `/nix/store/${"1".repeat(32)}`;
/** What a machine for tests is made of. */
export interface FakeMachineOptions {
  /** Default: it has it. */
  readonly systemd?: boolean;
  /** Default: one of its own, which knows nothing but a default. */
  readonly loader?: FakeLoader;
  /** Whether a Nix daemon listens. */
  readonly daemon?: boolean;
  /** Whether its kernel boots another one. */
  readonly kexec?: boolean;
}

/** A machine in an empty directory, booted with the system of its image. */
export function fakeMachine(root: string, options: FakeMachineOptions = {}): FakeMachine {
  const { systemd = true, daemon = false, loader, kexec = false } = options;
  const image = "/nix/store/00000000000000000000000000000000-nixos-system-image";
  const profiles = "/nix/var/nix/profiles";
  const timers = new Map<string, string>();
  const unsynced = new Set<string>();
  const failedUnits = new Map<string, Partial<ExecResult>>();
  const answers: MachineFaults["answers"] = new Map();
  const faults: MachineFaults = { answers, full: () => false, space: () => ({}) };
  const firmware = loader === undefined ? undefined : fakeFirmware(root, loader);
  const runningUnits = new Map<string, Partial<ExecResult>>();
  let boots = 0;
  let starts = 0;
  const alive = new Set<number>();
  let asked: "reboot" | "kexec" | undefined;
  let loaded: string | undefined; // by kexec
  let forced: string | undefined;

  const at = (file: string) => path.join(root, file);
  const timerFile = (unit: string) => `/run/systemd/transient/${unit}.timer`;
  const dropTimer = (unit: string) => {
    rmSync(at(timerFile(unit)), { force: true });
    return timers.delete(unit);
  };
  const linkTo = (target: string, file: string) => {
    mkdirSync(path.dirname(at(file)), { recursive: true });
    rmSync(at(file), { force: true });
    symlinkSync(target, at(file));
  };
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(at(file)), { recursive: true });
    writeFileSync(at(file), text);
  };
  const target = (file: string) => {
    try {
      return readlinkSync(at(file));
    } catch {
      return undefined;
    }
  };
  const read = (file: string) =>
    existsSync(at(file)) ? readFileSync(at(file), "utf8") : undefined;
  const running = () => target("/run/current-system");
  const profile = () => {
    const link = target(`${profiles}/system`);
    return link === undefined ? undefined : target(`${profiles}/${link}`);
  };
  /** Adds a path to the store as Nix does: one that it has already is not looked at, but for a repair. */
  const addPath = (file: string, text: string, repair = false) => {
    if (read(file) === text || (existsSync(at(file)) && !repair)) return;
    write(file, text);
    unsynced.add(file);
  };
  const addSystem = (toplevel: string, content: string, repair = false) => {
    addPath(`${toplevel}/bin/switch-to-configuration`, toplevel, repair);
    addPath(`${toplevel}/kernel-params`, kernelOf(content), repair);
    if (content.includes("initrd-secrets"))
      addPath(`${toplevel}/etc/firstlight/initrd-secrets`, "#!/bin/bash\n", repair);
    if (content.includes("no-first-boot")) return; // of a firstlight before it saw to that
    addPath(`${toplevel}/etc/systemd/system/firstlight-first-boot.service`, "[Unit]\n", repair);
  };
  const contentOf = (derivation: string) =>
    read(`/var/lib/firstlight/sources/${read(derivation)}/firstlight/instance.nix`) ?? "";
  const bootDefault = () => firmware?.bootDefault() ?? read("/boot/default");
  const boot = (by: "firmware" | "kexec" = "firmware") => {
    boots += 1;
    rmSync(at("/run"), { recursive: true, force: true });
    mkdirSync(at(systemd ? "/run/systemd/system" : "/run"), { recursive: true });
    write("/proc/sys/kernel/random/boot_id", `boot-${boots}\n`);
    write("/proc/self/mountinfo", mountinfo("/dev/vda2 / ext4", "/dev/vda1 /boot vfat"));
    if (kexec) write("/proc/sys/kernel/kexec_load_disabled", "0\n");
    write("/sys/kernel/kexec_loaded", "0\n");
    const chosen = by === "kexec" ? loaded : firmware?.powerOn();
    loaded = undefined;
    asked = undefined;
    timers.clear();
    failedUnits.clear();
    runningUnits.clear();
    const system = forced ?? chosen ?? bootDefault();
    forced = undefined;
    if (system === undefined) return;
    linkTo(system, "/run/current-system");
    linkTo(system, "/run/booted-system");
  };
  /** Generations of a profile by its path, oldest first. */
  const generationsOf = (file: string) => {
    const { dir, base } = path.posix.parse(file);
    return (existsSync(at(dir)) ? readdirSync(at(dir)) : [])
      .flatMap((name) => {
        const generation = new RegExp(`^${base}-(\\d+)-link$`).exec(name)?.[1];
        const toplevel = target(`${dir}/${name}`);
        return generation === undefined || toplevel === undefined
          ? []
          : [{ generation: Number(generation), toplevel }];
      })
      .sort((one, other) => one.generation - other.generation);
  };
  const setProfile = (toplevel: string, file = `${profiles}/system`) => {
    const { dir, base } = path.posix.parse(file);
    const now = target(file);
    if (now !== undefined && target(`${dir}/${now}`) === toplevel) return;
    const name = `${base}-${(generationsOf(file).at(-1)?.generation ?? 0) + 1}-link`;
    linkTo(toplevel, `${dir}/${name}`);
    linkTo(name, file);
  };
  /** What the installer of a system does: it writes the menu, with itself as the default. */
  const install = (toplevel: string) => {
    write("/boot/default", toplevel);
    if (loader === undefined) return;
    const beside = existsSync(at(`${profiles}/system-profiles`))
      ? readdirSync(at(`${profiles}/system-profiles`)).filter((name) => /^\w+$/.test(name))
      : [];
    const entries = [undefined, ...beside].flatMap((name) => {
      const file =
        name === undefined ? `${profiles}/system` : `${profiles}/system-profiles/${name}`;
      return generationsOf(file).map((made) => ({ ...made, profile: name }));
    });
    installMenu(root, loader, { entries, bootDefault: toplevel });
  };
  const option = (args: readonly string[], name: string) => args[args.indexOf(name) + 1] ?? "";

  const activate = (toplevel: string, action: string): Partial<ExecResult> => {
    if (read(`${toplevel}/bin/switch-to-configuration`) !== toplevel)
      return { code: 127, stderr: "empty file" };
    if (action === "test") linkTo(toplevel, "/run/current-system");
    if (action === "boot") install(toplevel);
    return { code: 0 };
  };
  const switchTo = async (request: ExecRequest, toplevel: string, action: string) =>
    answers.get(`switch ${action}`)?.({ ...request, file: toplevel }) ?? activate(toplevel, action);

  /** Every system needs itself and a shell; every path is of one size. */
  const queryStore = ([what, ...paths]: readonly string[]): Partial<ExecResult> => {
    const answer =
      what === "--size" ? paths.map(() => "1000") : [...paths, `${shellPath}-bash-5.2p15`];
    return { stdout: `${answer.join("\n")}\n` };
  };

  /** The program of a unit whose output is ours: a scope's has our environment, a service's its own. */
  const runInUnit = async ({
    env: ours,
    ...request
  }: ExecRequest): Promise<Partial<ExecResult>> => {
    const start = request.args.findIndex((arg) => !arg.startsWith("--"));
    const [file = "", ...args] = request.args.slice(start);
    const env = request.args.flatMap((arg) => {
      const [, name = "", value = ""] = /^--setenv=([^=]+)=(.*)$/.exec(arg) ?? [];
      return name === "" ? [] : [[name, value] as const];
    });
    const program = answering[path.posix.basename(file)] ?? (() => ({ code: 1 }));
    const inherited = request.args.includes("--scope") ? ours : undefined;
    try {
      return await program({ ...request, file, args, env: inherited ?? Object.fromEntries(env) });
    } catch (error) {
      if (!isFault(error, "exec/not-found")) throw error;
      return { code: 1, stderr: `Failed to find executable ${file}: No such file\n` };
    }
  };

  const programs: Record<string, FakeProgram> = {
    ...swapPrograms(root),
    "nix-instantiate": ({ args, env }) => {
      const digest = option(args, "-I").split("/").at(-2) ?? "";
      const nixpkgs = env?.["NIX_PATH"]?.replace("nixpkgs=", "") ?? null;
      const derivation = dryDerivation("/nix/store", digest, nixpkgs);
      addPath(derivation, digest, args.includes("--repair"));
      if (!args.includes("--add-root")) return { stdout: `${derivation}\n` };
      linkTo(derivation, option(args, "--add-root"));
      return { stdout: `${option(args, "--add-root")}\n` };
    },
    "nix-store": ({ args }) => {
      if (args.includes("--check-validity")) {
        return { code: existsSync(at(option(args, "--check-validity"))) ? 0 : 1 };
      }
      if (args.includes("--dry-run")) return { stderr: "these derivations will be built:\n" };
      if (args[0] === "--query") return queryStore(args.slice(1));
      if (args[0] === "--gc") return {};
      const subject = option(args, "--realise");
      const toplevel = subject.endsWith(".drv") ? dryToplevel(subject) : subject;
      if (subject.endsWith(".drv") && read(subject) === "")
        return { code: 1, stderr: "error: error parsing derivation" };
      if (subject.endsWith(".drv")) {
        addSystem(toplevel, contentOf(subject), args.includes("--repair"));
      }
      if (!existsSync(at(toplevel)))
        return { code: 1, stderr: `error: path '${toplevel}' is not valid` };
      linkTo(toplevel, option(args, "--add-root"));
      return { stdout: `${option(args, "--add-root")}\n` };
    },
    "nix-env": ({ args }) => {
      const deleting = args.indexOf("--delete-generations");
      if (deleting !== -1) {
        for (const number of args.slice(deleting + 1))
          rmSync(at(`${profiles}/system-${number}-link`), { force: true });
      } else if (args.includes("--set")) setProfile(option(args, "--set"), option(args, "-p"));
      else linkTo(`system-${option(args, "--switch-generation")}-link`, `${profiles}/system`);
      return {};
    },
    sync: () => {
      unsynced.clear();
      return {};
    },
    "switch-to-configuration": (request) =>
      switchTo(request, request.file.replace(/\/bin\/.*$/, ""), request.args[0] ?? ""),
    "systemd-run": async (request) => {
      if (request.args.includes("--scope") || request.args.includes("--pipe")) {
        return runInUnit(request);
      }
      const program = request.args.findIndex((arg) => !arg.startsWith("--"));
      const [file = "", action = ""] = request.args.slice(program);
      const toplevel = file.replace(/\/bin\/.*$/, "");
      const unit = request.args.find((arg) => arg.startsWith("--unit="))?.slice(7) ?? "";
      if (request.args.some((arg) => arg.startsWith("--on-active="))) {
        if (timers.has(unit)) return { code: 1, stderr: `Unit ${unit}.timer was already loaded.` };
        const starts = `start ${request.args.at(-1)}`;
        const asks = action === "start" ? starts : "restart";
        timers.set(unit, file === "systemctl" ? asks : toplevel);
        write(timerFile(unit), "[Timer]\n");
        return {};
      }
      if (failedUnits.has(unit) || runningUnits.has(unit))
        return { code: 1, stderr: "Unit was already loaded" };
      if (unit.startsWith("firstlight-hook-")) {
        const end = (await answers.get("hook")?.({ ...request, file: unit })) ?? {};
        if ((end.code ?? 0) !== 0) failedUnits.set(unit, end);
        return end;
      }
      const ended = await switchTo(request, toplevel, action);
      if (ended.code === 0) return ended;
      if (ended.timedOut === true) return { code: null, timedOut: true };
      failedUnits.set(unit, ended);
      return { code: 1 }; // as systemd 252 does for a unit that fails at once
    },
    systemctl: ({ args: [verb, ...rest] }) => {
      const unit = (rest.at(-1) ?? "").replace(/\.(timer|service)$/, "");
      const failed = failedUnits.get(unit);
      if (verb === "reboot" || verb === "kexec") {
        asked = verb;
        return {};
      }
      if (verb === "is-active") return { code: timers.has(unit) ? 0 : 3 };
      if (verb === "restart") return { code: timers.has(unit) ? 0 : 5 };
      if (verb === "show" && runningUnits.has(unit)) {
        const end = runningUnits.get(unit) ?? {};
        runningUnits.delete(unit); // seen once, it ends
        if (end.code !== 0) failedUnits.set(unit, end);
        return { stdout: "ActiveState=active\nResult=success\nExecMainStatus=0\n" };
      }
      if (verb === "show" && failed !== undefined) {
        return { stdout: `ActiveState=failed\nResult=exit-code\nExecMainStatus=${failed.code}\n` };
      }
      if (verb === "show") {
        return { stdout: "ActiveState=inactive\nResult=success\nExecMainStatus=0\n" };
      }
      if (verb === "reset-failed") return { code: failedUnits.delete(unit) ? 0 : 1 };
      const stop = (name: string): boolean => {
        if (!name.endsWith("*")) return dropTimer(name);
        const matching = [...timers.keys()].filter((timer) => timer.startsWith(name.slice(0, -1)));
        for (const timer of matching) dropTimer(timer);
        return true;
      };
      const stopped = rest.map((name) => stop(name.replace(/\.(timer|service)$/, "")));
      return { code: stopped.every((isStopped) => isStopped) ? 0 : 5 };
    },
    bootctl: ({ args: [, id = ""] }) => {
      const variable = efiVariable("LoaderEntryOneShot");
      if (id === "") rmSync(at(variable), { force: true });
      else {
        write(variable, "");
        writeFileSync(at(variable), efiText(id));
      }
      return {};
    },
    kexec: ({ args }) => {
      if (!kexec) return { code: 127 };
      if (args.includes("--load")) {
        loaded = /init=(\S+)\/init/.exec(args.at(-1) ?? "")?.[1];
        write("/sys/kernel/kexec_loaded", "1\n");
      }
      if (args.includes("--unload")) {
        loaded = undefined;
        write("/sys/kernel/kexec_loaded", "0\n");
      }
      return {};
    },
    journalctl: ({ args }) => ({ stdout: `log of ${args[0]}\n` }),
  };
  const answering: Record<string, FakeProgram> = Object.fromEntries(
    Object.entries(programs).map(([name, program]) => [
      name,
      (request: ExecRequest) => answers.get(name)?.(request) ?? program(request),
    ]),
  );

  mkdirSync(at(profiles), { recursive: true });
  addSystem(image, "");
  if (daemon) write("/nix/var/nix/daemon-socket/socket", "");
  unsynced.clear();
  setProfile(image);
  install(image);
  boot();

  return {
    root,
    image,
    timers,
    failedUnits,
    faults,
    running,
    profile,
    read,
    write,
    link: linkTo,
    bootDefault,
    runningUnits,
    choose(toplevel) {
      setProfile(toplevel);
      install(toplevel);
    },
    bootNext(toplevel) {
      forced = toplevel;
    },
    restartIfAsked() {
      if (asked === undefined) return false;
      unsynced.clear();
      boot(asked === "kexec" ? "kexec" : "firmware");
      return true;
    },
    start({ dieAt = Number.POSITIVE_INFINITY, driver = "nix", beside = false, ...more } = {}) {
      starts += 1;
      if (!beside) alive.clear();
      alive.add(starts);
      const pid = starts;
      let dead = false;
      const processes: Processes = {
        self: () => ({ pid, started: "1" }),
        isAlive: (process) => alive.has(process.pid),
      };
      const fake = fakeIo(root, answering, {
        onEffect: (number) => {
          if (number < dieAt) return;
          dead = true;
          throw new Error(`died at effect ${number}`);
        },
      });
      // Each process has its own part of the fake chance, so that no two transactions share a name.
      const uuid = () =>
        fake.random.uuid().replace(/.{4}(?=.{4}$)/, () => `${pid}`.padStart(4, "0"));
      const append: Files["append"] = (file, data) => {
        if (faults.full(String(data))) throw new Fault("io/write-failed", `${file}: ENOSPC`);
        fake.files.append(file, data);
      };
      const space: Files["space"] = (place) => {
        const real = fake.files.space(place);
        return real && { ...real, ...faults.space(place) };
      };
      const files = { ...fake.files, append, space };
      const io = { ...fake, files, random: { ...fake.random, uuid } };
      const shred = (keep: ReadonlySet<string>) => {
        const directory = "/var/lib/firstlight/credentials";
        const going = io.files.list(directory).filter((name) => !keep.has(name));
        for (const name of going) io.files.remove(`${directory}/${name}`, { overwrite: true });
        return going;
      };
      const system = openDriver(io, { driver, storeFiles: io.files, processes, shred, ...more });
      return { io, system, dead: () => dead };
    },
    fireTimers() {
      const due = [...timers.values()];
      for (const unit of [...timers.keys()]) dropTimer(unit);
      for (const what of due) {
        if (what === "restart") boot();
        else if (!what.startsWith("start ")) activate(what, "test");
      }
    },
    cutPower() {
      for (const file of unsynced) write(file, "");
      unsynced.clear();
      boot();
    },
    wipe() {
      for (const file of [profiles, "/boot", "/run"])
        rmSync(at(file), { recursive: true, force: true });
      mkdirSync(at(profiles), { recursive: true });
      boot();
    },
  };
}
