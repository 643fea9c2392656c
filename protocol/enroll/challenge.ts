import { createHash } from "node:crypto";

/** How long a challenge is good for. */
export const challengeMs = 600_000;

/** Form of a challenge: when it was made, and the server's mark. */
export const challengePattern = /^[0-9a-z]{1,12}\.[A-Za-z0-9_-]{43}$/;

/**
 * The audience that a node has its cloud write into a token: the enrolment server's address with the
 * challenge, so that the token is good at this server, for this key and now.
 */
export function audienceOf(url: string, challenge: string): string {
  return `${url.replace(/\/+$/, "")}/enroll/1?challenge=${challenge}`;
}

/** The same as the ten digits that Azure takes as a nonce. */
export function digitsOf(challenge: string): string {
  const digest = createHash("sha256").update(`firstlight-enroll-digits\0${challenge}`).digest();
  return (digest.readBigUInt64BE(0) % 10_000_000_000n).toString().padStart(10, "0");
}
