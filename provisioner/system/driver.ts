import { hostFiles } from "#core/host-files.ts";
import type { Files, Io } from "#core/io.ts";
import type { Shared, Shred } from "./answer-request.ts";
import { type BuildPolicy, defaultBuildPolicy } from "./build-policy.ts";
import { type CommandSettings, commandLines } from "./command-lines.ts";
import type { Talk } from "./commands.ts";
import { type DriverName, markDry } from "./driver-record.ts";
import { dryCommands } from "./dry-commands.ts";
import { canEvaluateApart } from "./evaluate-apart.ts";
import { eventStream } from "./event-stream.ts";
import type { Courier } from "./fetch/courier.ts";
import { defaultFetchSettings, type FetchSettings } from "./fetch/fetch-settings.ts";
import { history, runs } from "./history.ts";
import { pendingHooks } from "./hooks.ts";
import { checkJournal } from "./journal.ts";
import { hostProcesses, openLock, type Processes } from "./lock.ts";
import { openMachine } from "./machine.ts";
import { nixCommands } from "./nix-commands.ts";
import { isClean, nothingOpen } from "./nothing-open.ts";
import { systemPaths } from "./paths.ts";
import type { ReleaseLimits } from "./releases.ts";
import { status } from "./status.ts";
import type { Recovery, System, SystemRequest, SystemResults } from "./system.ts";
import type { RebootPolicy } from "./trial-way.ts";
import type { Work } from "./work.ts";

/** How to open a driver. */
export interface DriverOptions extends Partial<Deadlines> {
  /** What may be done where a change needs a reboot; default `allow`. */
  readonly reboot?: RebootPolicy;
  /** How often and how long a release is held back. */
  readonly limits?: Partial<ReleaseLimits>;
  /** `nix` runs the commands, `dry` only says them, on a fake machine below a root. */
  readonly driver: DriverName;
  /** Binary caches; with none nothing is fetched. */
  readonly substituters?: readonly string[];
  /** What a build may take of the machine. */
  readonly policy?: BuildPolicy;
  /** Files of Nix's own directories: of the host for `nix`, below the root for `dry`, unless given. */
  readonly storeFiles?: Files;
  readonly processes?: Processes;
  /** How signed systems are fetched; what is not given is as {@link defaultFetchSettings} says. */
  readonly fetch?: Partial<FetchSettings>;
  /** Who brings bytes from caches; this process when absent. */
  readonly courier?: Courier;
  /** Shreds every file of a secret but these; without it none is. */
  readonly shred?: Shred;
}

/** Longest times. */
export interface Deadlines {
  /** Of an evaluation, and of a build. */
  readonly buildTimeoutMs: number;
  readonly activationTimeoutMs: number;
  /** Of a trial until it is committed; then the previous system comes back by itself. */
  readonly wayBackMs: number;
}

/** What holds unless the settings say otherwise. */
export const defaultDeadlines: Deadlines = {
  buildTimeoutMs: 2 * 3_600_000,
  activationTimeoutMs: 600_000,
  wayBackMs: 1_800_000,
};

/** A system that is worked on in this process. */
export interface Driver extends System {
  /**
   * Gives the lock back, also where a trial is still open, as the end of a process does. Nothing may
   * be under way.
   */
  close(): void;
}
/** A day, and five trials in it. */
export const defaultLimits: ReleaseLimits = {
  denyMs: 86_400_000,
  tries: 5,
  withinMs: 86_400_000,
};

