import { Fault } from "#core/fault.ts";
import type { ManifestPath } from "#generated/provisioner/system/fetch/manifest.ts";
import { newTransaction } from "../build.ts";
import { publishSources } from "../publish.ts";
import { hasAttempt } from "../transaction-state.ts";
import { type Change, openTransaction, step } from "../work.ts";
import { freeName } from "../write-sources.ts";
import { checkDrift, type DriftOptions } from "./check-drift.ts";
import { etcTarget } from "./etc-links.ts";
import { wholeGeneration } from "./fallback.ts";
import { mendPath } from "./mend-path.ts";
import type { DriftItem, DriftReport, Mended, RepairReport } from "./report.ts";

/**
 * Looks for drift, mends what can be mended while the system runs, and looks again: store paths from
 * a cache, else by building them again; links of /etc and /etc/nixos by writing them again, what was
 * there kept aside. What a person chose is left alone. For paths that cannot be mended it names the
 * generation to go back to. Throws `system/repair-busy` while a change is under way.
 */
export async function repairDrift(change: Change, options: DriftOptions): Promise<RepairReport> {
  if (hasAttempt(openTransaction(change))) {
    throw new Fault("system/repair-busy", "a change is under way");
  }
  const found = await checkDrift(change, options);
  const items = found.items.filter(({ remedy }) => remedy === "repair");
  if (items.length === 0) return { repaired: [], unrepaired: [], fallback: null, after: found };
  const intent = { subjects: items.map(({ subject }) => subject) };
  const { repaired, unrepaired } = await step(
    change,
    { txn: newTransaction(change), name: "repair", intent },
    async () => {
      const mended = await mendAll(change, found, items);
      await change.commands.syncStore();
      return mended;
    },
  );
  const fallback = unrepaired.length === 0 ? null : await wholeGeneration(change, unrepaired);
  const after = await checkDrift(change, { deep: false, share: "known" });
  return { repaired, unrepaired, fallback, after: withRest(found, after, unrepaired) };
}

interface MendedAll {
  readonly repaired: readonly Mended[];
  readonly unrepaired: readonly string[];
}

async function mendAll(
  change: Change,
  { declared }: DriftReport,
  items: readonly DriftItem[],
): Promise<MendedAll> {
  const repaired: Mended[] = [];
  const unrepaired: string[] = [];
  const damaged = items.filter(({ layer }) => layer === "store").map(({ subject }) => subject);
  const infos = await change.commands.store.storeInfo(damaged);
  const known = new Map<string, ManifestPath>(infos.map((info) => [info.path, info]));
  for (const path of damaged) {
    const entry = known.get(path);
    const by = entry === undefined ? undefined : await mendPath(change, entry);
    if (by === undefined) unrepaired.push(path);
    else repaired.push({ subject: path, by });
  }
  for (const { kind, subject } of items) {
    if (kind === "etc-changed") relink(change, subject);
    if (kind === "etc-changed" || kind === "not-published") {
      repaired.push({ subject, by: "rewrite" });
    }
  }
  if (items.some(({ kind }) => kind === "not-published")) {
    publishSources(change.io.files, change.paths, declared?.sourcesDigest ?? null);
  }
  return { repaired, unrepaired };
}

/** Lets a name of /etc lead to the system's file again; what was there is kept beside it. */
function relink({ io: { files }, storeFiles }: Change, name: string): void {
  const target = etcTarget(files, storeFiles, name);
  if (target === undefined) return;
  const kind = files.stat(name)?.kind;
  if (kind !== undefined && kind !== "link") {
    files.rename(name, freeName(files, `${name}.before-firstlight`));
  }
  files.link(target, name);
}

/** What the second look does not look at again: evaluation, and paths that could not be mended. */
function withRest(
  found: DriftReport,
  after: DriftReport,
  unrepaired: readonly string[],
): DriftReport {
  const seen = new Set(after.items.map(({ subject }) => subject));
  const rest = found.items.filter(
    ({ layer, subject }) =>
      layer === "result" ||
      (layer === "store" && unrepaired.includes(subject) && !seen.has(subject)),
  );
  const unseen = [...new Set([...found.unseen, ...after.unseen])];
  return { ...after, deep: found.deep, items: [...after.items, ...rest], unseen };
}
