import { isFault } from "#core/fault.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { Recovery } from "#provisioner/system/system.ts";
import { type Asker, alreadyRuns, BootStages, type End, type StagesDeps } from "./boot-stages.ts";
import { failedSideEffects } from "./command-states.ts";
import { endOfFault, withRunning } from "./end-of-fault.ts";
import { writeInstanceData } from "./instance-data.ts";
import type { Outcome } from "./outcome.ts";
import { withRetry } from "./retry.ts";
import type { UnchangedInputs } from "./unchanged-inputs.ts";

/** What a boot begins with, before it is known whether anything is to be done. */
export interface BootStart extends StagesDeps {
  readonly system: SystemClient;
  /** What the last boot made of these very inputs; `undefined` where anything differs. */
  readonly recallUnchanged: () => Promise<UnchangedInputs | undefined>;
  /** From the datasource to the end; loaded only when there is something to find out. */
  readonly makeSystem: (way: BootStages, recovery: Recovery) => Promise<End>;
  /** Version of this program. */
  readonly version: string;
  readonly by: Asker;
}

/**
 * The whole way of a node: from what the datasource says to a healthy generation, or back. Throws
 * nothing: every end is an outcome, written to `/run/firstlight/result.json` and the outbox.
 */
export async function boot(d: BootStart): Promise<Outcome> {
  const way = new BootStages(d);
  const end = await goTheWay(d, way).catch((error) => endOfFault(error, d.log));
  const { system, log } = d;
  const told = await withRunning(end, system, log);
  return way.finish(await withRetry(told, { system, log, wanted: way.wanted }));
}

/** A boot that could not begin, ended as one that failed: `status` says so, and waits no longer. */
export function failedBeforeBoot(d: StagesDeps, error: unknown): Outcome {
  const way = new BootStages(d);
  if (isFault(error)) way.saw({ findings: error.findings });
  return way.finish(endOfFault(error, d.log));
}

async function goTheWay(d: BootStart, way: BootStages): Promise<End> {
  const recovery = await way.stage("recover", () => d.system.recover({ judges: true }));
  d.report({
    kind: "boot.started",
    body: { by: d.by, agent: d.version, recovered: recovery.state },
  });
  const { state } = recovery;
  if (state !== "clean") {
    // A build that was never tried is what every plan leaves.
    const tell = state === "abandoned" ? d.log.info : d.log.warning;
    tell("boot.recovered", { state, details: recovery.details.join("; ") });
  }
  const unchanged = isSettled(recovery) ? await stayAsItIs(d, way) : undefined;
  return unchanged ?? d.makeSystem(way, recovery);
}

/** Whether nothing that an earlier boot began is left to be judged, told or proved. */
function isSettled({ state, trial, back, unproved }: Recovery): boolean {
  return state === "clean" && trial === null && back === null && unproved === null;
}

/** The end of a boot whose inputs are those of one that left everything as it was. */
async function stayAsItIs(d: BootStart, way: BootStages): Promise<End | undefined> {
  const unchanged = await d.recallUnchanged();
  if (unchanged === undefined) return undefined;
  const { content, seen, sourcesDigest } = unchanged;
  const { instanceId, datasource } = content.instance;
  const running = await way.stage("runs", () => d.system.runs(sourcesDigest));
  if (!running.runs) return undefined;
  way.saw({ instanceId, datasource: datasource.name, search: content.search, ...seen });
  way.tell((io) => writeInstanceData(io, content.instance));
  return alreadyRuns(running, sourcesDigest, failedSideEffects(d.io, null));
}
