import { reportOnce } from "#agent/report-once.ts";
import { loadLinkSettings } from "#agent/report-settings.ts";
import { readSettings } from "#agent/settings.ts";
import { stateReaders } from "#agent/state-readers.ts";
import type { Invocation } from "./command.ts";
import { version } from "./version.ts";
import { askWitness } from "./witness.ts";

/** Sends everything in the outbox, now, in so many milliseconds at most; throws `link/unreachable` and keeps the events when it cannot. */
export async function reportEverything(
  { io, log, out, signal }: Invocation,
  timeoutMs: number,
): Promise<void> {
  const settings = await loadLinkSettings(io, await readSettings(io.files));
  if (settings === undefined) {
    out.talk("no broker is named, so nothing is sent");
    return;
  }
  const { healthIntervalMs } = settings;
  const readers = stateReaders({
    io,
    version,
    healthIntervalMs,
    witness: () => askWitness(io, signal),
  });
  const { by, left } = await reportOnce({ io, log, settings, readers, timeoutMs, signal });
  log.info("report.finished", { by, left });
}
