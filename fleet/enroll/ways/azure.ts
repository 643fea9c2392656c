import type { X509Certificate } from "node:crypto";
import { Fault } from "#core/fault.ts";
import { digitsOf } from "#protocol/enroll/challenge.ts";
import { openSignedMessage } from "../cms.ts";
import { type CloudDocument, documentFrom, requireText } from "./document.ts";
import type { ClaimContext, Proved } from "./way.ts";

/** Whose machines may enrol. */
export interface AzurePolicy {
  readonly subscriptions: readonly string[];
  readonly authorities: readonly X509Certificate[];
  readonly hosts: readonly string[];
}

/**
 * What an attested document proves, made with the digits of the challenge as its nonce
 * (https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service, "Attested data").
 * Throws `enroll/document-invalid`, `enroll/document-stale`, `enroll/foreign`.
 */
export function proveByAzure(
  document: string,
  { challenge, nowMs }: ClaimContext,
  { subscriptions, authorities, hosts }: AzurePolicy,
): Proved {
  const content = openSignedMessage(Buffer.from(document, "base64"), { authorities, hosts, nowMs });
  const said = documentFrom(content);
  if (said["nonce"] !== digitsOf(challenge))
    throw new Fault("enroll/document-invalid", "the document was made for another challenge");
  if (!(nowMs <= expiryOf(said)))
    throw new Fault("enroll/document-stale", "the document has expired");
  const subscription = requireText(said, "subscriptionId").toLowerCase();
  if (!subscriptions.some((each) => each.toLowerCase() === subscription))
    throw new Fault("enroll/foreign", `the subscription ${subscription} is not allowed`);
  const machine = requireText(said, "vmId").toLowerCase();
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(machine))
    throw new Fault("enroll/document-invalid", "the document names no machine");
  return { way: "azure", once: `azure:${machine}`, node: machine, replaces: false };
}

/** As Azure writes times: `11/20/18 22:16:32 -0000`. */
function expiryOf(said: CloudDocument): number {
  const times = said["timeStamp"] as { readonly expiresOn?: unknown } | undefined;
  const parts = /^(\d{2})\/(\d{2})\/(\d{2}) (\d{2}:\d{2}:\d{2}) -0000$/.exec(
    String(times?.expiresOn),
  );
  if (parts === null) return Number.NaN;
  const [, month, day, year, time] = parts;
  return Date.parse(`20${year}-${month}-${day}T${time}Z`);
}
