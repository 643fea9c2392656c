import { askCommands, type CommandState, failedCommand, readHooks } from "#agent/command-states.ts";
import { findSwitch } from "#agent/datasources/discover.ts";
import { endedSince } from "#agent/last-end.ts";
import { exitCodes } from "#agent/outcome.ts";
import {
  isInterrupted,
  isUnreadable,
  readNothingToDo,
  readResult,
  readStatus,
  resultFile,
  type Status,
} from "#agent/status.ts";
import { readUpdateState } from "#agent/update/read-state.ts";
import { trustedFile } from "#agent/update/trusted-places.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { counted } from "#core/count.ts";
import { parseDuration } from "#core/duration.ts";
import { Fault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import { silentLog } from "#core/log.ts";
import type { Freshness } from "#protocol/trust/freshness.ts";
import type { LastTrial, SystemStatus } from "#provisioner/system/system.ts";
import { type Command, type Flags, type Invocation, textFlag } from "../command.ts";
import { openSystem } from "../node.ts";
import { outcomeText } from "../outcome-text.ts";
import { updateText } from "../update-text.ts";

const pollMs = 500;

function hasEndedSilently(files: Files): boolean {
  const status = readStatus(files);
  return status !== undefined && isInterrupted(status);
}

/** A boot that has not told how it ended. */
function describe(files: Files, status: Status | undefined): string {
  if (status === undefined)
    return isUnreadable(files)
      ? "not known: /run/firstlight/status.json is damaged"
      : "not started";
  return isInterrupted(status)
    ? `interrupted: ${status.stage}; the next start finishes it or goes back`
    : `running: ${status.stage}`;
}

/** `firstlight status` */
export const command: Command = {
  usage: "status [--wait] [--ended] [--timeout 5m] [--json]",
  summary: "Say how the boot of this machine is going, or how it ended.",
  help: "Exit code: that of the boot when it has ended (2 where a command failed since), 75 while it runs,\nbefore it began or when it was interrupted, 0 where firstlight is switched off or was not started,\nbecause nothing can be there to do. With --wait commands\nhave ended as well. With --ended the exit code is 0 however the boot has ended, and 75 only where it has\nnot, or where the machine is being restarted; --wait then goes on past a boot that was interrupted.",
  options: {
    wait: { type: "boolean" },
    ended: { type: "boolean" },
    timeout: { type: "string" },
  },
  arity: [0, 0],
  async run(invocation) {
    const { io, flags, json, out } = invocation;
    const timeoutMs = readTimeout(flags);
    if (flags["wait"] === true) await waitForEnd(invocation, timeoutMs);
    const off = findOff(io.files);
    if (off !== undefined) {
      const { by, text } = off;
      out.data(json ? prettyJson({ v: 1, status: null, result: null, off: by }) : text);
      return exitCodes.done;
    }
    if (isDamaged(io.files)) throw damagedResult();
    const trust = await askTrust(io);
    const code = tell(invocation, {
      ...{ commands: await askCommands(io), journal: await askJournal(invocation), trust },
    });
    if (flags["ended"] !== true) return code;
    return isDone(io) && !restarts(io) ? exitCodes.done : exitCodes.tryAgain;
  },
};

/** Why there is no boot of firstlight, and will be none; `undefined` where there is one, or may be. */
function findOff(files: Files): { readonly by: string; readonly text: string } | undefined {
  if (readStatus(files) !== undefined || isUnreadable(files)) return undefined;
  const by = findSwitch(files);
  if (by !== undefined) return { by, text: `switched off by ${by}` };
  const reason = readNothingToDo(files);
  return reason === undefined ? undefined : { by: reason, text: `nothing to do: ${reason}` };
}

function readTimeout(flags: Flags): number {
  const limit = textFlag(flags, "timeout");
  const timeoutMs = limit === undefined ? Number.POSITIVE_INFINITY : parseDuration(limit);
  if (timeoutMs !== undefined) return timeoutMs;
  throw new Fault(
    "cli/usage",
    `--timeout: expected a duration such as 5m, got ${JSON.stringify(limit)}`,
  );
}

async function waitForEnd(
  { io, out, signal, flags }: Invocation,
  timeoutMs: number,
): Promise<void> {
  const deadline = io.clock.monotonicMs() + timeoutMs;
  // One that was interrupted is tried again, and ends then.
  const ended = async () =>
    findOff(io.files) !== undefined ||
    isDamaged(io.files) ||
    ((await hasEnded(io)) && (flags["ended"] !== true || !hasEndedSilently(io.files)));
  if (!(await ended())) out.talk("waiting for the boot to end");
  while (!(await ended()) && io.clock.monotonicMs() < deadline) {
    await io.clock.sleep(pollMs, signal);
  }
}

/** The boot, and the commands of the running system where there is something that runs them. */
async function hasEnded(io: Io): Promise<boolean> {
  if (!isDone(io)) return hasEndedSilently(io.files);
  if (io.files.stat("/run/systemd/system") === undefined) return true;
  return (await askCommands(io)).every(({ state }) => state !== "waiting" && state !== "running");
}

/**
 * Whether the boot has ended, and what it told of that cannot be read. One that is written is never so:
 * it takes the place of an earlier one whole, and before the status says that the boot is done.
 */
function isDamaged(files: Files): boolean {
  if (readStatus(files)?.state === "running") return false;
  return files.stat(resultFile) !== undefined && readResult(files) === undefined;
}

function damagedResult(): Fault {
  return new Fault("boot/no-result", `${resultFile} is damaged: how the boot ended is not known`, {
    hint: "`firstlight history` tells what the journal knows; the next boot writes the file anew",
  });
}

function isDone({ files }: Io): boolean {
  const hasStopped = readStatus(files)?.state === "done" || isUnreadable(files);
  return hasStopped && readResult(files) !== undefined;
}

function restarts({ files }: Io): boolean {
  const result = readResult(files);
  return result?.outcome === "rebooting" || result?.restart === true;
}

/** The journal's word on how the node stands; `undefined` for who may not read it. */
async function askJournal(invocation: Invocation): Promise<SystemStatus | undefined> {
  const flags = { ...invocation.flags, "in-process": true };
  try {
    const system = await openSystem(
      { ...invocation, flags, log: silentLog },
      { bearsSettings: true },
    );
    return await system.status();
  } catch {
    return undefined;
  }
}

/** How the node stands by the journal, where the boot or change that made it so could not tell. */
function textOfTrial({ result, generation, reasons }: LastTrial): string {
  const runs =
    generation === null ? "the system from before runs" : `generation ${generation} runs`;
  return `${result}: ${[...(result === "rolled-back" ? reasons : []), runs].join("; ")}`;
}

/** The trial that ended since the node last told of itself; `undefined` while something is under way. */
function trialSince({ files }: Io, journal: SystemStatus | undefined): LastTrial | undefined {
  const status = readStatus(files);
  const isAtWork = status?.state === "running" && !isInterrupted(status);
  const isUntold = status === undefined && !isUnreadable(files);
  if (isUntold || isAtWork || journal?.state !== "none") return undefined;
  return endedSince(readResult(files), journal);
}

/** Whether the fleet's word counts still; nothing of it is loaded on a node of no fleet. */
async function askTrust(io: Io): Promise<ToldFreshness | null> {
  if (io.files.stat(trustedFile) === undefined) return null;
  const { readFreshness } = await import("#agent/update/tell-freshness.ts");
  const { isClockSet } = await import("#agent/update/clock-set.ts");
  const found = readFreshness(io, { rootFile: undefined, clockTrusted: isClockSet(io.files) });
  if (found === null) return null;
  const { freshnessText } = await import("#protocol/trust/freshness.ts");
  return { ...found, message: freshnessText(found) };
}

interface ToldFreshness extends Freshness {
  readonly message: string;
}

interface Told {
  readonly commands: readonly CommandState[];
  readonly journal: SystemStatus | undefined;
  readonly trust: ToldFreshness | null;
}

function tell({ io, json, out }: Invocation, { commands, journal, trust }: Told): number {
  const status = readStatus(io.files);
  const result = isDone(io) ? readResult(io.files) : undefined;
  const since = trialSince(io, journal);
  const failed = commands.flatMap(failedCommand);
  if (json) {
    const all = {
      status: status ?? null,
      result: result ?? null,
      journal: journal ?? null,
      commands,
      hooks: readHooks(io)?.results ?? [],
      update: readUpdateState(io.files) ?? null,
      trust,
    };
    out.data(prettyJson({ v: 1, ...all }));
  } else if (since !== undefined) {
    out.data(textOfTrial(since));
    out.talk("by the journal: what did it ended without a word");
  } else if (result !== undefined) {
    const degraded = result.degraded || failed.length > 0;
    const leftAlone = journal?.leftAlone ?? null;
    const triedAgainAt = leftAlone === null ? result.triedAgainAt : null;
    out.data(outcomeText({ ...result, degraded, triedAgainAt }));
    if (leftAlone !== null && result.triedAgainAt != null)
      out.talk(`${leftAlone}; it is left alone, and \`firstlight apply\` tries again`);
    if (result.bootProved === false && result.outcome !== "rebooting")
      out.talk("no boot has proved the boot default yet");
    const findings = result.findings.filter((finding) => finding.level !== "note");
    if (findings.length > 0)
      out.talk(`${counted(findings.length, "finding")}; \`firstlight status --json\` tells more`);
  } else out.data(describe(io.files, status));
  if (!json) for (const sentence of failed) out.talk(sentence);
  const update = readUpdateState(io.files);
  if (!json && update?.updateId !== undefined) out.talk(`update ${updateText(update)}`);
  if (!json && trust !== null) out.talk(`${trust.message}; \`firstlight trust show\` tells more`);
  if (!json && journal?.limits === "not-kept")
    out.talk(
      "the limit of a build's memory does not hold here; firstlight explain system/limit-not-applied",
    );
  const code = since === undefined ? (result?.exitCode ?? exitCodes.tryAgain) : codeOf(since);
  return code === exitCodes.done && failed.length > 0 ? exitCodes.degraded : code;
}

function codeOf({ result }: LastTrial): number {
  return result === "committed" ? exitCodes.done : exitCodes.rolledBack;
}
