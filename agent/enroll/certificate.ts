import { createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { Fault } from "#core/fault.ts";

/** What a certificate is held against. */
export interface CertificateCheck {
  readonly key: KeyObject;
  readonly node: string;
  /** The pinned authority in PEM. */
  readonly ca: string;
}

/**
 * Whether what the server sent is a certificate for this key and name, of the pinned authority. Who carried it
 * is not believed. Its dates are left to the broker: the clock of a node may be wrong. Throws
 * `enroll/untrusted`.
 */
export function checkCertificate(pem: string, { key, node, ca }: CertificateCheck): void {
  const certificate = read(pem);
  const mine = createPublicKey(key).export({ type: "spki", format: "der" });
  if (!certificate.publicKey.export({ type: "spki", format: "der" }).equals(mine))
    throw new Fault("enroll/untrusted", "the certificate that came is for another key");
  if (/^CN=(.*)$/m.exec(certificate.subject)?.[1] !== node)
    throw new Fault("enroll/untrusted", `the certificate that came is not for ${node}`);
  const isOf = (authority: X509Certificate) =>
    authority.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
  const authorities = ca.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (certificate.ca || !authorities.some((each) => isOf(read(each))))
    throw new Fault("enroll/untrusted", "the certificate that came is not of the pinned authority");
}

/** From when to when a certificate is good, in milliseconds since 1970. */
export function validityOf(pem: string): { readonly fromMs: number; readonly untilMs: number } {
  const { validFrom, validTo } = read(pem);
  return { fromMs: Date.parse(validFrom), untilMs: Date.parse(validTo) };
}

/**
 * When to renew: after half of the time, and up to a tenth later. How much is the key's, so that a fleet
 * that was set up at once does not renew at once, and nothing has to be remembered.
 */
export function renewalMs(pem: string, fingerprint: string): number {
  const { fromMs, untilMs } = validityOf(pem);
  const share = Number.parseInt(fingerprint.slice(0, 8), 16) / 0x1_0000_0000;
  return Math.round(fromMs + (untilMs - fromMs) * (0.5 + 0.1 * share));
}

function read(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new Fault("enroll/untrusted", "what came is no certificate", { cause });
  }
}
