import type { Building, Evaluation, SwitchPurpose, SwitchRequest, SystemRoot } from "./commands.ts";
import type { SystemPaths } from "./paths.ts";
import type { ReleaseLimits } from "./releases.ts";
import type { RebootPolicy } from "./trial-way.ts";

/** A process to run, as both drivers have it from here. */
export interface CommandLine {
  readonly argv: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Name of the effect; absent when it only reads. */
  readonly effect?: string;
}

/** What the lines depend on beside their subject. */
export interface CommandSettings {
  readonly paths: SystemPaths;
  /** Where the sources directory lies for the programs of this host. */
  readonly hostSources: string;
  /** Binary caches; with none nothing is fetched. */
  readonly substituters: readonly string[];
  readonly buildTimeoutMs: number;
  readonly activationTimeoutMs: number;
  /** After this time of trial the previous system comes back by itself. */
  readonly wayBackMs: number;
  /** Whether systemd manages the machine. */
  readonly systemd: boolean;
  /** What may be done where a change needs a reboot. */
  readonly reboot: RebootPolicy;
  /** How often and how long a release is held back. */
  readonly limits: ReleaseLimits;
}

const quickMs = 60_000;
/** Of what only touches the store's database, which a garbage collection may hold. */
const storeMs = 300_000;
const syncMs = 300_000;
const unitProperties = "ActiveState,Result,ExecMainStatus";

/** The exact commands; the only place where they are put together. */
export function commandLines(settings: CommandSettings) {
  const { paths, systemd } = settings;
  const caches = settings.substituters.join(" ");
  const substitution =
    caches === "" ? ["--option", "substitute", "false"] : ["--option", "substituters", caches];

  return {
    instantiate: ({ txn, sourcesDigest, nixpkgs, repair }: Evaluation): CommandLine => ({
      argv: [
        "nix-instantiate",
        "<nixpkgs/nixos>",
        "-A",
        "config.system.build.toplevel",
        "-I",
        `nixos-config=${settings.hostSources}/${sourcesDigest}/configuration.nix`,
        "--add-root",
        derivationRoot(paths, txn),
        "--show-trace",
        ...(repair ? ["--repair"] : []),
        ...substitution,
      ],
      ...(nixpkgs === null ? {} : { env: { NIX_PATH: `nixpkgs=${nixpkgs}` } }),
      timeoutMs: settings.buildTimeoutMs,
      effect: "nix-instantiate",
    }),
    build: ({ txn, derivation, repair }: Building): CommandLine => ({
      argv: [
        ...realise(derivation, systemRoot(paths, txn)),
        ...(repair ? ["--repair"] : []),
        ...substitution,
      ],
      timeoutMs: settings.buildTimeoutMs,
      effect: "nix-store --realise",
    }),
    addRoot: (root: SystemRoot): CommandLine => ({
      argv: [...realise(root.toplevel, rootOf(paths, root)), ...substitution],
      timeoutMs: storeMs,
      effect: "nix-store --add-root",
    }),
    syncStore: (): CommandLine => ({
      argv: ["sync", "-f", paths.store, paths.profiles],
      timeoutMs: syncMs,
      effect: "sync store",
    }),
    setProfile: (toplevel: string): CommandLine => ({
      argv: ["nix-env", "-p", paths.profile, "--set", toplevel],
      timeoutMs: storeMs,
      effect: "nix-env --set",
    }),
    switchGeneration: (generation: number): CommandLine => ({
      argv: ["nix-env", "-p", paths.profile, "--switch-generation", String(generation)],
      timeoutMs: storeMs,
      effect: "nix-env --switch-generation",
    }),
    switchTo: ({ txn, toplevel, action, purpose }: SwitchRequest): CommandLine => ({
      argv: systemd
        ? [
            "systemd-run",
            "--wait", // without --collect: how it ended is read from the unit
            "--quiet",
            "--no-ask-password",
            "--service-type=exec",
            `--unit=${switchUnit(purpose, txn)}`,
            `--property=RuntimeMaxSec=${seconds(settings.activationTimeoutMs + quickMs)}`,
            switchProgram(toplevel),
            action,
          ]
        : [switchProgram(toplevel), action],
      timeoutMs: settings.activationTimeoutMs,
      effect: `switch-to-configuration ${action}`,
    }),
    dryActivate: (toplevel: string): CommandLine => ({
      argv: [switchProgram(toplevel), "dry-activate"],
      timeoutMs: settings.activationTimeoutMs,
    }),
    /** None where there is no systemd that could keep a timer. */
    armWayBack: (txn: string, previous: string): CommandLine | undefined =>
      systemd
        ? {
            argv: [
              "systemd-run",
              "--collect",
              "--quiet",
              "--no-ask-password",
              `--on-active=${seconds(settings.wayBackMs)}`,
              "--timer-property=AccuracySec=1s",
              `--unit=${wayBackUnit(txn)}`,
              `--property=RuntimeMaxSec=${seconds(settings.activationTimeoutMs)}`,
              switchProgram(previous),
              "test",
            ],
            timeoutMs: quickMs,
            effect: "arm the way back",
          }
        : undefined,
    disarmWayBack: (txn: string): CommandLine | undefined =>
      systemd
        ? {
            argv: ["systemctl", "stop", `${wayBackUnit(txn)}.timer`],
            timeoutMs: quickMs,
            effect: "disarm the way back",
          }
        : undefined,
    /** A timer that restarts the machine, into the boot default. */
    armRestart: (txn: string, afterMs: number): CommandLine => ({
      argv: [
        "systemd-run",
        "--collect",
        "--quiet",
        "--no-ask-password",
        `--on-active=${seconds(afterMs)}`,
        "--timer-property=AccuracySec=1s",
        `--unit=${wayBackUnit(txn)}`,
        "systemctl",
        "reboot",
      ],
      timeoutMs: quickMs,
      effect: "arm the way back",
    }),
    wayBackState: (txn: string): CommandLine => ({
      argv: ["systemctl", "is-active", "--quiet", `${wayBackUnit(txn)}.timer`],
      timeoutMs: quickMs,
    }),
    /** Lets the time of the way back begin anew. */
    renewWayBack: (txn: string): CommandLine => ({
      argv: ["systemctl", "restart", `${wayBackUnit(txn)}.timer`],
      timeoutMs: quickMs,
      effect: "renew the way back",
    }),
    /** Of the module: restarts a machine whose firstlight never took up its trial. */
    stopDeadline: (): CommandLine => ({
      argv: ["systemctl", "stop", "firstlight-trial-deadline.timer"],
      timeoutMs: quickMs,
      effect: "take over the deadline of the trial",
    }),
    setTrialProfile: (toplevel: string): CommandLine => ({
      argv: ["nix-env", "-p", paths.trialProfile, "--set", toplevel],
      timeoutMs: storeMs,
      effect: "nix-env --set the trial",
    }),
    restart: (how: "reboot" | "kexec"): CommandLine => ({
      argv: ["systemctl", how],
      timeoutMs: quickMs,
      effect: `systemctl ${how}`,
    }),
    disarmAll: (): CommandLine | undefined =>
      systemd
        ? {
            argv: ["systemctl", "stop", `${wayBackUnit("*")}.timer`],
            timeoutMs: quickMs,
            effect: "disarm every way back",
          }
        : undefined,
    unitState: (unit: string): CommandLine => ({
      argv: ["systemctl", "show", `--property=${unitProperties}`, `${unit}.service`],
      timeoutMs: quickMs,
    }),
    /** Forgets a unit that failed, so that it is neither counted as failed nor in the way. */
    resetUnit: (unit: string): CommandLine => ({
      argv: ["systemctl", "reset-failed", `${unit}.service`],
      timeoutMs: quickMs,
      effect: `forget ${unit}`,
    }),
    stopUnit: (unit: string): CommandLine => ({
      argv: ["systemctl", "stop", `${unit}.service`],
      timeoutMs: 2 * quickMs,
      effect: `stop ${unit}`,
    }),
    unitLog: (unit: string): CommandLine => ({
      argv: [
        "journalctl",
        `_SYSTEMD_UNIT=${unit}.service`, // its own words, without systemd's about it
        "--output=cat",
        "--lines=20",
        "--no-pager",
        "--quiet",
      ],
      timeoutMs: quickMs,
    }),
  };
}

