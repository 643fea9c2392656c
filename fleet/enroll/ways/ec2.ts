import type { X509Certificate } from "node:crypto";
import { Fault } from "#core/fault.ts";
import { openSignedMessage } from "../cms.ts";
import { documentFrom, requireText } from "./document.ts";
import type { ClaimContext, Proved } from "./way.ts";

/** Whose instances may enrol. */
export interface Ec2Policy {
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  /** Amazon's certificate of each region. */
  readonly certificates: ReadonlyMap<string, X509Certificate>;
  /** How long after its start an instance's document proves anything. */
  readonly freshnessMs: number;
}

/** Clocks of Amazon and of the server may differ by so much. */
const skewMs = 300_000;

/**
 * What an instance identity document proves (`instance-identity/rsa2048`,
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-identity-documents.html). It has no nonce
 * and no audience: it is good for a short time after the start, for one key, and for the region whose
 * certificate has signed it. Throws `enroll/document-invalid`, `enroll/document-stale`, `enroll/foreign`.
 */
export function proveByEc2(document: string, { nowMs }: ClaimContext, policy: Ec2Policy): Proved {
  const der = Buffer.from(document, "base64");
  const { said, region } = openByRegion(der, nowMs, policy);
  const account = requireText(said, "accountId");
  const instanceId = requireText(said, "instanceId");
  // A key of one region says nothing of another.
  if (requireText(said, "region") !== region)
    throw new Fault(
      "enroll/document-invalid",
      `the document is signed for ${region} and names another`,
    );
  if (!policy.regions.includes(region))
    throw new Fault("enroll/foreign", `the region ${region} is not allowed`);
  if (!policy.accounts.includes(account))
    throw new Fault("enroll/foreign", `the account ${account} is not allowed`);
  const startedMs = Date.parse(requireText(said, "pendingTime"));
  const ageMs = nowMs - startedMs;
  if (!(ageMs <= policy.freshnessMs && ageMs >= -skewMs))
    throw new Fault("enroll/document-stale", `the instance was started at ${said["pendingTime"]}`);
  if (!/^i-[0-9a-f]{8,32}$/.test(instanceId))
    throw new Fault("enroll/document-invalid", "the document names no instance");
  return { way: "ec2", once: `ec2:${instanceId}`, node: instanceId, replaces: false };
}

function openByRegion(der: Uint8Array, nowMs: number, { certificates }: Ec2Policy) {
  let last: unknown;
  for (const [region, certificate] of certificates) {
    try {
      const content = openSignedMessage(der, { signers: [certificate], nowMs });
      return { region, said: documentFrom(content) };
    } catch (error) {
      last = error;
    }
  }
  throw last ?? new Fault("enroll/document-invalid", "no certificate of Amazon is in the settings");
}
