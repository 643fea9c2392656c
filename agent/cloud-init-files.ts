import { type Json, prettyJson } from "#core/canonical-json.ts";
import { formatFinding } from "#core/finding.ts";
import type { Files, Io } from "#core/io.ts";
import type { Instance } from "./datasources/datasource.ts";
import type { Outcome } from "./outcome.ts";

const runDirectory = "/run/cloud-init";
const stateDirectory = "/var/lib/cloud";
const statusFile = `${runDirectory}/status.json`;

const stages = ["init-local", "init", "modules-config", "modules-final"] as const;

/** `status.json`, with a mark of who wrote it: nothing of cloud-init's own is ever replaced. */
interface CloudInitStatus {
  readonly firstlight: true;
  readonly v1: {
    readonly datasource: string | null;
    /** Stage that runs; `null` when all have ended. */
    readonly stage: (typeof stages)[number] | null;
  } & { readonly [stage in (typeof stages)[number]]: StageStatus };
}

/** Times in seconds since 1970. */
interface StageStatus {
  readonly start: number | null;
  readonly finished: number | null;
  readonly errors: readonly string[];
  readonly recoverable_errors: { readonly [level: string]: readonly string[] };
}

const noErrors = { errors: [], recoverable_errors: {} } as const;

/**
 * Leaves the files by which other programs learn from cloud-init which machine this is: instance data,
 * `cloud-id`, a status that runs, the link to the instance
 * (https://docs.cloud-init.io/en/latest/reference/cli.html, explanation/instance-data.html). There is no
 * secret among them, so that the copy for root holds the same; user-data is in neither. Where cloud-init
 * itself is at work nothing is written.
 */
export function writeCloudInitInstance(
  io: Io,
  instance: Instance,
  data: { readonly v1: { readonly cloud_id: string } } & { readonly [key: string]: Json },
): void {
  if (isCloudInits(io.files)) return;
  const { files } = io;
  const datasource = datasourceText(instance.datasource.name, instance.datasource.place);
  const now = io.clock.now() / 1000;
  const done: StageStatus = { ...noErrors, start: now, finished: now };
  const status: CloudInitStatus = {
    firstlight: true,
    v1: {
      ...{ datasource, stage: "modules-config", "init-local": done, init: done },
      "modules-config": { ...noErrors, start: now, finished: null },
      "modules-final": { ...noErrors, start: null, finished: null },
    },
  };
  files.write(statusFile, prettyJson({ ...status }), { mode: 0o644 });
  const text = prettyJson({ base64_encoded_keys: [], sensitive_keys: [], ...data });
  files.write(`${runDirectory}/instance-data.json`, text, { mode: 0o644 });
  files.write(`${runDirectory}/instance-data-sensitive.json`, text, { mode: 0o600 });
  const { cloud_id: cloudId } = data.v1;
  const idFile = `${runDirectory}/cloud-id-${pathPart(cloudId)}`;
  files.write(idFile, `${cloudId}\n`, { mode: 0o644 });
  files.link(idFile, `${runDirectory}/cloud-id`);
  writeState(files.unsynced, instance.instanceId, datasource);
}

/** What can be made again from the datasource, and so is not synced. */
function writeState(files: Files, instanceId: string, datasource: string): void {
  const directory = `${stateDirectory}/instances/${pathPart(instanceId)}`;
  const link = `${stateDirectory}/instance`;
  writeOther(files, `${directory}/datasource`, `${datasource}\n`);
  if (files.readLink(link) !== directory) files.link(directory, link);
  writeOther(files, `${stateDirectory}/data/instance-id`, `${instanceId}\n`);
  // It is waited for: this boot has not come to its end.
  files.remove(`${directory}/boot-finished`);
}

/**
 * The end of a boot for those who wait for cloud-init's: `result.json`, `boot-finished`, and a status in
 * which nothing runs. A machine that restarts has not come to an end; one that is not firstlight's has none.
 */
export function writeCloudInitResult({ files }: Io, outcome: Outcome): void {
  if (outcome.outcome === "rebooting" || outcome.outcome === "disabled") return;
  if (isCloudInits(files)) return;
  const isDone = outcome.outcome === "committed" || outcome.outcome === "unchanged";
  const errors = isDone ? [] : [outcome.message];
  const { degraded } = outcome;
  const datasource =
    readStatus(files)?.v1.datasource ??
    (outcome.datasource === null ? null : datasourceText(outcome.datasource));
  const [start, finished] = [outcome.startedAt, outcome.finishedAt].map(seconds) as [
    number,
    number,
  ];
  const stage: StageStatus = { ...noErrors, start, finished };
  const status: CloudInitStatus = {
    firstlight: true,
    v1: {
      ...{ datasource, stage: null, "init-local": stage, init: stage, "modules-config": stage },
      "modules-final": {
        ...{ start, finished, errors },
        recoverable_errors: degraded ? { WARNING: warningsOf(outcome) } : {},
      },
    },
  };
  const result = prettyJson({ v1: { datasource, errors } });
  files.write(statusFile, prettyJson({ ...status }), { mode: 0o644 });
  files.write(`${runDirectory}/result.json`, result, { mode: 0o644 });
  const state = files.unsynced;
  state.write(`${stateDirectory}/data/status.json`, prettyJson({ ...status }), { mode: 0o644 });
  state.write(`${stateDirectory}/data/result.json`, result, { mode: 0o644 });
  const instance = state.readLink(`${stateDirectory}/instance`);
  if (instance !== undefined && outcome.instanceId !== null)
    state.write(`${instance}/boot-finished`, `${outcome.finishedAt}\n`, { mode: 0o644 });
}

/** What was not done: the findings, or in one sentence what the outcome says of it. */
function warningsOf({ findings, message }: Outcome): readonly string[] {
  const lost = findings.filter(({ level }) => level !== "note").map(formatFinding);
  return lost.length === 0 ? [message] : lost;
}

/** As its status says the datasource: like the name of a class. */
function datasourceText(name: string, place?: string): string {
  const text = `DataSource${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
  return place === undefined ? text : `${text} [${place}]`;
}

/** A status in this boot that is not ours. */
function isCloudInits(files: Files): boolean {
  return files.stat(statusFile) !== undefined && readStatus(files) === undefined;
}

/** Our own. */
function readStatus(files: Files): CloudInitStatus | undefined {
  if (files.stat(statusFile)?.kind !== "file") return undefined; // cloud-init's is a link
  try {
    const value: unknown = JSON.parse(files.readText(statusFile) ?? "");
    const isOurs = (value as { readonly firstlight?: unknown } | null)?.firstlight === true;
    return isOurs ? (value as CloudInitStatus) : undefined;
  } catch {
    return undefined;
  }
}

function writeOther(files: Files, path: string, text: string): void {
  if (files.readText(path) !== text) files.write(path, text, { mode: 0o644 });
}

/** A text that a cloud says, as the name of one file. */
function pathPart(text: string): string {
  const name = text.replace(/[/\0]/g, "_").slice(0, 200);
  return /^\.{0,2}$/.test(name) ? "_" : name;
}

function seconds(timestamp: string): number {
  return Date.parse(timestamp) / 1000;
}
