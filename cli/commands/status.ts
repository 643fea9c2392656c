import { askCommands, type CommandState, failedCommand, readHooks } from "#agent/command-states.ts";
import { findSwitch } from "#agent/datasources/discover.ts";
import { exitCodes } from "#agent/outcome.ts";
import { isInterrupted, readResult, readStatus, type Status } from "#agent/status.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { counted } from "#core/count.ts";
import { parseDuration } from "#core/duration.ts";
import { Fault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import { type Command, type Flags, type Invocation, textFlag } from "../command.ts";
import { outcomeText } from "../outcome-text.ts";

const pollMs = 500;

function hasEndedSilently(files: Files): boolean {
  const status = readStatus(files);
  return status !== undefined && isInterrupted(status);
}

/** A boot that has not told how it ended. */
function describe(status: Status | undefined): string {
  if (status === undefined) return "not started";
  return isInterrupted(status)
    ? `interrupted: ${status.stage}; the next start finishes it or goes back`
    : `running: ${status.stage}`;
}

/** `firstlight status` */
export const command: Command = {
  usage: "status [--wait] [--timeout 5m] [--json]",
  summary: "Say how the boot of this machine is going, or how it ended.",
  help: "Exit code: that of the boot when it has ended (2 where a command failed since), 75 while it runs,\nbefore it began or when it was interrupted, 0 where firstlight is switched off. With --wait commands\nhave ended as well.",
  options: { wait: { type: "boolean" }, timeout: { type: "string" } },
  arity: [0, 0],
  async run(invocation) {
    const { io, flags, json, out } = invocation;
    const timeoutMs = readTimeout(flags);
    const off = readStatus(io.files) === undefined ? findSwitch(io.files) : undefined;
    if (off !== undefined) {
      out.data(
        json ? prettyJson({ v: 1, status: null, result: null, off }) : `switched off by ${off}`,
      );
      return exitCodes.done;
    }
    if (flags["wait"] === true) await waitForEnd(invocation, timeoutMs);
    return tell(invocation, await askCommands(io));
  },
};

function readTimeout(flags: Flags): number {
  const limit = textFlag(flags, "timeout");
  const timeoutMs = limit === undefined ? Number.POSITIVE_INFINITY : parseDuration(limit);
  if (timeoutMs !== undefined) return timeoutMs;
  throw new Fault(
    "cli/usage",
    `--timeout: expected a duration such as 5m, got ${JSON.stringify(limit)}`,
  );
}

async function waitForEnd({ io, out, signal }: Invocation, timeoutMs: number): Promise<void> {
  const deadline = io.clock.monotonicMs() + timeoutMs;
  if (!(await hasEnded(io))) out.talk("waiting for the boot to end");
  while (!(await hasEnded(io)) && io.clock.monotonicMs() < deadline) {
    await io.clock.sleep(pollMs, signal);
  }
}

/** The boot, and the commands of the running system where there is something that runs them. */
async function hasEnded(io: Io): Promise<boolean> {
  if (!isDone(io)) return hasEndedSilently(io.files);
  if (io.files.stat("/run/systemd/system") === undefined) return true;
  return (await askCommands(io)).every(({ state }) => state !== "waiting" && state !== "running");
}

function isDone({ files }: Io): boolean {
  return readStatus(files)?.state === "done" && readResult(files) !== undefined;
}

function tell({ io, json, out }: Invocation, commands: readonly CommandState[]): number {
  const status = readStatus(io.files);
  const result = isDone(io) ? readResult(io.files) : undefined;
  const failed = commands.flatMap(failedCommand);
  const isDegraded = (result?.degraded ?? false) || failed.length > 0;
  if (json) {
    const all = {
      status: status ?? null,
      result: result ?? null,
      commands,
      hooks: readHooks(io)?.results ?? [],
    };
    out.data(prettyJson({ v: 1, ...all }));
  } else if (result !== undefined) {
    out.data(outcomeText({ ...result, degraded: isDegraded }));
    for (const sentence of failed) out.talk(sentence);
    const findings = result.findings.filter((finding) => finding.level !== "note");
    if (findings.length > 0)
      out.talk(`${counted(findings.length, "finding")}; \`firstlight status --json\` tells more`);
  } else out.data(describe(status));
  if (result === undefined) return exitCodes.tryAgain;
  const isWell = result.exitCode === exitCodes.done;
  return isWell && failed.length > 0 ? exitCodes.degraded : result.exitCode;
}
