import { readTrials } from "./history.ts";
import { readJournal } from "./journal.ts";
import { readGenerationRecord } from "./read-generation-record.ts";
import type { Work } from "./work.ts";

/** What the systems that stay refer to outside of the store. */
export interface Needed {
  /** Digests of sources that the journal or /etc/nixos names. */
  readonly sources: ReadonlySet<string>;
  /** Contents of sources that systems name themselves. */
  readonly contents: ReadonlySet<string>;
  /** Files of secrets; `null` where that is not known of one of them, so that none may go. */
  readonly credentials: ReadonlySet<string> | null;
  /** Scopes of instances. */
  readonly instances: ReadonlySet<string>;
}

/** Reads what systems need: from themselves, the journal, what is published, and where reports go. */
export function readNeeded(work: Work, toplevels: ReadonlySet<string>): Needed {
  const records = [...toplevels].map((toplevel) => readGenerationRecord(work.storeFiles, toplevel));
  const own = records.filter((record) => record !== undefined && record !== "unreadable");
  const closures = readTrials(work)
    .filter(
      ({ outcome, attempt }) => outcome === "committed" && toplevels.has(attempt.closure.toplevel),
    )
    .map(({ attempt }) => attempt.closure);
  const open = openWork(work);
  const isKnown = open.credentials !== null && !records.includes("unreadable");
  const credentials = [
    ...own.flatMap((record) => record.credentials),
    ...closures.flatMap((closure) => closure.credentials),
    ...reported(work),
    ...(open.credentials ?? []),
  ];
  return {
    sources: new Set([
      ...closures.flatMap(({ sourcesDigest }) => known(sourcesDigest)),
      ...published(work),
      ...open.sources,
    ]),
    contents: new Set(own.map((record) => record.content)),
    credentials: isKnown ? new Set(credentials) : null,
    instances: new Set(own.map((record) => record.instance)),
  };
}

interface OpenWork {
  readonly sources: readonly string[];
  readonly credentials: readonly string[] | null;
}

/** What is being built or tried; of what is not built yet the secrets are not known. */
function openWork({ io, paths }: Work): OpenWork {
  const state = readJournal(io.files, paths.journal).ledger.state;
  switch (state.state) {
    case "none":
      return { sources: [], credentials: [] };
    case "building":
      return { sources: known(state.sourcesDigest), credentials: null };
    default: {
      const { sourcesDigest, credentials } =
        state.state === "built" ? state.closure : state.attempt.closure;
      return { sources: known(sourcesDigest), credentials };
    }
  }
}

/** Sources of a fetched system may not be known here. */
function known(sourcesDigest: string | null): readonly string[] {
  return sourcesDigest === null ? [] : [sourcesDigest];
}

/** Sources that /etc/nixos leads to. */
function published({ io, paths }: Work): readonly string[] {
  return ["configuration.nix", "firstlight"].flatMap((name) => {
    const target = io.files.readLink(`${paths.etcNixos}/${name}`) ?? "";
    return /(?:^|\/)([0-9a-f]{64})\//.exec(target)?.[1] ?? [];
  });
}

/** Files of secrets that the reporting side was told of, also by a boot that was never committed. */
function reported({ io, paths }: Work): readonly string[] {
  return io.files.list(paths.report).flatMap((name) => {
    const file = `${paths.report}/${name}`;
    const text = io.files.stat(file)?.kind === "file" ? (io.files.readText(file) ?? "") : "";
    return text.match(/[A-Za-z0-9_.-]+@[0-9a-f]{16}/g) ?? [];
  });
}
