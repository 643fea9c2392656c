import { isFault } from "#core/fault.ts";
import type { Log } from "#core/log.ts";
import { challengePath, claimPath, maxRequestBytes } from "#protocol/enroll/limits.ts";
import { answerChallenge, answerClaim, type EnrolDeps } from "./enrol.ts";
import type { Pace } from "./peer-pace.ts";

/** What came over HTTP, whichever server took it. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  /** Address of who asks. */
  readonly peer: string;
  /** The whole body, or `undefined` where it is larger than {@link maxRequestBytes}. */
  readonly body: string | undefined;
}

/** What goes back: JSON. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: object;
}

/** What answering needs beside what deciding needs. */
export interface HandleDeps extends EnrolDeps {
  readonly pace: Pace;
  readonly log: Log;
}

/**
 * Answers a request to the enrolment server; free of the server that brought it. What was decided has the
 * status 200, a refusal too; other statuses say that nothing was decided. Never throws.
 */
export async function handleEnrolment(deps: HandleDeps, request: HttpRequest): Promise<HttpAnswer> {
  const { method, path, peer, body } = request;
  if (path !== challengePath && path !== claimPath) return said(404, "there is no such address");
  if (method !== "POST") return said(405, "expected POST");
  if (!deps.pace.allows(peer, deps.now())) return said(429, "asked too often");
  if (body === undefined) return said(413, `expected at most ${maxRequestBytes} bytes`);
  try {
    if (path === challengePath) return { status: 200, body: await answerChallenge(deps, body) };
    const answer = await answerClaim(deps, body, peer);
    const { kind } = answer;
    const about =
      kind === "certificate"
        ? { node: answer.node }
        : kind === "refused"
          ? { code: answer.code, message: answer.message }
          : {};
    deps.log.info("enroll.answered", { kind, peer, ...about });
    return { status: 200, body: answer };
  } catch (error) {
    if (isFault(error, "enroll/malformed")) return said(400, error.message);
    if (isFault(error, "enroll/busy")) return said(503, error.message);
    const message = error instanceof Error ? error.message : String(error);
    deps.log.error("enroll.failed", { peer, message });
    return said(500, "the server could not decide");
  }
}

function said(status: number, message: string): HttpAnswer {
  return { status, body: { v: 1, message } };
}
