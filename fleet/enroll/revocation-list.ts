import { AsnConvert } from "@peculiar/asn1-schema";
import {
  CertificateList,
  CRLNumber,
  id_ce_cRLNumber,
  RevokedCertificate,
  TBSCertList,
  Time,
  Version,
} from "@peculiar/asn1-x509";
import type { Authority } from "./authority.ts";
import {
  authorityKey,
  extension,
  nameOf,
  signatureAlgorithm,
  signDer,
  toPem,
} from "./certificate.ts";

/** A certificate that counts no more. */
export interface RevokedSerial {
  /** Upper-case hexadecimal. */
  readonly serial: string;
  readonly revokedMs: number;
}

/**
 * The list of revoked certificates in PEM (RFC 5280, section 5), for brokers that take one. A broker
 * refuses everybody when the list is older than `nextUpdateMs`, so it says a long time.
 */
export function revocationList(
  authority: Authority,
  revoked: readonly RevokedSerial[],
  { nowMs, nextUpdateMs }: { readonly nowMs: number; readonly nextUpdateMs: number },
): string {
  const signature = signatureAlgorithm(authority.key);
  const list = new TBSCertList({
    version: Version.v2,
    signature,
    issuer: nameOf(authority.subject),
    thisUpdate: new Time(new Date(nowMs)),
    nextUpdate: new Time(new Date(nextUpdateMs)),
    ...(revoked.length === 0 ? {} : { revokedCertificates: revoked.map(entry) }),
    crlExtensions: [
      authorityKey(authority.key),
      extension(id_ce_cRLNumber, new CRLNumber(Math.floor(nowMs / 1000))),
    ],
  });
  const signed = new CertificateList({
    tbsCertList: list,
    signatureAlgorithm: signature,
    signature: new Uint8Array(signDer(AsnConvert.serialize(list), authority.key)).buffer,
  });
  return toPem("X509 CRL", AsnConvert.serialize(signed));
}

function entry({ serial, revokedMs }: RevokedSerial): RevokedCertificate {
  return new RevokedCertificate({
    userCertificate: new Uint8Array(Buffer.from(serial, "hex")).buffer,
    revocationDate: new Time(new Date(revokedMs)),
  });
}
