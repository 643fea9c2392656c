import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import { counted } from "#core/count.ts";
import { describeFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { DriftItem, DriftReport, RepairReport } from "#provisioner/system/drift/report.ts";
import { driftFound } from "./drift-events.ts";
import type { Outcome } from "./outcome.ts";
import { fallBackTo, type RollBackDeps } from "./roll-back.ts";

/** How closely to look, and whether to mend. */
export interface DriftRoundOptions {
  readonly deep: boolean;
  readonly repair: boolean;
  readonly share: number;
}

/** What one look came to. */
export interface DriftRound extends Omit<RepairReport, "after"> {
  readonly report: DriftReport;
  /** How going back to a whole generation ended; `null` where that was not needed. */
  readonly outcome: Outcome | null;
}

/** Digest of what was told last, so that the same drift is not told every day. */
export const toldFile = "/var/lib/firstlight/drift/told";

/**
 * Looks at the machine once, mends what can be mended where that is wanted, goes back to a whole
 * generation, through the same trial as any change, where it cannot, and tells what is new.
 */
export async function driftRound(d: RollBackDeps, options: DriftRoundOptions): Promise<DriftRound> {
  const { repair, ...look } = options;
  const seen: RepairReport = repair
    ? await d.system.repair(look)
    : { repaired: [], unrepaired: [], fallback: null, after: await d.system.drift(look) };
  const { after: report, ...mended } = seen;
  tell(d, report, mended);
  const { fallback, unrepaired } = mended;
  const running = report.declared?.generation ?? null;
  const left = report.declared?.sourcesDigest ?? null;
  const why = `${counted(unrepaired.length, "path")} of the store cannot be mended`;
  const outcome =
    fallback === null || fallback === running ? null : await fallBackTo(d, fallback, { why, left });
  return { ...mended, report, outcome };
}

function tell(
  { io, log, report }: RollBackDeps,
  found: DriftReport,
  mended: Omit<RepairReport, "after">,
): void {
  const digest = sha256(canonicalJson(found.items.map(nameOf).sort()));
  const isNew = (io.files.readText(toldFile)?.trim() ?? nothingTold) !== digest;
  if (!isNew && mended.repaired.length === 0) return;
  report(driftFound(found, mended));
  log.warning("drift.found", { items: found.items.length, repaired: mended.repaired.length });
  remember(io, digest, (message) => log.error("drift.untold", { message }));
}

const nothingTold = sha256(canonicalJson([]));

function nameOf({ kind, subject, level }: DriftItem): string {
  return `${level} ${kind} ${subject}`;
}

/** What cannot be remembered is told once more. */
function remember(io: Io, digest: string, failed: (message: string) => void): void {
  try {
    io.files.write(toldFile, `${digest}\n`, { mode: 0o600 });
  } catch (error) {
    failed(describeFault(error).message);
  }
}
