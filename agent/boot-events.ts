import type { Finding } from "#core/finding.ts";
import type { BootFinished } from "#generated/protocol/messages/boot-finished.ts";
import type { FindingEvent } from "#generated/protocol/messages/finding.ts";
import type { NewEvent } from "#protocol/events.ts";
import type { TrialRecord } from "#provisioner/system/system.ts";
import type { Outcome } from "./outcome.ts";

/** An outcome as the fleet is told of it; findings are counted, each is an event of its own. */
export function bootFinished(outcome: Outcome): BootFinished {
  const count = (level: Finding["level"]) =>
    outcome.findings.filter((finding) => finding.level === level).length;
  const { fault, stages } = outcome;
  return {
    outcome: outcome.outcome,
    degraded: outcome.degraded,
    message: outcome.message,
    ms: stages.reduce((sum, stage) => sum + stage.ms, 0),
    stages: stages.map((stage) => ({ ...stage })),
    ...present("instanceId", outcome.instanceId),
    ...present("datasource", outcome.datasource),
    ...present("profile", outcome.profile),
    ...present("generation", outcome.generation),
    ...present("toplevel", outcome.toplevel),
    ...present("sourcesDigest", outcome.sourcesDigest),
    findings: { errors: count("error"), warnings: count("warning"), notes: count("note") },
    ...(fault === null
      ? {}
      : { fault: { code: fault.code, message: fault.message, ...present("hint", fault.hint) } }),
  };
}

/** A finding as an event. */
export function findingEvent(finding: Finding): FindingEvent {
  const { document, path, level, code, message } = finding;
  return {
    ...{ document, path, level, code, message },
    ...present("line", finding.line),
    ...present("column", finding.column),
    ...present("hint", finding.hint),
  };
}

function present<K extends string, V>(key: K, value: V | null): { [key in K]?: V } {
  return (value === null ? {} : { [key]: value }) as { [key in K]?: V };
}

/** The end of a trial as the fleet is told of it. */
export function trialFinished(trial: TrialRecord): NewEvent {
  const { transaction, by, result, toplevel, generation, verdict, notBuilt } = trial;
  const which = generation === null ? {} : { generation };
  const { passes, ms } = verdict ?? { passes: 0, ms: 0 };
  const healthy = verdict?.healthy === true && verdict.conclusive !== false; // else nobody judged it
  const reasons = [...trial.reasons];
  return {
    kind: "trial.finished",
    body: {
      ...{ transaction, by, result, toplevel, ...which, healthy, reasons, passes, ms },
      ...(notBuilt === undefined ? {} : { notBuilt }),
    },
  };
}
