import { type Fault, isFault } from "#core/fault.ts";
import type { Random } from "#core/io.ts";
import { type BackOffBounds, backOffMs } from "./back-off.ts";
import { ClosedWithoutWord, MovedFault } from "./connect-fault.ts";
import type { BrokerPlace } from "./link-settings.ts";

/** How a try with a broker ended. */
export interface TryEnd {
  readonly fault: Fault;
  /** How long the connection held; 0 when there was none. */
  readonly heldMs: number;
}

/** What to do after a try. */
export interface NextTry {
  readonly waitMs: number;
  /** Somebody else connects as this node. */
  readonly conflict?: Conflict;
}

export interface Conflict {
  /** Whether the broker said so. */
  readonly isCertain: boolean;
  /** How often in a row. */
  readonly times: number;
}

/** Which of several brokers is tried when. */
export interface BrokerChoice {
  /** Index of the one to try now; 0 is the first in the settings. */
  current(): number;
  /** Takes note of how that went: says how long to wait, and may move on to another one. */
  ended(end: TryEnd): NextTry;
  /** How long to stay before the first broker is looked at again; `undefined` on the first. */
  lookBackMs(): number | undefined;
  /** The first one answers: it is tried next, and the one that works now after it. */
  goBack(): void;
}

/** A connection that held for so long counts as a success: the next wait is a short one. */
const steadyMs = 60_000;
/**
 * So many short connections in a row that the broker ended without a word: so MQTT 3.1.1 shows a second
 * client, and of brokers with MQTT 5 those that do not give the reason (mosquitto 2.0.11).
 */
const closingsOfConflict = 3;
/** After a connection that held for so long nobody remembers conflicts. */
const forgetConflictsMs = 2 * 3_600_000;
/** Two machines with one identity end each other's connections: the waits must soon be long ones. */
const conflictBounds: BackOffBounds = { backOffFirstMs: 30_000, backOffMostMs: 3_600_000 };
/** A broker that says that it has too much to do is left alone for longer than one that is away. */
const overloadBounds: BackOffBounds = { backOffFirstMs: 30_000, backOffMostMs: 900_000 };
/** Going back costs a short break, so it is tried less often each time that it led to nothing. */
const lookBackBounds: BackOffBounds = { backOffFirstMs: 1_800_000, backOffMostMs: 86_400_000 };

/**
 * Brokers in order, one round after another: between two of a round the wait is short, after a round
 * it grows. What worked is tried first when it is lost. A broker that names another one in its place
 * is followed where that one is in the list, and nowhere else: a broker does not choose whom a node trusts.
 */
export function brokerChoice(
  brokers: readonly Pick<BrokerPlace, "host" | "port">[],
  bounds: BackOffBounds,
  random: Random,
): BrokerChoice {
  const roundFrom = (first: number) => [first, ...brokers.keys()].filter(isFirstOfItsKind);
  let round = roundFrom(0);
  let rounds = 0;
  let lookBacks = 0;
  let overloads = 0;
  const conflicts = conflictCount();
  const current = () => round[0] ?? 0;

  function moveOn(end: TryEnd): number {
    overloads = isFault(end.fault, "link/overloaded") ? overloads + 1 : 0;
    const isSteady = end.heldMs >= steadyMs;
    const named = end.fault instanceof MovedFault ? placeOf(brokers, end.fault.reference) : -1;
    if (named >= 0 && named !== current()) {
      round = roundFrom(named);
      rounds += 1; // two that name each other are not followed at full speed
    } else if (isSteady) {
      if (current() === 0) lookBacks = 0;
      round = roundFrom(current());
      rounds = 1;
    } else {
      round = round.slice(1);
      if (round.length > 0) return backOffMs(1, bounds, random);
      round = roundFrom(0);
      rounds += 1;
    }
    const waitMs = backOffMs(rounds, bounds, random);
    return overloads === 0
      ? waitMs
      : Math.max(waitMs, backOffMs(overloads, overloadBounds, random));
  }

  return {
    current,
    ended(end) {
      const conflict = conflicts(end);
      if (conflict === undefined) return { waitMs: moveOn(end) };
      return { waitMs: backOffMs(conflict.times, conflictBounds, random), conflict };
    },
    lookBackMs: () =>
      current() === 0 ? undefined : backOffMs(lookBacks + 1, lookBackBounds, random),
    goBack() {
      lookBacks += 1;
      round = [0, ...roundFrom(current())].filter(isFirstOfItsKind);
    },
  };
}

/** Counts how often somebody else took this node's place. */
function conflictCount(): (end: TryEnd) => Conflict | undefined {
  let times = 0;
  let closings = 0;
  return ({ fault, heldMs }) => {
    if (heldMs >= forgetConflictsMs) times = 0;
    if (isFault(fault, "link/session-conflict")) {
      times += 1;
      return { isCertain: true, times };
    }
    const isClosing = fault instanceof ClosedWithoutWord;
    const isShort = heldMs < (times > 0 ? forgetConflictsMs : steadyMs);
    closings = isClosing && isShort ? closings + 1 : 0;
    if (closings < closingsOfConflict) return undefined;
    times += 1;
    return { isCertain: false, times };
  };
}

/** Index of the broker that a reference (`host`, `host:port`; several with spaces between) names, or -1. */
function placeOf(brokers: readonly Pick<BrokerPlace, "host" | "port">[], reference = ""): number {
  const named = reference.toLowerCase().split(" ");
  return brokers.findIndex(({ host, port }) => {
    const name = host.toLowerCase();
    const bracketed = name.includes(":") ? `[${name}]` : name;
    return [name, `${bracketed}:${port}`].some((each) => named.includes(each));
  });
}

function isFirstOfItsKind(index: number, at: number, all: readonly number[]): boolean {
  return all.indexOf(index) === at;
}
