import { clouds } from "#agent/datasources/clouds/table.ts";
import type { Outcome } from "#agent/outcome.ts";
import { readSettings } from "#agent/settings.ts";
import { describeFault, isFault } from "#core/fault.ts";
import type { Invocation } from "./command.ts";
import { readTools } from "./crawler.ts";

/**
 * Tells the cloud that this machine is up, where it waits for that and the boot has ended well. What
 * goes wrong changes nothing of how the boot ended; the next boot tells it again.
 */
export async function tellReady(
  { io, log, signal }: Pick<Invocation, "io" | "log" | "signal">,
  { outcome, datasource }: Pick<Outcome, "outcome" | "datasource">,
): Promise<void> {
  if (outcome !== "committed" && outcome !== "unchanged") return;
  const cloud = clouds.find(({ name }) => name === datasource);
  if (cloud?.ready === undefined) return;
  try {
    await cloud.ready.keep?.(io.files);
    const { budgetMs, crawl } = readTools(io, await readSettings(io.files));
    await crawl?.({ datasource: cloud.name, task: "ready", budgetMs }, signal);
    log.info("ready.told", { datasource: cloud.name });
  } catch (error) {
    if (isFault(error, "cli/interrupted") || signal?.aborted === true) throw error;
    const { code, message } = describeFault(error);
    log.warning("ready.untold", { code, message });
  }
}
