import { Fault } from "#core/fault.ts";
import type { Candidate } from "./candidates.ts";
import type { Exchange } from "./exchange.ts";

/** A way that answers for another machine. */
interface OtherWay {
  readonly candidate: Candidate;
  readonly exchange: Exchange;
  /** What it calls the machine; `null` where it does not say. */
  readonly speaksOf: string | null;
}

/** Characters of a name that a message holds. */
const mostShown = 64;

/** A name that a service gives a machine, for a message. */
export function shownMachine(name: string | null): string {
  return name === null ? "none by name" : JSON.stringify(name.slice(0, mostShown));
}

/**
 * A service of this cloud that speaks of another machine: a neighbour, or one that only pretends. That may be
 * another tomorrow, so it is no fault of the machine's input.
 */
export class OtherMachine extends Fault<"datasource/unreachable"> {
  readonly candidate: Candidate;
  readonly exchange: Exchange;
  readonly speaksOf: string | null;

  constructor({ candidate, exchange, speaksOf }: OtherWay, expected: readonly string[]) {
    super(
      "datasource/unreachable",
      `${candidate.url}: it speaks of ${shownMachine(speaksOf)}, this machine is ${shownMachine(expected[0] ?? null)}`,
      { hint: "another answers in the place of the metadata service: look who has this address" },
    );
    this.candidate = candidate;
    this.exchange = exchange;
    this.speaksOf = speaksOf;
  }
}
