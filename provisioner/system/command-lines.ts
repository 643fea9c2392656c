import type { Code } from "#core/codes.ts";
import { type BuildLimits, limitProperties } from "./build-limits.ts";
import type {
  Building,
  Evaluation,
  HookRequest,
  InitrdProgram,
  SwitchPurpose,
  SwitchRequest,
  SystemRoot,
} from "./commands.ts";
import { type EvaluatedBy, evaluateApart, evaluationUnit } from "./evaluate-apart.ts";
import { hookLine } from "./hook-line.ts";
import type { SystemPaths } from "./paths.ts";
import type { ReleaseLimits } from "./releases.ts";
import { inTransientUnit } from "./transient-unit.ts";
import type { RebootPolicy } from "./trial-way.ts";

/** A process to run, as both drivers have it from here. */
export interface CommandLine {
  readonly argv: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Name of the effect; absent when it only reads. */
  readonly effect?: string;
  /** What it means that the program is missing, where that is not as usual. */
  readonly missing?: Code;
  /** The transient scope, or service, that it runs in, with its suffix. */
  readonly scope?: string;
}

/** What the lines depend on beside their subject. */
export interface CommandSettings {
  readonly paths: SystemPaths;
  /** Where the sources directory lies for the programs of this host. */
  readonly hostSources: string;
  /** Where the credentials lie for them. */
  readonly hostCredentials: string;
  /** Binary caches; with none nothing is fetched. */
  readonly substituters: readonly string[];
  readonly buildTimeoutMs: number;
  readonly buildLimits: BuildLimits;
  readonly activationTimeoutMs: number;
  /** After this time of trial the previous system comes back by itself. */
  readonly wayBackMs: number;
  /** Whether systemd manages the machine. */
  readonly systemd: boolean;
  /** Whether evaluations can have an unprivileged unit of their own. */
  readonly apart: boolean;
  /** Where Nix looks for `<nixpkgs>` when the sources pin none. */
  readonly nixPath: string | undefined;
  /** What may be done where a change needs a reboot. */
  readonly reboot: RebootPolicy;
  /** How often and how long a release is held back. */
  readonly limits: ReleaseLimits;
}

const quickMs = 60_000;
/** Of what only touches the store's database, which a garbage collection may hold. */
const storeMs = 300_000;
const syncMs = 300_000;
/** Of a whole collection: a slow disk with a large store. */
const garbageMs = 2 * 3_600_000;
/** systemd stops an activation that does not end, so that its unit says it; this is how long that may take. */
export const stopGraceMs = 180_000;
/** Label of all swap that is made here. */
export const swapName = "firstlight";
const unitProperties = "ActiveState,Result,ExecMainStatus";
/**
 * Passes over a system's checks before a switch, which are asked of what is tried and of nothing else. On the
 * way back what ran before is let in whatever it finds of the system that is left; and who writes the boot menu
 * switches to nothing: its writer is often another system than the one on trial.
 */
const unchecked = { NIXOS_NO_CHECK: "1" } as const;
const setsUnchecked = Object.entries(unchecked).map(([name, value]) => `--setenv=${name}=${value}`);

/** Of the module: ends a boot of a trial that nobody takes up. */
const deadlineTimer = "firstlight-trial-deadline.timer";

