import { timeOf } from "./metadata.ts";
import { knownNowMs, type TimeContext } from "./time.ts";
import { floorMs, type TrustedState } from "./trusted.ts";

/** That what a node believes counts no longer, or not for long. */
export interface Freshness {
  /** `stale`: it has expired. `soon`: it is about to, and whoever is to renew it had the time. */
  readonly state: "soon" | "stale";
  readonly role: "root" | "targets" | "timestamp";
  readonly version: number;
  readonly expires: string;
}

/** What people sign is renewed by then. */
const soonMs = 7 * 86_400_000;
/** Of what a server signs by itself, the part of its time that is left. */
const soonShare = 0.25;

/**
 * Whether a node hears from its fleet still, by what it believes: `null` as long as all of it counts, or
 * nothing was ever taken. The owners' word comes before the server's: a server that is silent is told by
 * the timestamp. What only a clock says that nobody has set is not believed.
 */
export function freshnessOf(trusted: TrustedState, context: TimeContext): Freshness | null {
  const { root, targets, timestamp } = trusted;
  if (timestamp === undefined) return null;
  const nowMs = context.clockTrusted ? knownNowMs(trusted, context) : floorMs(trusted);
  const found = [
    ...look("root", root.signed, nowMs, soonMs),
    ...(targets === undefined ? [] : look("targets", targets.signed, nowMs, soonMs)),
    ...look("timestamp", timestamp.signed, nowMs, leftOf(timestamp.signed)),
  ];
  return found.find(({ state }) => state === "stale") ?? found[0] ?? null;
}

function look(
  role: Freshness["role"],
  { version, expires }: { readonly version: number; readonly expires: string },
  nowMs: number,
  beforeMs: number,
): readonly Freshness[] {
  const leftMs = timeOf(expires, role) - nowMs;
  if (leftMs > beforeMs) return [];
  return [{ state: leftMs > 0 ? "soon" : "stale", role, version, expires }];
}

/** So long before its end a timestamp should have been renewed; 0 where it does not say when it was made. */
function leftOf({
  expires,
  issued,
}: {
  readonly expires: string;
  readonly issued?: string;
}): number {
  if (issued === undefined) return 0;
  return Math.max(0, timeOf(expires, "timestamp") - timeOf(issued, "issued")) * soonShare;
}

/** The same for a person. */
export function freshnessText({ state, role, version, expires }: Freshness): string {
  return state === "stale"
    ? `${role} ${version} expired at ${expires}, and nothing newer came`
    : `${role} ${version} expires at ${expires}, and nothing newer came yet`;
}
