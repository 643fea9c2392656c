import { boot } from "#agent/boot.ts";
import { exitCodeOf, type Outcome } from "#agent/outcome.ts";
import { pinnedInstanceFile } from "#agent/pinned-instance.ts";
import { reportSettingsFile } from "#agent/report-settings.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { describeFault } from "#core/fault.ts";
import { formatFinding } from "#core/finding.ts";
import type { Command, Invocation } from "../command.ts";
import { nodeDeps, openSystem, systemOptions } from "../node.ts";
import { bootOutbox } from "../outbox.ts";

/** `firstlight boot` */
export const command: Command = {
  usage: "boot [--root DIR] [--driver nix|dry] [--report]",
  summary: "Bring this machine to what its datasource asks for, and keep it only if it is healthy.",
  help: "Exit code: 0 done or nothing to do, 1 failed, 2 done but something asked for was not done,\n3 rolled back, 4 invalid input, 77 held or refused by policy.",
  options: { ...systemOptions, report: { type: "boolean" } },
  arity: [0, 0],
  run: (invocation) => runBoot(invocation, { by: "boot", approved: false }),
};

/** Boots or applies, tells the outcome, and sends the events with `--report`. */
export async function runBoot(
  invocation: Invocation,
  { by, approved }: { readonly by: "boot" | "apply"; readonly approved: boolean },
): Promise<number> {
  const { json, log, out, flags } = invocation;
  const system = await openSystem(invocation);
  const outbox = bootOutbox(invocation, system);
  const deps = await nodeDeps(invocation, { by, approved, system, report: outbox.report });
  const outcome = await boot(deps);
  await outbox.flush();
  for (const finding of outcome.findings) out.talk(formatFinding(finding));
  out.data(
    json
      ? prettyJson({ ...outcome, exitCode: exitCodeOf(outcome) })
      : `${outcome.outcome}: ${outcome.message}`,
  );
  if (flags["report"] === true) await report(invocation);
  else if (isFailedFirstBoot(outcome, invocation)) {
    await report(invocation).catch((error) =>
      log.warning("report.failed", { message: describeFault(error).message }),
    );
  }
  return exitCodeOf(outcome);
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