/** The system of a machine, in this process. Throws `system/dry-needs-root` at the first request. */
export function openDriver(io: Io, options: DriverOptions): Driver {
  const { driver, policy = defaultBuildPolicy } = options;
  const deadlines = { ...defaultDeadlines, ...options };
  const paths = systemPaths(io.env);
  const storeFiles =
    options.storeFiles ??
    (driver === "dry" || io.files.root === "/" ? io.files : hostFiles("/", io.effect));
  const lock = openLock(io, paths.lock, options.processes ?? hostProcesses());
  const shared: Shared = { lock, shred: options.shred ?? (() => []) };

  function openWork(talk: Talk, request: SystemRequest): Work {
    const machine = openMachine(io, storeFiles, paths);
    const settings: CommandSettings = {
      buildTimeoutMs: deadlines.buildTimeoutMs,
      buildLimits: policy.limits,
      activationTimeoutMs: deadlines.activationTimeoutMs,
      wayBackMs: wayBackMs(request, deadlines),
      paths,
      hostSources: io.files.hostPath(paths.sources),
      hostCredentials: io.files.hostPath(paths.credentials),
      substituters: options.substituters ?? [],
      systemd: machine.systemd,
      apart: canEvaluateApart(storeFiles, io.env, {
        systemd: machine.systemd,
        daemonSocket: paths.daemonSocket,
      }),
      nixPath: io.env["NIX_PATH"],
      reboot: options.reboot ?? "allow",
      limits: { ...defaultLimits, ...options.limits },
    };
    const lines = commandLines(settings);
    const commands =
      driver === "dry"
        ? // What a power cut takes of a rehearsal the next one makes again.
          dryCommands({ files: io.files.unsynced, settings, lines, talk })
        : nixCommands({ io, storeFiles, settings, lines, talk });
    if (driver === "dry" && changesFirst(request)) markDry(io);
    const fetching = {
      settings: { ...defaultFetchSettings, ...options.fetch },
      courier: driver === "dry" ? null : (options.courier ?? lateCourier(io.files)),
    };
    return { ...talk, io, paths, settings, policy, storeFiles, machine, commands, lines, fetching };
  }

  return {
    send: <R extends SystemRequest>(request: R, signal?: AbortSignal) =>
      eventStream<R>(signal, (talk) => answer(openWork(talk, request), shared, request)),
    close: () => lock.release(),
  };
}

/** Whether a machine may have been changed by nothing before this request. */
function changesFirst({ kind }: SystemRequest): boolean {
  return kind === "build" || kind === "fetch" || kind === "try";
}

/** A courier of this process, loaded with its first way. */
function lateCourier(files: Files): Courier {
  return {
    open: async (request) =>
      (await import("./fetch/host-courier.ts")).hostCourier(files).open(request),
  };
}

/** The way back must not come while the trial is still watched. */
function wayBackMs(request: SystemRequest, deadlines: Deadlines): number {
  if (request.kind !== "try") return deadlines.wayBackMs;
  const slackMs = 300_000; // for the commit itself
  return Math.max(deadlines.wayBackMs, deadlines.activationTimeoutMs + request.watchMs + slackMs);
}

async function answer<R extends SystemRequest>(
  work: Work,
  shared: Shared,
  request: R,
): Promise<SystemResults[R["kind"]]> {
  return (await dispatch(work, shared, request)) as SystemResults[R["kind"]];
}

/** What only looks is here; everything else is loaded when it is asked for, as by the first boot after a commit. */
async function dispatch(
  work: Work,
  shared: Shared,
  request: SystemRequest,
): Promise<SystemResults[SystemRequest["kind"]]> {
  if (request.kind === "runs") return runs(work, request.sourcesDigest);
  if (request.kind === "history") return history(work);
  if (request.kind === "status") return status(work);
  const clean = request.kind === "recover" ? cleanRecovery(work) : undefined;
  if (clean !== undefined) return clean;
  const { answerRequest } = await import("./answer-request.ts");
  return answerRequest(work, shared, request);
}

/** The answer of `recover` where nothing is open, without taking the lock. */
function cleanRecovery(work: Work): Recovery | undefined {
  const { io, paths } = work;
  const { ledger } = checkJournal(io.files, paths.journal);
  return isClean(work) && pendingHooks(work) === undefined ? nothingOpen(work, ledger) : undefined;
}
