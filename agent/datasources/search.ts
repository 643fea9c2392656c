import type { Attempt } from "./discover.ts";
import type { MetadataAttempt } from "./metadata/service.ts";

/** How a datasource was looked for: what was tried, and every exchange with a metadata service. */
export interface Search {
  readonly tried: readonly Tried[];
  /** The first ones. Addresses without a query, outcomes and times; nothing of what was said. */
  readonly exchanges: readonly MetadataAttempt[];
  /** How many more there were. */
  readonly unrecorded: number;
}

/** A datasource as it is remembered; without a time where an earlier version remembered it. */
type Tried = Pick<Attempt, "name" | "result" | "place"> & Partial<Pick<Attempt, "ms">>;

const mostExchanges = 200;

/** Nothing was looked for. */
export const noSearch: Search = { tried: [], exchanges: [], unrecorded: 0 };

/** A search as it is remembered. */
export function searchOf(
  tried: readonly Attempt[],
  exchanges: readonly MetadataAttempt[] = [],
  unrecorded = 0,
): Search {
  return {
    tried: tried.map(({ name, result, place, ms }) => ({ name, result, place, ms })),
    exchanges: exchanges.slice(0, mostExchanges),
    unrecorded: unrecorded + Math.max(0, exchanges.length - mostExchanges),
  };
}

/** The search that a fault ended, which it carries. */
export function searchOfFault(error: unknown): Search | undefined {
  return (error as { readonly search?: Search } | null)?.search;
}

/** What was tried before a fault, with the evidence, which is told and not remembered. */
export function triedOf(error: unknown): readonly Attempt[] {
  return (error as { readonly tried?: readonly Attempt[] } | null)?.tried ?? [];
}

/** The exchanges that a fault carries (`metadata/crawl-words.ts`). */
export function exchangesOf(error: unknown): readonly MetadataAttempt[] {
  return (error as { readonly attempts?: readonly MetadataAttempt[] } | null)?.attempts ?? [];
}

/** How many more there were. */
export function unrecordedOf(error: unknown): number {
  return (error as { readonly unrecorded?: number } | null)?.unrecorded ?? 0;
}

/** Has a fault carry the search that it ended. */
export function withSearch(error: unknown, tried: readonly Attempt[]): unknown {
  if (!(error instanceof Error)) return error;
  return Object.assign(error, {
    tried,
    search: searchOf(tried, exchangesOf(error), unrecordedOf(error)),
  });
}
