import { Fault } from "#core/fault.ts";
import { timeOf, timeText } from "./metadata.ts";
import { floorMs, type TrustedState } from "./trusted.ts";

/** What the node knows of the time. */
export interface TimeContext {
  /** Milliseconds since 1970 by the node's clock. */
  readonly nowMs: number;
  /** Whether the clock was set by somebody who knows the time. */
  readonly clockTrusted: boolean;
}

/** The latest that is known of the time: the clock, or the floor where that is later. */
export function knownNowMs(trusted: TrustedState, { nowMs }: TimeContext): number {
  return Math.max(nowMs, floorMs(trusted));
}

/**
 * TUF 1.0, sections 5.3.10 and its likes: not expired. Throws `trust/expired`; `trust/clock-untrusted`
 * where only a clock says so that nobody has set.
 */
export function requireFresh(
  { expires }: { readonly expires: string },
  what: string,
  trusted: TrustedState,
  context: TimeContext,
): void {
  const expiresMs = timeOf(expires, what);
  if (expiresMs > knownNowMs(trusted, context)) return;
  const message = `${what}: expired at ${expires}`;
  if (expiresMs <= floorMs(trusted) || context.clockTrusted) {
    throw new Fault("trust/expired", message);
  }
  throw new Fault("trust/clock-untrusted", `${message} by a clock that nobody has set`);
}

/**
 * The state with the floor raised to what a verified role says of the time. It never goes down, and
 * never past a clock that was set: who holds one key must not end the time of everything else.
 */
export function raiseFloor(
  trusted: TrustedState,
  issued: string | undefined,
  { nowMs, clockTrusted }: TimeContext,
): TrustedState {
  if (issued === undefined) return trusted;
  const issuedMs = timeOf(issued, "issued");
  const raisedMs = clockTrusted ? Math.min(issuedMs, Math.max(0, nowMs)) : issuedMs;
  return raisedMs > floorMs(trusted) ? { ...trusted, timeFloor: timeText(raisedMs) } : trusted;
}