export type CommandLines = ReturnType<typeof commandLines>;

/** A line as a person would type it: its environment in front. */
export function shownArgv({ argv, env }: CommandLine): readonly string[] {
  const variables = Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`);
  return variables.length === 0 ? argv : ["env", ...variables, ...argv];
}

/** Where a transaction's system is rooted. */
export function systemRoot(paths: SystemPaths, txn: string): string {
  return `${paths.gcRoots}/${txn}`;
}

/** Where a system that is in the store already is rooted. */
export function rootOf(paths: SystemPaths, { txn, role }: SystemRoot): string {
  return role === "system" ? systemRoot(paths, txn) : `${systemRoot(paths, txn)}-previous`;
}

/** Every root that a transaction may have. */
export function allRoots(paths: SystemPaths, txn: string): readonly string[] {
  const root = systemRoot(paths, txn);
  return [root, `${root}-previous`, derivationRoot(paths, txn)];
}

/** Whether a name is that of a transaction, as `build` gives it. */
export function isTransaction(name: string): boolean {
  return /^[0-9]{8}T[0-9]{6}-[0-9a-f]{8}$/.test(name);
}

/** Whether a file below the GC roots is one of {@link allRoots} of some transaction. */
export function isRootName(name: string): boolean {
  return isTransaction(name.replace(/-(previous|drv)$/, ""));
}

/** Where a transaction's derivation is rooted. */
export function derivationRoot(paths: SystemPaths, txn: string): string {
  return `${paths.gcRoots}/${txn}-drv`;
}

/** The program of a system that activates it. */
export function switchProgram(toplevel: string): string {
  return `${toplevel}/bin/switch-to-configuration`;
}

/** Name of the transient unit of an activation, without its suffix. */
export function switchUnit(purpose: SwitchPurpose, txn: string): string {
  return `firstlight-${purpose}-${txn}`;
}

/** Name of the timer, and of the unit it starts, without suffix. */
export function wayBackUnit(txn: string): string {
  return `firstlight-way-back-${txn}`;
}

function realise(path: string, root: string): readonly [string, ...string[]] {
  return ["nix-store", "--realise", path, "--add-root", root];
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)}s`;
}
