import type { Attempt } from "./discover.ts";
import type { MetadataAttempt } from "./metadata/service.ts";

/** How a datasource was looked for: what was tried, and every exchange with a metadata service. */
export interface Search {
  readonly tried: readonly Pick<Attempt, "name" | "result" | "place">[];
  /** The first ones. Addresses without a query, outcomes and times; nothing of what was said. */
  readonly exchanges: readonly MetadataAttempt[];
  /** How many more there were. */
  readonly unrecorded: number;
}

const mostExchanges = 200;

/** Nothing was looked for. */
export const noSearch: Search = { tried: [], exchanges: [], unrecorded: 0 };

/** A search as it is remembered. */
export function searchOf(
  tried: readonly Attempt[],
  exchanges: readonly MetadataAttempt[] = [],
): Search {
  return {
    tried: tried.map(({ name, result, place }) => ({ name, result, place })),
    exchanges: exchanges.slice(0, mostExchanges),
    unrecorded: Math.max(0, exchanges.length - mostExchanges),
  };
}

/** The search that a fault ended, which it carries. */
export function searchOfFault(error: unknown): Search | undefined {
  return (error as { readonly search?: Search } | null)?.search;
}

/** The exchanges that a fault carries (`metadata/crawl-words.ts`). */
export function exchangesOf(error: unknown): readonly MetadataAttempt[] {
  return (error as { readonly attempts?: readonly MetadataAttempt[] } | null)?.attempts ?? [];
}

/** Has a fault carry the search that it ended. */
export function withSearch(error: unknown, search: Search): unknown {
  return error instanceof Error ? Object.assign(error, { search }) : error;
}
