import { failedBeforeBoot } from "#agent/boot.ts";
import { exitCodeOf, type Outcome } from "#agent/outcome.ts";
import { pinnedInstanceFile } from "#agent/pinned-instance.ts";
import { reportSettingsFile } from "#agent/report-settings.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { describeFault, isFault } from "#core/fault.ts";
import { formatFinding } from "#core/finding.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import { bootMachine } from "../boot-machine.ts";
import type { Command, Invocation } from "../command.ts";
import { openSystem, systemOptions } from "../node.ts";
import type { NodeOptions } from "../node-deps.ts";
import { bootOutbox } from "../outbox.ts";
import { outcomeText } from "../outcome-text.ts";
import { endWith } from "../restart.ts";
import { inSandbox, sandboxHelp, sandboxOption } from "../sandbox.ts";

/** `firstlight boot` */
export const command: Command = {
  usage: "boot [--root DIR] [--driver nix|dry] [--report] [--sandboxed]",
  summary: "Bring this machine to what its datasource asks for, and keep it only if it is healthy.",
  help:
    "Exit code: 0 done or nothing to do, 1 failed, 2 done but something asked for was not done,\n3 rolled back, 4 invalid input, 75 the machine is being restarted, 77 held or refused by policy.\n" +
    sandboxHelp,
  options: { ...systemOptions, ...sandboxOption, report: { type: "boolean" } },
  arity: [0, 0],
  run: (invocation) => runBoot(inSandbox(invocation), { by: "boot", approved: false }),
};

/** Who asks, and what a person has agreed to. */
type How = Omit<NodeOptions, "system">;

/** Boots or applies, tells the outcome, and sends the events with `--report`. */
export async function runBoot(invocation: Invocation, how: How): Promise<number> {
  const { json, log, out, flags } = invocation;
  const { outcome, system } = await bootOrSayWhy(invocation, how);
  for (const finding of outcome.findings) out.talk(formatFinding(finding));
  out.data(json ? prettyJson({ ...outcome, exitCode: exitCodeOf(outcome) }) : outcomeText(outcome));
  // Where to report stands in the settings.
  if (outcome.fault?.code === "settings/invalid") return exitCodeOf(outcome);
  if (flags["report"] === true) await report(invocation);
  else if (isFailedFirstBoot(outcome, invocation)) {
    await report(invocation).catch((error) =>
      log.warning("report.failed", { message: describeFault(error).message }),
    );
  }
  return system === undefined ? exitCodeOf(outcome) : endWith(outcome, invocation, system);
}

async function report(invocation: Invocation): Promise<void> {
  const { reportEverything } = await import("../report.ts");
  await reportEverything(invocation);
}

/** Before the first generation the agent's unit is not handed the password of the broker: root tells. */
function isFailedFirstBoot({ outcome }: Outcome, { io }: Invocation): boolean {
  return (
    (outcome === "failed" || outcome === "rolled-back") &&
    io.files.stat(pinnedInstanceFile) === undefined &&
    io.files.stat(reportSettingsFile) !== undefined
  );
}

/**
 * A machine that cannot even be put together (settings that do not fit, an installation that is not
 * whole) has a boot that failed; a command line that cannot be meant is none.
 */
async function bootOrSayWhy(
  invocation: Invocation,
  how: How,
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
    const outcome = failedBeforeBoot({ io, log, report: outbox.report }, error);
    await outbox.flush();
    return { outcome };
  }
  const outbox = bootOutbox(invocation, system);
  const outcome = await bootMachine(invocation, { ...how, system, report: outbox.report });
  await outbox.flush();
  return { outcome, system };
}
