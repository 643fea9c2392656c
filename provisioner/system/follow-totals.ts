import type { Clock } from "#core/io.ts";
import { type BuildTotals, noTotals, type WorkCount } from "./build-activity.ts";
import type { Talk } from "./commands.ts";
import { activityTypes, countField, type NixField, resultTypes } from "./nix-log.ts";

/** Between two events about nothing but bytes, and what is expected. */
const bytesPauseMs = 250;

type Bytes = BuildTotals["downloadBytes"];
const noBytes: Bytes = { done: 0, expected: 0 };

/** Counts as Nix gives them, and the bytes of all transfers; told as events when they change. */
export function followTotals({ emit, clock }: Pick<Talk, "emit"> & { readonly clock: Clock }) {
  let told = noTotals;
  let toldAt = Number.NEGATIVE_INFINITY;
  let { builds, fetches } = noTotals;
  let transferred = noBytes;
  let promised = 0;
  const types = new Map<string, number>();
  const transfers = new Map<string, Bytes>();
  const promises = new Map<string, number>();

  function transfer(id: string, now: Bytes): void {
    const before = transfers.get(id) ?? noBytes;
    transfers.set(id, now);
    transferred = {
      done: transferred.done + now.done - before.done,
      expected: transferred.expected + now.expected - before.expected,
    };
  }

  function promise(id: string, bytes: number): void {
    promised += bytes - (promises.get(id) ?? 0);
    promises.set(id, bytes);
  }

  function tell(): void {
    const expected = Math.max(promised, transferred.expected);
    const totals = { builds, fetches, downloadBytes: { done: transferred.done, expected } };
    const now = clock.monotonicMs();
    const isSame = isEqual(moves(told), moves(totals));
    if (isSame && (now - toldAt < bytesPauseMs || isEqual(told, totals))) return;
    told = totals;
    toldAt = now;
    emit({ type: "build", activity: { kind: "totals", totals } });
  }

  return {
    start(id: string, type: number): void {
      if (counted.has(type)) types.set(id, type);
    },
    /** What it counted stays. */
    stop(id: string): void {
      types.delete(id);
      transfers.delete(id);
    },
    result(id: string, type: number, fields: readonly NixField[]): void {
      const of = types.get(id);
      if (type === resultTypes.setExpected && fields[0] === activityTypes.fileTransfer) {
        promise(id, countField(fields, 1));
      } else if (type !== resultTypes.progress || of === undefined) return;
      else if (of === activityTypes.builds) builds = workCount(fields, builds);
      else if (of === activityTypes.copyPaths) fetches = workCount(fields, fetches);
      else transfer(id, { done: countField(fields, 0), expected: countField(fields, 1) });
      tell();
    },
    /** How many builds have failed. */
    failedBuilds: () => builds.failed,
  };
}

const counted: ReadonlySet<number> = new Set([
  activityTypes.builds,
  activityTypes.copyPaths,
  activityTypes.fileTransfer,
]);

/**
 * Later versions count what has just ended as done and as expected, after the last one for good: one
 * that ends is no new one.
 */
function workCount(fields: readonly NixField[], before: WorkCount): WorkCount {
  const count = (at: number) => countField(fields, at);
  const [done, told] = [count(0), count(1)];
  const expected = done > before.done ? Math.min(told, Math.max(before.expected, done)) : told;
  return { done, expected, running: count(2), failed: count(3) };
}

/** What of the totals is told at once: Nix finds out one by one what it has to do. */
function moves({ builds, fetches }: BuildTotals): readonly number[] {
  return [builds, fetches].flatMap(({ done, running, failed }) => [done, running, failed]);
}

/** Of plain data whose keys stand in the same order. */
function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
