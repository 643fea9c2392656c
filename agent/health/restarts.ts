import type { Failure } from "./judge.ts";
import { isOfChange } from "./own-units.ts";
import type { ServiceState } from "./probe-systemd.ts";

/** What was known of a service before a trial that had been restarted by systemd by then. */
export interface Restarted {
  readonly unit: string;
  /** Since it was last started by anybody else. */
  readonly restarts: number;
  /** Whether it was at it: waited to be restarted, or had been restarted a short while ago. */
  readonly lately: boolean;
}

/** Remembers from look to look how often services were restarted. */
export interface RestartWatch {
  /** What of `services` counts as a failure of the round that is made at `nowMs`. */
  look(services: readonly ServiceState[], nowMs: number): readonly Failure[];
}

/** What a watch goes by. */
export interface RestartWatchOptions {
  /** Before the trial; where that is `null` the first look is what later ones are held against. */
  readonly before: readonly Restarted[] | null;
  /** Whether services that were at it before are let be. */
  readonly excuses: boolean;
  /** Of the whole watch. */
  readonly timeoutMs: number;
}

/** So long a service that fell has to be up at least, where the watch is four times as long. */
const leastUpMs = 30_000;

/** A unit that is restarted less than once in this time is not taken for one that always is. */
const latelyMs = 600_000;

/** How a service fares. */
interface Fare {
  readonly restarts: number;
  readonly startedMs: number | null;
  /** Whether the last end of it that was seen was as it should be. */
  readonly endsWell: boolean;
  /** Restarts that count against the trial. */
  readonly counted: number;
  /** When it was last seen to have fallen, and the longest time from one restart to the next. */
  readonly fell: { readonly atMs: number; readonly apartMs: number } | null;
}

/**
 * Watches for services that fall and are started again by systemd, below the limit at which it would
 * call them failed. A service fails the round
 * - in which it waits to be restarted after it ended badly;
 * - in which it was restarted more often than at the look before, or than before the trial;
 * - and every later one until it has been up for 30 s (a quarter of a watch that is shorter than two
 *   minutes), and for longer than it took from one restart to the next.
 *
 * Then passes and soak begin anew: one that fell once and stays up is well, one that falls every so
 * often never has enough rounds in a row from the moment when it was first seen. A counter that went
 * down was set to nothing by a start, and what it says now came after it.
 *
 * systemd forgets how a run ended when the next one begins, so only of a service that waits it is
 * known. One that was last seen to end well is restarted on purpose, as with `Restart=always` around a
 * program that does its work and ends, and so is one with `Restart=on-success`. Whatever else is
 * restarted has failed, as far as anybody can tell. Units of the change itself are not looked at
 * ({@link isOfChange}).
 */
export function watchRestarts({ before, excuses, timeoutMs }: RestartWatchOptions): RestartWatch {
  const upMs = Math.min(leastUpMs, timeoutMs / 4);
  const fares = new Map<string, Fare>();
  const earlier = new Map((before ?? []).map((one) => [one.unit, one]));
  const first = ({ unit, restarts }: ServiceState): Fare => ({
    restarts: before === null ? restarts : (earlier.get(unit)?.restarts ?? 0),
    ...{ startedMs: null, endsWell: false, counted: 0, fell: null },
  });
  return {
    look: (services, nowMs) =>
      services.filter(isWatched).flatMap((service) => {
        const { unit } = service;
        if (excuses && earlier.get(unit)?.lately === true) return [];
        const fare = goOn(fares.get(unit) ?? first(service), service, nowMs);
        fares.set(unit, fare);
        const { fell } = fare;
        const stands = fell === null || nowMs - fell.atMs > Math.max(upMs, fell.apartMs);
        return stands ? [] : [failure(service, fare)];
      }),
  };
}

/** What there is to know of services before a trial; `uptimeMs` of the machine, where it is known. */
export function readRestarted(
  services: readonly ServiceState[],
  uptimeMs: number | null,
): readonly Restarted[] {
  return services.filter(isWatched).flatMap((service) => {
    const { unit, restarts, startedMs } = service;
    const age = uptimeMs === null || startedMs === null ? -1 : uptimeMs - startedMs;
    const again = restarts > 0 && age >= 0 && age < latelyMs;
    const lately = waitsAfterFailure(service) || again;
    return restarts > 0 || lately ? [{ unit, restarts, lately }] : [];
  });
}

function isWatched({ unit }: ServiceState): boolean {
  return !isOfChange(unit);
}

function waitsAfterFailure({ waits, result }: ServiceState): boolean {
  return waits && result !== "success";
}

function goOn(fare: Fare, service: ServiceState, nowMs: number): Fare {
  const { restarts, startedMs, waits, result, policy } = service;
  const seen = { restarts, startedMs };
  const endsWell = waits ? result === "success" : policy === "on-success" || fare.endsWell;
  if (endsWell) return { ...seen, endsWell, counted: 0, fell: null };
  const rise = restarts >= fare.restarts ? restarts - fare.restarts : restarts;
  const counted = fare.counted + rise;
  if (rise === 0 && !waits) return { ...seen, endsWell, counted, fell: fare.fell };
  const apart =
    rise === 0 || startedMs === null || fare.startedMs === null
      ? 0
      : (startedMs - fare.startedMs) / rise;
  const apartMs = Math.max(fare.fell?.apartMs ?? 0, apart);
  return { ...seen, endsWell, counted, fell: { atMs: nowMs, apartMs } };
}

/** By the same name as of a unit that has failed: that is what becomes of some. */
function failure({ unit, result }: ServiceState, { counted }: Fare): Failure {
  const times = counted === 1 ? "once" : `${counted} times`;
  const what =
    counted === 0
      ? `ended with ${result}, and is to be restarted`
      : `restarted ${times} since it was tried`;
  return { name: `unit ${unit}`, message: `unit ${unit}: ${what}` };
}
