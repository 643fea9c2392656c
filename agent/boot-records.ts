import { prettyJson } from "#core/canonical-json.ts";
import type { Files, Io } from "#core/io.ts";
import type { Asker } from "./boot-stages.ts";
import type { Search } from "./datasources/search.ts";
import type { Outcome } from "./outcome.ts";

/** What is remembered of one boot, or of a change that a person asked for. */
export interface BootRecord
  extends Pick<
    Outcome,
    "bootId" | "outcome" | "message" | "datasource" | "stages" | "startedAt" | "finishedAt"
  > {
  readonly by: Asker;
  readonly search: Search;
}

/** Root-only, as the journal: the newest boots, oldest first. */
const recordsFile = "/var/lib/firstlight/boots.json";
const mostRecords = 20;
const maxBytes = 8 * 1024 * 1024;

/** Remembers a boot, of an outcome what is of use for it. Not synced: what a power cut takes of it is no loss to the machine. */
export function rememberBoot({ files }: Pick<Io, "files">, record: BootRecord): void {
  const { bootId, by, outcome, message, datasource, stages, startedAt, finishedAt, search } =
    record;
  const kept: BootRecord = {
    ...{ bootId, by, outcome, message, datasource, startedAt, finishedAt, stages, search },
  };
  const boots = [...readBoots(files), kept].slice(-mostRecords);
  files.unsynced.write(recordsFile, prettyJson({ v: 1, boots }), { mode: 0o600 });
}

function isRecord(value: unknown): value is BootRecord {
  const { stages, search, outcome, startedAt } = (value ?? {}) as Partial<BootRecord>;
  return (
    Array.isArray(stages) &&
    [search?.tried, search?.exchanges].every((each) => Array.isArray(each)) &&
    [outcome, startedAt].every((each) => typeof each === "string")
  );
}

/** The boots that are remembered, oldest first. A record that is torn, or of another version, is none. */
export function readBoots(files: Files): readonly BootRecord[] {
  try {
    const text = files.readText(recordsFile, { maxBytes }) ?? "null";
    const value = JSON.parse(text) as { readonly v?: unknown; readonly boots?: unknown } | null;
    return value?.v === 1 && Array.isArray(value.boots) ? value.boots.filter(isRecord) : [];
  } catch {
    return [];
  }
}