/** The exact commands; the only place where they are put together. */
export function commandLines(settings: CommandSettings) {
  const { paths, systemd } = settings;
  const caches = settings.substituters.join(" ");
  const substitution =
    caches === "" ? ["--option", "substitute", "false"] : ["--option", "substituters", caches];

  return {
    instantiate: (evaluation: Evaluation, by: EvaluatedBy): CommandLine => {
      const { txn, repair } = evaluation;
      const root = by === "root" ? ["--add-root", derivationRoot(paths, txn)] : [];
      const line = evaluationLine(settings, evaluation, [
        ...["-A", "config.system.build.toplevel", "--show-trace"],
        ...root,
        ...(repair ? ["--repair"] : []),
        ...substitution,
      ]);
      const writing = { ...line, effect: "nix-instantiate" };
      return by === "apart"
        ? evaluateApart(settings, evaluationUnit(txn), writing)
        : inScope(settings, evaluationScope(txn), writing);
    },
    /** Prints the path of the system as JSON, and writes nothing. */
    evaluate: (evaluation: Evaluated, by: EvaluatedBy): CommandLine => {
      const line = evaluationLine(settings, evaluation, [
        ...["--eval", "--strict", "--json", "--readonly-mode"],
        ...["-A", "config.system.build.toplevel.outPath"],
        ...substitution,
      ]);
      const unit = evaluationUnit(evaluation.sourcesDigest.slice(0, 16));
      return by === "apart" ? evaluateApart(settings, unit, line) : line;
    },
    /** Whether the store holds a path, whole. */
    checkValid: (path: string): CommandLine => ({
      argv: ["nix-store", "--check-validity", path],
      timeoutMs: storeMs,
    }),
    /** What a build would have to build and to fetch. */
    dryRun: (derivation: string): CommandLine => ({
      argv: ["nix-store", "--realise", derivation, "--dry-run", ...substitution],
      timeoutMs: storeMs,
    }),
    build: ({ txn, derivation, repair }: Building): CommandLine =>
      inScope(settings, buildScope(txn), {
        argv: [
          ...realise(derivation, systemRoot(paths, txn)),
          ...jsonLog,
          ...(repair ? ["--repair"] : []),
          ...substitution,
        ],
        timeoutMs: settings.buildTimeoutMs,
        effect: "nix-store --realise",
      }),
    allocate: (file: string, bytes: number) =>
      outside(systemd, ["fallocate", "--length", String(bytes), file], "make the swap file"),
    makeSwap: (place: string) =>
      outside(systemd, ["mkswap", "--label", swapName, place], "make a swap area"),
    swapOn: (place: string) =>
      // Before any other swap: it is the fastest, or the only one.
      outside(systemd, ["swapon", "--priority", "100", place], "swap on"),
    swapOff: (place: string) => outside(systemd, ["swapoff", place], "swap off"),
    loadZram: () => outside(systemd, ["modprobe", "zram"], "load zram"),
    setUpZram: (device: string, bytes: number) =>
      outside(systemd, ["zramctl", "--size", String(bytes), device], "set up zram"),
    resetZram: (device: string) => outside(systemd, ["zramctl", "--reset", device], "reset zram"),
    /** What is on a device, as `NAME=value` lines; exit code 2 when nothing that is known. */
    contentOf: (device: string) =>
      outside(systemd, ["blkid", "--probe", "--output", "export", device]),
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
    /** Kernels and menus of a boot loader, which no installer but systemd-boot's writes to the disk. */
    syncBoot: (places: readonly string[]): CommandLine => ({
      argv: ["sync", "-f", ...places],
      timeoutMs: syncMs,
      effect: "sync boot",
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
    deleteGenerations: (generations: readonly number[]): CommandLine => ({
      argv: [
        "nix-env",
        "-p",
        paths.profile,
        "--delete-generations",
        ...generations.map((generation) => String(generation)),
      ],
      timeoutMs: storeMs,
      effect: "nix-env --delete-generations",
    }),
    collectGarbage: (maxBytes: number | null): CommandLine => ({
      argv: [
        "nix-store",
        "--gc",
        ...(maxBytes === null ? [] : ["--max-freed", String(Math.ceil(maxBytes))]),
      ],
      timeoutMs: garbageMs,
      effect: "nix-store --gc",
    }),
    switchTo: ({
      txn,
      toplevel,
      action,
      purpose,
      initrdSecrets = [],
    }: SwitchRequest): CommandLine => ({
      argv: systemd
        ? [
            "systemd-run",
            "--wait", // without --collect: how it ended is read from the unit
            "--quiet",
            "--no-ask-password",
            "--service-type=exec",
            `--unit=${switchUnit(purpose, txn)}`,
            `--property=RuntimeMaxSec=${seconds(settings.activationTimeoutMs)}`,
            ...aroundMenu(initrdSecrets),
            ...(purpose === "switch" ? [] : setsUnchecked),
            switchProgram(toplevel),
            action,
          ]
        : [switchProgram(toplevel), action],
      ...(purpose === "switch" || systemd ? {} : { env: unchecked }),
      timeoutMs: settings.activationTimeoutMs + (systemd ? stopGraceMs : 0),
      effect: `switch-to-configuration ${action}`,
    }),
    check: (toplevel: string): CommandLine => ({
      argv: [switchProgram(toplevel), "check"],
      timeoutMs: settings.activationTimeoutMs,
    }),
    /** The checks have been asked for themselves. */
    dryActivate: (toplevel: string): CommandLine => ({
      argv: [switchProgram(toplevel), "dry-activate"],
      env: unchecked,
      timeoutMs: settings.activationTimeoutMs,
    }),
    requisites: (system: string): CommandLine => ({
      argv: ["nix-store", "--query", "--requisites", system],
      timeoutMs: storeMs,
    }),
    runHook: (request: HookRequest): CommandLine => hookLine(settings, request),
    /** One number of bytes a line, in the order of the paths. */
    sizes: (objects: readonly string[]): CommandLine => ({
      argv: ["nix-store", "--query", "--size", ...objects],
      timeoutMs: storeMs,
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
              ...setsUnchecked,
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
      argv: ["systemctl", "stop", deadlineTimer],
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
            argv: ["systemctl", "stop", `${wayBackUnit("*")}.timer`, deadlineTimer],
            timeoutMs: quickMs,
            effect: "disarm every way back",
          }
        : undefined,
    failedUnits: (): CommandLine => ({
      argv: [
        "systemctl",
        "list-units",
        "--failed",
        "--plain",
        "--no-legend",
        "--no-pager",
        "--full",
      ],
      timeoutMs: quickMs,
    }),
    failedSince: (units: readonly string[]): CommandLine => ({
      argv: ["systemctl", "show", "--property=Id,InactiveEnterTimestampMonotonic", ...units],
      timeoutMs: quickMs,
    }),
    /** How a scope ended; one that succeeded is gone. */
    scopeResult: (scope: string): CommandLine => ({
      argv: ["systemctl", "show", "--property=Result", "--value", scope],
      timeoutMs: quickMs,
    }),
    /** Ends everything that is still in the scopes; none where there is no systemd. */
    stopScopes: (...scopes: readonly string[]): CommandLine | undefined =>
      systemd
        ? {
            argv: ["systemctl", "stop", ...scopes],
            timeoutMs: 2 * quickMs,
            effect: "stop building",
          }
        : undefined,
    resetScope: (scope: string): CommandLine => ({
      argv: ["systemctl", "reset-failed", scope],
      timeoutMs: quickMs,
      effect: `forget ${scope}`,
    }),
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

/** By properties of its unit, so that the secrets go however it ends. */
function aroundMenu(programs: readonly InitrdProgram[]): readonly string[] {
  const [any] = programs;
  return [
    ...programs.map(
      ({ program, needed }) => `--property=ExecStartPre=${needed ? "" : "-"}${program} reveal`,
    ),
    ...(any === undefined ? [] : [`--property=ExecStopPost=${any.program} hide`]),
  ];
}

/** Name of the transient unit of an activation, without its suffix. */
export function switchUnit(purpose: SwitchPurpose, txn: string): string {
  return `firstlight-${purpose}-${txn}`;
}

/** Name of the timer, and of the unit it starts, without suffix. */
export function wayBackUnit(txn: string): string {
  return `firstlight-way-back-${txn}`;
}

/** Name of the transient scope of an evaluation. */
export function evaluationScope(txn: string): string {
  return `firstlight-evaluate-${txn}.scope`;
}

/** Name of the transient scope of a build. */
export function buildScope(txn: string): string {
  return `firstlight-build-${txn}.scope`;
}

/** Every unit that evaluating and building may have. */
export function buildUnits(txn: string): readonly string[] {
  return [`${evaluationUnit(txn)}.service`, evaluationScope(txn), buildScope(txn)];
}

type Evaluated = Pick<Evaluation, "sourcesDigest" | "nixpkgs">;

/** Without building anything on the way: what is imported from a derivation is code from outside as well. */
function evaluationLine(
  { hostSources, buildTimeoutMs }: CommandSettings,
  { sourcesDigest, nixpkgs }: Evaluated,
  more: readonly string[],
): CommandLine {
  return {
    argv: [
      "nix-instantiate",
      ...jsonLog,
      "<nixpkgs/nixos>",
      "-I",
      `nixos-config=${hostSources}/${sourcesDigest}/configuration.nix`,
      ...["--option", "allow-import-from-derivation", "false"],
      ...more,
    ],
    ...(nixpkgs === null ? {} : { env: { NIX_PATH: `nixpkgs=${nixpkgs}` } }),
    timeoutMs: buildTimeoutMs,
  };
}

/**
 * A line that needs more of the machine than firstlight's own unit may have: devices, modules. Run by
 * systemd where there is one, which passes its output and its exit code on.
 */
function outside(systemd: boolean, argv: CommandLine["argv"], effect?: string): CommandLine {
  const line: CommandLine = {
    argv,
    timeoutMs: storeMs,
    missing: "system/swap-failed",
    ...(effect === undefined ? {} : { effect }),
  };
  return systemd ? inTransientUnit(line, { properties: [] }) : line;
}

const jsonLog = ["--log-format", "internal-json"];

/**
 * The line in a transient scope with the limits of a build. A scope's program is still our child, with
 * our environment and its own exit code; the scope outlives us, so it has a deadline of its own. As
 * it is where there is no systemd.
 */
function inScope(settings: CommandSettings, scope: string, line: CommandLine): CommandLine {
  if (!settings.systemd) return line;
  const properties = [
    ...limitProperties(settings.buildLimits).map((property) => property.join("=")),
    `RuntimeMaxSec=${seconds(line.timeoutMs + quickMs)}`,
    "TimeoutStopSec=10s",
  ];
  return {
    ...line,
    scope,
    missing: "system/nix-failed",
    argv: [
      "systemd-run",
      "--scope",
      "--quiet",
      "--no-ask-password",
      `--unit=${scope}`,
      ...properties.map((property) => `--property=${property}`),
      ...line.argv,
    ],
  };
}

function realise(path: string, root: string): readonly [string, ...string[]] {
  return ["nix-store", "--realise", path, "--add-root", root];
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)}s`;
}
