import { hostFiles } from "#core/host-files.ts";
import type { Files, Io } from "#core/io.ts";
import { build } from "./build.ts";
import { type CommandSettings, commandLines } from "./command-lines.ts";
import type { Talk } from "./commands.ts";
import { commit } from "./commit.ts";
import { type DriverName, markDry } from "./driver-record.ts";
import { dryCommands } from "./dry-commands.ts";
import { eventStream } from "./event-stream.ts";
import { closureOfGeneration, history, runs } from "./history.ts";
import { openJournal, readJournal } from "./journal.ts";
import { hostProcesses, type Lock, openLock, type Processes } from "./lock.ts";
import { openMachine } from "./machine.ts";
import { nixCommands } from "./nix-commands.ts";
import { systemPaths } from "./paths.ts";
import { makePlan } from "./plan.ts";
import { recover } from "./recover.ts";
import { rollBack } from "./roll-back.ts";
import type { Recovery, System, SystemRequest, SystemResults } from "./system.ts";
import { transactionState } from "./transaction.ts";
import { hasAttempt } from "./transaction-state.ts";
import { tryPlan } from "./trial.ts";
import type { Change, Work } from "./work.ts";

/** How to open a driver. */
export interface DriverOptions extends Partial<Deadlines> {
  /** `nix` runs the commands, `dry` only says them, on a fake machine below a root. */
  readonly driver: DriverName;
  /** Binary caches; with none nothing is fetched. */
  readonly substituters?: readonly string[];
  /** Files of Nix's own directories: of the host for `nix`, below the root for `dry`, unless given. */
  readonly storeFiles?: Files;
  readonly processes?: Processes;
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

/** The system of a machine, in this process. Throws `system/dry-needs-root` at the first request. */
export function openDriver(io: Io, options: DriverOptions): System {
  const { driver } = options;
  const deadlines = { ...defaultDeadlines, ...options };
  const paths = systemPaths(io.env);
  const storeFiles =
    options.storeFiles ??
    (driver === "dry" || io.files.root === "/" ? io.files : hostFiles("/", io.effect));
  const lock = openLock(io, paths.lock, options.processes ?? hostProcesses());

  function openWork(talk: Talk, request: SystemRequest): Work {
    const machine = openMachine(io, storeFiles, paths);
    const settings: CommandSettings = {
      buildTimeoutMs: deadlines.buildTimeoutMs,
      activationTimeoutMs: deadlines.activationTimeoutMs,
      wayBackMs: wayBackMs(request, deadlines),
      paths,
      hostSources: io.files.hostPath(paths.sources),
      substituters: options.substituters ?? [],
      systemd: machine.systemd,
    };
    const lines = commandLines(settings);
    const commands =
      driver === "dry"
        ? // What a power cut takes of a rehearsal the next one makes again.
          dryCommands({ files: io.files.unsynced, settings, lines, talk })
        : nixCommands({ io, storeFiles, settings, lines, talk });
    if (driver === "dry" && changesFirst(request)) markDry(io);
    return { ...talk, io, paths, settings, storeFiles, machine, commands, lines };
  }

  return {
    send: <R extends SystemRequest>(request: R, signal?: AbortSignal) =>
      eventStream<R>(signal, (talk) => answer(openWork(talk, request), lock, request)),
  };
}

/** Whether a machine may have been changed by nothing before this request. */
function changesFirst({ kind }: SystemRequest): boolean {
  return kind === "build" || kind === "try";
}

/** The way back must not come while the trial is still watched. */
function wayBackMs(request: SystemRequest, deadlines: Deadlines): number {
  if (request.kind !== "try") return deadlines.wayBackMs;
  const slackMs = 300_000; // for the commit itself
  return Math.max(deadlines.wayBackMs, deadlines.activationTimeoutMs + request.watchMs + slackMs);
}

async function answer<R extends SystemRequest>(
  work: Work,
  lock: Lock,
  request: R,
): Promise<SystemResults[R["kind"]]> {
  return (await dispatch(work, lock, request)) as SystemResults[R["kind"]];
}

async function dispatch(
  work: Work,
  lock: Lock,
  request: SystemRequest,
): Promise<SystemResults[SystemRequest["kind"]]> {
  switch (request.kind) {
    case "recover":
      return isClean(work) ?? changing(work, lock, recover);
    case "runs":
      return runs(work, request.sourcesDigest);
    case "build":
      return changing(work, lock, (change) => build(change, request.sources, request.reason));
    case "plan":
      return makePlan(work, request.closure);
    case "try":
      return changing(work, lock, (change) => tryPlan(change, request.plan));
    case "commit":
      return changing(work, lock, (change) => commit(change, request.trial, request.verdict));
    case "roll-back":
      return changing(work, lock, (change) => rollBack(change, request.trial, request.verdict));
    case "plan-generation":
      return makePlan(work, closureOfGeneration(work, request.generation, request.reason));
    case "history":
      return history(work);
  }
}

/** The answer of `recover` where nothing is open, without taking the lock. */
function isClean({ io, paths }: Work): Recovery | undefined {
  const { records, torn } = readJournal(io.files, paths.journal);
  return torn === null && transactionState(records).state === "none"
    ? { state: "clean", transaction: null, details: [], fault: null }
    : undefined;
}

/** Changes the machine under the lock, which a trial keeps until it has ended. */
async function changing<T>(
  work: Work,
  lock: Lock,
  action: (change: Change) => Promise<T>,
): Promise<T> {
  lock.acquire();
  const { io, paths } = work;
  try {
    return await action({ ...work, journal: openJournal(io, paths.journal) });
  } finally {
    if (!hasOpenTrial(work)) lock.release();
  }
}

function hasOpenTrial({ io, paths }: Work): boolean {
  try {
    return hasAttempt(transactionState(readJournal(io.files, paths.journal).records));
  } catch {
    return false; // a journal that cannot be read is no reason to shut others out
  }
}
