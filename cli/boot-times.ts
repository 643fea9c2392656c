import type { BootRecord } from "#agent/boot-records.ts";
import type { Attempt } from "#agent/datasources/discover.ts";
import type { MetadataAttempt } from "#agent/datasources/metadata/service.ts";
import { counted } from "#core/count.ts";
import { printable } from "#core/printable.ts";

/** What took time in a boot, the longest first. */
export interface Cost {
  readonly what: string;
  readonly ms: number;
}

/** Datasources are many, and what most of them cost is nothing. */
const toldMs = 1;

/** Stages, datasources and exchanges of a boot by the time they took. */
export function costsOf({ stages, search }: BootRecord): readonly Cost[] {
  const all = [
    ...stages.map(({ stage, ms }) => ({ what: stage, ms })),
    ...search.tried
      .map(({ name, ms = 0 }) => ({ what: `discover/${name}`, ms }))
      .filter(({ ms }) => ms >= toldMs),
    ...search.exchanges.map((exchange) => ({
      what: `discover/${requestOf(exchange)}`,
      ms: exchange.ms,
    })),
  ];
  return all.sort((a, b) => b.ms - a.ms);
}

/** One datasource as a line: what came of it, how long it took, and what was seen. */
export function attemptLine({ name, result, evidence, ms }: Attempt): string {
  const seen = evidence.length === 0 ? "" : `: ${printable(evidence.join("; "))}`;
  return `${printable(name)}: ${result} after ${ms} ms${seen}`;
}

/** One exchange as a line: when, what, over which way, what came of it. */
export function exchangeLine(exchange: MetadataAttempt): string {
  const { atMs, ms, status, error } = exchange;
  return `${atMs} ms: ${requestOf(exchange)}: ${status ?? printable(error ?? "nothing")} after ${ms} ms`;
}

function requestOf({ method, url, from }: MetadataAttempt): string {
  return `${method} ${printable(url)}${from === null ? "" : ` from ${printable(from)}`}`;
}

/** A boot in the order in which it went. */
export function showText(boot: BootRecord): string {
  const { stages, search, startedAt, finishedAt } = boot;
  const { tried, exchanges, unrecorded } = search;
  const known = tried.filter(({ result }) => result !== "absent");
  const absent = tried.length - known.length;
  const lines = [
    titleOf(boot),
    ...stages.map(({ stage, ms }) => `  ${inMs(ms)}  ${stage}`),
    ...known.map(
      ({ name, result, place, ms }) =>
        `  ${name}: ${result}${ms === undefined ? "" : ` after ${ms} ms`}${place === null ? "" : `, ${printable(place)}`}`,
    ),
    ...(absent === 0 ? [] : [`  ${counted(absent, "datasource")} absent`]),
    ...exchanges.map((exchange) => `  at ${exchangeLine(exchange)}`),
    ...(unrecorded === 0 ? [] : [`  and ${counted(unrecorded, "exchange")} more`]),
    `  ${inMs(Date.parse(finishedAt) - Date.parse(startedAt))}  in all`,
  ];
  return lines.join("\n");
}

/** A boot by what it cost. */
export function blameText(boot: BootRecord): string {
  return [titleOf(boot), ...costsOf(boot).map(({ what, ms }) => `  ${inMs(ms)}  ${what}`)].join(
    "\n",
  );
}

function titleOf({ startedAt, by, outcome, message, datasource, bootId }: BootRecord): string {
  const from = datasource === null ? "" : `, ${datasource}`;
  return `${startedAt} ${by}: ${outcome}${from} (boot ${bootId}): ${printable(message)}`;
}

function inMs(ms: number): string {
  return `${ms.toFixed(1).padStart(10)} ms`;
}
