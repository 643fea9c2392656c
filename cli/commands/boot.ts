import { failedBeforeBoot } from "#agent/boot.ts";
import { exitCodeOf, exitCodes, type Outcome } from "#agent/outcome.ts";
import { reportSettingsFile } from "#agent/report-settings.ts";
import { adviceOf } from "#core/advice.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { describeFault, isFault } from "#core/fault.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import { bootMachine } from "../boot-machine.ts";
import { cloudTeller, isFailedFirstBoot } from "../cloud-teller.ts";
import type { Command, Invocation } from "../command.ts";
import { openSystem, systemOptions } from "../node.ts";
import type { NodeOptions } from "../node-deps.ts";
import { bootOutbox } from "../outbox.ts";
import { outcomeText } from "../outcome-text.ts";
import { endWith } from "../restart.ts";
import { inSandbox, sandboxHelp, sandboxOption } from "../sandbox.ts";

const reportTimeoutMs = 60_000;

/** For the help of commands that have `--report`. */
export const reportHelp =
  `With --report the events are sent before the command ends, for ${reportTimeoutMs / 1000} s at most; what is not\n` +
  "sent stays in the outbox, for the agent to send.\n";

/** `firstlight boot` */
export const command: Command = {
  usage: "boot [--root DIR] [--driver nix|dry] [--report] [--sandboxed]",
  summary: "Bring this machine to what its datasource asks for, and keep it only if it is healthy.",
  help:
    "Exit code: 0 done or nothing to do, 1 failed, 2 done but something asked for was not done,\n3 rolled back, 4 invalid input, 75 the machine is being restarted or another time\nis better, 77 held or refused by policy.\n" +
    reportHelp +
    sandboxHelp,
  options: { ...systemOptions, ...sandboxOption, report: { type: "boolean" } },
  arity: [0, 0],
  run: (invocation) => runBoot(inSandbox(invocation), { by: "boot", approved: false }),
};

/** Who asks, and what a person has agreed to. */
type How = Omit<NodeOptions, "system" | "accepted">;

/** Boots or applies, tells the outcome, and sends the events with `--report`. */
export async function runBoot(invocation: Invocation, how: How): Promise<number> {
  const { json, out, flags } = invocation;
  const cloud = cloudTeller(invocation);
  const accepted = (datasource: string) => cloud.up(datasource);
  const { outcome, system } = await bootOrSayWhy(invocation, { ...how, accepted });
  out.findings(outcome.findings);
  const exitCode = exitCodeFor(outcome, how);
  const ended = isNothingApplied(outcome, how) ? "nothing applied" : outcome.outcome;
  out.data(json ? prettyJson({ ...outcome, exitCode }) : outcomeText(outcome, ended));
  await cloud.ended(outcome);
  // Where to report stands in the settings.
  if (outcome.fault?.code === "settings/invalid") return exitCode;
  const isAsked = flags["report"] === true;
  const isSent = isAsked || isToldByRoot(outcome, invocation) ? await report(invocation) : true;
  const code =
    system === undefined || !outcome.restart
      ? exitCode
      : await endWith(outcome, invocation, system);
  return isAsked && !isSent && code === exitCodes.done ? exitCodes.degraded : code;
}

/** A boot of a machine that is none of firstlight's is well; who asks for an apply has not got it. */
function isNothingApplied({ outcome }: Outcome, { by }: How): boolean {
  return by === "apply" && outcome === "disabled";
}

function exitCodeFor(outcome: Outcome, how: How): number {
  if (!isNothingApplied(outcome, how)) return exitCodeOf(outcome);
  // Switched off is the owner's word; a datasource may still come.
  return outcome.fault?.code === "datasource/none" ? exitCodes.tryAgain : exitCodes.refused;
}

/**
 * Sends what there is to tell; gives back whether it could. A broker that is away changes nothing of
 * how the boot ended: the events stay in the outbox.
 */
async function report(invocation: Invocation): Promise<boolean> {
  try {
    const { reportEverything } = await import("../report.ts");
    await reportEverything(invocation, reportTimeoutMs);
    return true;
  } catch (error) {
    if (isFault(error, "cli/interrupted")) throw error;
    const fault = describeFault(error);
    const { code, message } = fault;
    invocation.log.warning("report.failed", { code, message, hint: adviceOf(fault) });
    return false;
  }
}

/** Before the first generation the agent's unit is not handed the password of the broker: root tells. */
function isToldByRoot(outcome: Outcome, { io: { files } }: Invocation): boolean {
  return isFailedFirstBoot(outcome, files) && files.stat(reportSettingsFile) !== undefined;
}

/**
 * A machine that cannot even be put together (settings that do not fit, an installation that is not
 * whole) has a boot that failed; a command line that cannot be meant is none.
 */
async function bootOrSayWhy(
  invocation: Invocation,
  how: Omit<NodeOptions, "system">,
): Promise<{ readonly outcome: Outcome; readonly system?: SystemClient }> {
  let system: SystemClient;
  try {
    system = await openSystem(invocation);
  } catch (error) {
    if (isFault(error, "cli/usage") || isFault(error, "system/other-driver")) throw error;
    const { io, log } = invocation;
    const outbox = bootOutbox(invocation, {
      history: async () => ({ generations: [], trials: [], boot: null, denied: [] }),
    });
    const outcome = failedBeforeBoot({ io, log, by: how.by, report: outbox.report }, error);
    await outbox.flush();
    return { outcome };
  }
  const outbox = bootOutbox(invocation, system);
  const outcome = await bootMachine(invocation, { ...how, system, report: outbox.report });
  await outbox.flush();
  return { outcome, system };
}
