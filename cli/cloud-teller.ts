import type { Cloud } from "#agent/datasources/cloud.ts";
import { clouds } from "#agent/datasources/clouds/table.ts";
import { exitCodeOf, exitCodes, type Outcome } from "#agent/outcome.ts";
import { pinnedInstanceFile } from "#agent/pinned-instance.ts";
import { readSettings } from "#agent/settings.ts";
import { readResult } from "#agent/status.ts";
import { describeFault, isFault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { Invocation } from "./command.ts";
import { readTools } from "./crawler.ts";

/** Tells the cloud of this machine how its boot goes, where the cloud waits for that. */
export interface CloudTeller {
  /**
   * The documents are good, and network, keys and name are in place: the machine is up. What is told then
   * is not waited for. A first boot that failed before, since the machine was switched on, is to end first.
   */
  up(datasource: string): Promise<void>;
  /** Waits until that is told; tells of a first boot that failed, and again of one that is up. */
  ended(outcome: Ended): Promise<void>;
}

type Ended = Pick<Outcome, "outcome" | "message" | "datasource" | "degraded" | "fault">;

/**
 * What goes wrong with it changes nothing of the boot; the next one tells it again. Throws
 * `cli/interrupted`.
 */
export function cloudTeller({
  io,
  log,
  signal,
}: Pick<Invocation, "io" | "log" | "signal">): CloudTeller {
  let saidUp: Promise<boolean> | undefined;

  async function keep(cloud: Waiting): Promise<boolean> {
    return attempt(async () => cloud.ready.keep?.(io.files));
  }

  /** Whether it was told; without a problem, that the machine is up. */
  function tell({ name }: Waiting, problem?: string): Promise<boolean> {
    return attempt(async () => {
      const { budgetMs, crawl } = readTools(io, await readSettings(io.files));
      const job = { datasource: name, task: "ready", budgetMs } as const;
      await crawl?.(problem === undefined ? job : { ...job, problem }, signal);
      log.info("cloud.told", { datasource: name, up: problem === undefined });
    });
  }

  async function attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (isFault(error, "cli/interrupted") || signal?.aborted === true) throw error;
      const { code, message } = describeFault(error);
      log.warning("cloud.untold", { code, message });
      return false;
    }
  }

  return {
    async up(datasource) {
      const cloud = waiting(datasource);
      if (cloud === undefined || saidUp !== undefined) return;
      const before = readResult(io.files);
      if (before !== undefined && problemOf(before, io.files) !== undefined) return;
      if (!(await keep(cloud))) return;
      saidUp = tell(cloud);
      saidUp.catch(() => {}); // whoever waits for it is told
    },
    async ended(outcome) {
      const cloud = waiting(outcome.datasource);
      if (cloud === undefined) return;
      const problem = problemOf(outcome, io.files);
      const isUp = outcome.outcome === "committed" || outcome.outcome === "unchanged";
      const isTold = (await saidUp) === true;
      if (problem === undefined && (isTold || !isUp)) return;
      if (await keep(cloud)) await tell(cloud, problem);
    },
  };
}

/** A cloud that waits to be told. */
type Waiting = Cloud & Required<Pick<Cloud, "ready">>;

function waiting(datasource: string | null): Waiting | undefined {
  const isWaiting = (cloud: Cloud): cloud is Waiting => cloud.ready !== undefined;
  return clouds.filter(isWaiting).find(({ name }) => name === datasource);
}

/** What to say of a first boot that failed, and is not mended by time alone. */
function problemOf(outcome: Ended, files: Files): string | undefined {
  if (!isFailedFirstBoot(outcome, files) || exitCodeOf(outcome) === exitCodes.tryAgain)
    return undefined;
  return `firstlight: ${outcome.outcome}: ${outcome.message}`;
}

/** Whether nothing was ever committed on this machine, nor now. */
export function isFailedFirstBoot({ outcome }: Pick<Outcome, "outcome">, files: Files): boolean {
  return (
    (outcome === "failed" || outcome === "rolled-back" || outcome === "invalid") &&
    files.stat(pinnedInstanceFile) === undefined
  );
}
