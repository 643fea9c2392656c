import { createHmac, timingSafeEqual } from "node:crypto";
import { challengeMs, challengePattern } from "#protocol/enroll/challenge.ts";

/** Clocks of several servers of one fleet may differ by so much. */
const skewMs = 60_000;

/**
 * A challenge for a key: the time and the server's mark on both. Nothing is kept of it, so that asking
 * for challenges fills no database.
 */
export function makeChallenge(secret: Uint8Array, fingerprint: string, nowMs: number): string {
  const time = Math.floor(nowMs).toString(36);
  return `${time}.${markOf(secret, time, fingerprint)}`;
}

/** Whether a challenge was made here, for this key, and not long ago. */
export function isChallengeGood(
  challenge: string,
  { secret, fingerprint, nowMs }: { secret: Uint8Array; fingerprint: string; nowMs: number },
): boolean {
  if (!challengePattern.test(challenge)) return false;
  const [time = "", mark = ""] = challenge.split(".");
  const wanted = Buffer.from(markOf(secret, time, fingerprint));
  if (!timingSafeEqual(wanted, Buffer.from(mark))) return false;
  const ageMs = nowMs - Number.parseInt(time, 36);
  return ageMs <= challengeMs && ageMs >= -skewMs;
}

function markOf(secret: Uint8Array, time: string, fingerprint: string): string {
  return createHmac("sha256", secret)
    .update(`challenge\0${time}\0${fingerprint}`)
    .digest("base64url");
}
