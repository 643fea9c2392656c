import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { Fault } from "#core/fault.ts";
import { audienceOf } from "#protocol/enroll/challenge.ts";
import { documentFrom, requireText } from "./document.ts";
import type { ClaimContext, Proved } from "./way.ts";

/** Whose instances may enrol. */
export interface GcePolicy {
  readonly projects: readonly string[];
  readonly issuer: string;
  /** Address of this server, as nodes have it. */
  readonly url: string;
  readonly keys: JWTVerifyGetKey;
}

const skewSeconds = 60;

/**
 * What an instance's identity token proves, made with `format=full` for our audience, which holds the
 * challenge (https://cloud.google.com/compute/docs/instances/verifying-instance-identity). Throws
 * `enroll/document-invalid`, `enroll/document-stale`, `enroll/foreign`, `enroll/busy`.
 */
export async function proveByGce(
  token: string,
  { challenge, nowMs }: ClaimContext,
  policy: GcePolicy,
): Promise<Proved> {
  const payload = await verified(token, { challenge, nowMs }, policy);
  const google = payload["google"] as { readonly compute_engine?: unknown } | undefined;
  const said = documentFrom(Buffer.from(JSON.stringify(google?.compute_engine ?? null)));
  const project = requireText(said, "project_id");
  const instanceId = requireText(said, "instance_id");
  if (!policy.projects.includes(project))
    throw new Fault("enroll/foreign", `the project ${project} is not allowed`);
  if (!/^[0-9]{1,32}$/.test(instanceId))
    throw new Fault("enroll/document-invalid", "the token names no instance");
  return { way: "gce", once: `gce:${instanceId}`, node: `gce-${instanceId}`, replaces: false };
}

async function verified(
  token: string,
  { challenge, nowMs }: Pick<ClaimContext, "challenge" | "nowMs">,
  { url, issuer, keys }: GcePolicy,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      ...{ issuer, audience: audienceOf(url, challenge), algorithms: ["RS256"] },
      ...{
        currentDate: new Date(nowMs),
        clockTolerance: skewSeconds,
        requiredClaims: ["exp", "iat"],
      },
    });
    return payload;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof errors.JWTExpired)
      throw new Fault("enroll/document-stale", "the token has expired");
    if (
      error instanceof errors.JWKSNoMatchingKey ||
      error instanceof errors.JWSSignatureVerificationFailed
    )
      throw new Fault("enroll/document-invalid", "the token is not signed by a key of Google");
    if (error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout))
      throw new Fault("enroll/document-invalid", `the token: ${message}`);
    throw new Fault("enroll/busy", `Google's keys cannot be had: ${message}`, { cause: error });
  }
}
