import { Fault } from "#core/fault.ts";
import type { ExecResult, Files, Io } from "#core/io.ts";
import type { CommandLine, CommandLines, CommandSettings } from "./command-lines.ts";
import type { Talk } from "./commands.ts";
import { planBuilds } from "./derivation-graph.ts";
import { spaceOf, spaceText } from "./disk-space.ts";
import { followNix } from "./follow-nix.ts";
import {
  type GroupMemory,
  isMemoryLimited,
  readGroupMemory,
  readMemory,
  readOomKills,
} from "./memory.ts";
import { failedDerivation, unitFault } from "./nix-errors.ts";
import { memoryFault } from "./out-of-memory.ts";

/** How to run one command to its end. */
export type RunLine = (line: CommandLine, options?: RunOptions) => Promise<ExecResult>;

export interface RunOptions {
  /** Whether the caller's signal ends it. */
  readonly cancel?: boolean;
  readonly stopSignal?: "SIGINT";
  readonly onLine?: (line: string) => void;
}

export interface RunNixOptions {
  readonly io: Io;
  readonly storeFiles: Files;
  readonly settings: CommandSettings;
  readonly lines: CommandLines;
  readonly talk: Talk;
  readonly run: RunLine;
}

/** A long command of Nix, and what its failure is called. */
export interface NixTask {
  readonly line: CommandLine;
  readonly what: string;
  /** The derivation that is to be built. */
  readonly derivation?: string;
  /** `result.stderr` is what Nix said as a person would have seen it. */
  readonly fault: (result: ExecResult, logOf: (derivation: string) => readonly string[]) => Fault;
}

/**
 * Evaluates or builds: follows what Nix says, ends it as a person would (SIGINT, then SIGKILL for
 * everything in its scope), and explains a failure with the numbers of memory and disk.
 */
export async function runNix(options: RunNixOptions, task: NixTask): Promise<ExecResult> {
  const { io, storeFiles, talk, run } = options;
  const { line, what, derivation: system } = task;
  const memory = readMemory(io.files);
  const killsBefore = readOomKills(io.files);
  let group: GroupMemory | undefined;
  const follower = followNix({
    ...talk,
    clock: io.clock,
    ...(system && { plan: (builds) => planBuilds(storeFiles, system, builds) }),
    onError: () => {
      group = readScopeMemory(io.files, line) ?? group; // with its last process the group goes too
    },
  });
  let isProbed = false;
  const ended = await run(line, {
    cancel: true,
    stopSignal: "SIGINT",
    onLine(text) {
      if (!isProbed) probeLimit(options, line); // with its first words it is in its group
      isProbed = true;
      follower.line(text);
    },
  });
  const result = { ...ended, stderr: follower.said() };
  const scopeResult = await settleScope(options, line, ended);
  if (result.code === 0) return result;
  checkStarted(line, result, what);
  const killsNow = readOomKills(io.files);
  const { derivation } = failedDerivation(result.stderr);
  const short = memoryFault({
    what,
    result,
    said: result.stderr,
    log: derivation === undefined ? [] : follower.logOf(derivation),
    kills: killsBefore === undefined || killsNow === undefined ? null : killsNow - killsBefore,
    group,
    scopeResult,
    limit: line.scope === undefined ? null : options.settings.buildLimits.memoryMax,
    memory,
  });
  throw short ?? withRoom(options, task.fault(result, follower.logOf));
}

function readScopeMemory(files: Files, { scope }: CommandLine): GroupMemory | undefined {
  return scope === undefined ? undefined : readGroupMemory(files, groupOf(scope));
}

function groupOf(scope: string): string {
  return `system.slice/${scope}`;
}

/** systemd takes a limit for granted that the kernel does not know: so the kernel itself is asked. */
function probeLimit({ io, settings, talk }: RunNixOptions, { scope }: CommandLine): void {
  const { memoryMax } = settings.buildLimits;
  if (scope === undefined || memoryMax === "infinity") return;
  if (isMemoryLimited(io.files, groupOf(scope)) !== false) return;
  const message = `${scope}: MemoryMax=${memoryMax} was asked for, and the kernel holds it to no limit`;
  talk.emit({ type: "warning", code: "system/limit-not-applied", message });
}

/** Ends what a command left in its scope, and forgets a scope that failed; its `Result` before that. */
async function settleScope(
  { lines, run }: RunNixOptions,
  { scope }: CommandLine,
  { code, aborted, timedOut }: ExecResult,
): Promise<string | null> {
  if (scope === undefined || code === 0) return null;
  const stop = aborted || timedOut ? lines.stopScopes(scope) : undefined;
  if (stop !== undefined) await run(stop);
  const { stdout } = await run(lines.scopeResult(scope));
  const result = stdout.trim();
  if (result !== "" && result !== "success") await run(lines.resetScope(scope));
  return result === "" ? null : result;
}

/** Throws when systemd-run could not start Nix at all. */
function checkStarted({ scope }: CommandLine, result: ExecResult, what: string): void {
  if (scope === undefined) return;
  const { stderr } = result;
  const missing = /^Failed to find executable nix-.*$/m.exec(stderr)?.[0];
  if (missing !== undefined) throw new Fault("system/nix-missing", missing);
  const unit = scope.endsWith(".service") ? unitFault(result, what) : undefined;
  if (unit !== undefined) throw unit;
  const refused =
    /^(System has not been booted|Failed to (parse [A-Za-z]+=|start transient scope|connect to bus|create bus)).*$/m.exec(
      stderr,
    );
  if (refused !== null) {
    throw new Fault("system/nix-failed", `systemd-run: ${refused[0]}`, {
      hint: "Check `build.limits` of the settings, and that systemd answers: `systemctl status`.",
    });
  }
}

/** A full disk, with how much room is where. */
function withRoom({ io, storeFiles, settings }: RunNixOptions, fault: Fault): Fault {
  if (fault.code !== "system/disk-full") return fault;
  const { store, sources } = settings.paths;
  const rooms = [
    roomText(storeFiles, store),
    roomText(io.files, sources),
    roomText(storeFiles, io.env["TMPDIR"] ?? "/tmp"),
  ];
  return new Fault(fault.code, `${fault.message}; free: ${rooms.join(", ")}`);
}

function roomText(files: Files, place: string): string {
  return `${place} ${spaceText(spaceOf(files, place))}`;
}
