import { boot } from "#agent/boot.ts";
import { exitCodeOf } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { formatFinding } from "#core/finding.ts";
import type { Command, Invocation } from "../command.ts";
import { nodeDeps, systemOptions } from "../node.ts";
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
  const { json, out, flags } = invocation;
  const outbox = bootOutbox(invocation);
  const outcome = await boot(await nodeDeps(invocation, { by, approved, report: outbox.report }));
  await outbox.flush();
  for (const finding of outcome.findings) out.talk(formatFinding(finding));
  out.data(
    json
      ? prettyJson({ ...outcome, exitCode: exitCodeOf(outcome) })
      : `${outcome.outcome}: ${outcome.message}`,
  );
  if (flags["report"] === true) {
    const { reportEverything } = await import("../report.ts");
    await reportEverything(invocation);
  }
  return exitCodeOf(outcome);
}
