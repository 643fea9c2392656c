import { Fault, isFault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";

/** One place in words, and what a pinned node knows it by. */
export interface Place {
  readonly place: string;
  readonly identity: string;
  readonly removable: boolean;
}

/** A place with a seed, not yet read. */
export interface Candidate<Seed> extends Place {
  /** Throws a `Fault` where the seed is broken. */
  readonly read: () => Seed;
}

/** The first candidate that could be read, and what became of the others. */
export interface FirstRead<Seed> {
  readonly used: (Place & { readonly seed: Seed }) | undefined;
  readonly problems: readonly { readonly candidate: Place; readonly fault: Fault }[];
  /** Those after the one that is used. */
  readonly unread: readonly Place[];
}

/** Reads candidates in order until one can be read. */
export function readFirst<Seed>(candidates: readonly Candidate<Seed>[]): FirstRead<Seed> {
  const problems: { candidate: Place; fault: Fault }[] = [];
  for (const [index, candidate] of candidates.entries()) {
    try {
      const { place, identity, removable } = candidate;
      const used = { place, identity, removable, seed: candidate.read() };
      return { used, problems, unread: candidates.slice(index + 1) };
    } catch (error) {
      if (!isFault(error)) throw error;
      problems.push({ candidate, fault: error });
    }
  }
  return { used: undefined, problems, unread: [] };
}

/** The fault of a machine none of whose seeds can be read: the only problem, or all in one. */
export function faultOfAll(problems: FirstRead<unknown>["problems"]): Fault | undefined {
  const first = problems[0];
  if (first === undefined || problems.length === 1) return first?.fault;
  const message = problems.map(({ fault }) => fault.message).join("; ");
  return new Fault(first.fault.code, message, {
    cause: first.fault,
    ...(first.fault.hint === undefined ? {} : { hint: first.fault.hint }),
  });
}

/** A warning for each place that was passed over because it is broken. */
export function findUnusable({ problems }: FirstRead<unknown>): readonly Finding[] {
  return problems.map(({ candidate, fault }) =>
    about(candidate, "datasource/unusable", `passed over: ${fault.message}`, fault.hint ?? null),
  );
}

/** A warning for each place that was not read because another one comes before it. */
export function findUnread({ unread, used }: FirstRead<unknown>): readonly Finding[] {
  const message = `not read: ${used?.place ?? "another place"} comes first`;
  return unread.map((place) =>
    about(place, "datasource/several", message, "remove the one that is not meant"),
  );
}

function about(
  { place }: Place,
  code: "datasource/unusable" | "datasource/several",
  message: string,
  hint: string | null,
): Finding {
  return {
    document: place,
    path: "",
    line: null,
    column: null,
    level: "warning",
    code,
    message,
    hint,
  };
}
