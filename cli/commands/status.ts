import { findSwitch } from "#agent/datasources/discover.ts";
import { exitCodes } from "#agent/outcome.ts";
import { isInterrupted, readResult, readStatus, type Status } from "#agent/status.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { counted } from "#core/count.ts";
import { parseDuration } from "#core/duration.ts";
import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { type Command, textFlag } from "../command.ts";
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
  help: "Exit code: that of the boot when it has ended, 75 while it runs, before it began or when it was interrupted, 0 where firstlight is switched off.",
  options: { wait: { type: "boolean" }, timeout: { type: "string" } },
  arity: [0, 0],
  async run({ io, flags, json, out, signal }) {
    const limit = textFlag(flags, "timeout");
    const timeoutMs = limit === undefined ? Number.POSITIVE_INFINITY : parseDuration(limit);
    if (timeoutMs === undefined)
      throw new Fault(
        "cli/usage",
        `--timeout: expected a duration such as 5m, got ${JSON.stringify(limit)}`,
      );
    const deadline = io.clock.monotonicMs() + timeoutMs;
    const isDone = () =>
      readStatus(io.files)?.state === "done" && readResult(io.files) !== undefined;
    const off = readStatus(io.files) === undefined ? findSwitch(io.files) : undefined;
    if (off !== undefined) {
      out.data(
        json ? prettyJson({ v: 1, status: null, result: null, off }) : `switched off by ${off}`,
      );
      return exitCodes.done;
    }
    if (flags["wait"] === true && !isDone()) out.talk("waiting for the boot to end");
    const isWaiting = () => !isDone() && !hasEndedSilently(io.files);
    while (flags["wait"] === true && isWaiting() && io.clock.monotonicMs() < deadline) {
      await io.clock.sleep(pollMs, signal);
    }
    const status = readStatus(io.files);
    const result = isDone() ? readResult(io.files) : undefined;
    if (json) out.data(prettyJson({ v: 1, status: status ?? null, result: result ?? null }));
    else if (result !== undefined) {
      out.data(outcomeText(result));
      const findings = result.findings.filter((finding) => finding.level !== "note");
      if (findings.length > 0)
        out.talk(`${counted(findings.length, "finding")}; \`firstlight status --json\` tells more`);
    } else out.data(describe(status));
    return result?.exitCode ?? exitCodes.tryAgain;
  },
};
