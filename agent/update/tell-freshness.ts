import { prettyJson } from "#core/canonical-json.ts";
import { describeFault, isFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { type Freshness, freshnessOf, freshnessText } from "#protocol/trust/freshness.ts";
import { writeSpool } from "../link/spool.ts";
import { freshnessFile } from "./places.ts";
import { trustedStore } from "./trusted-store.ts";

/** Who asks, and what is known of the time. */
export interface FreshnessOptions {
  /** The file that the settings name. */
  readonly rootFile: string | undefined;
  readonly clockTrusted: boolean;
}

/** Whether what is believed counts still; `null` where it does, on a node of no fleet too. */
export function readFreshness(
  io: Pick<Io, "files" | "clock">,
  { rootFile, clockTrusted }: FreshnessOptions,
): Freshness | null {
  try {
    const { trusted } = trustedStore(io, rootFile).read();
    return freshnessOf(trusted, { nowMs: io.clock.now(), clockTrusted });
  } catch (error) {
    // `trust show` says what is wrong with it.
    if (isFault(error)) return null;
    throw error;
  }
}

/**
 * Tells the fleet, once of each role and version, that what the node believes has expired or is about to. Where
 * the server is silent the event waits in the outbox: then it says since when. What cannot be told is
 * logged, and decides nothing.
 */
export function tellFreshness(io: Io, log: Log, options: FreshnessOptions): void {
  const { files } = io;
  try {
    const found = readFreshness(io, options);
    const text = found === null ? undefined : prettyJson({ v: 1, ...found });
    const told = files.readText(freshnessFile, { maxBytes: 16 * 1024 });
    if (text === told) return;
    if (found === null || text === undefined) {
      files.remove(freshnessFile);
      log.info("trust.fresh");
      return;
    }
    log.warning("trust.stale", { state: found.state, message: freshnessText(found) });
    writeSpool(io, [{ kind: "trust.stale", body: { ...found } }]);
    files.write(freshnessFile, text, { mode: 0o644 });
  } catch (error) {
    const { code, message } = describeFault(error);
    log.error("trust.untold", { code, message });
  }
}
