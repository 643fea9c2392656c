import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from "@peculiar/asn1-x509";
import { nodeKeyKind } from "#protocol/enroll/node-key.ts";

/** Who is named in a certificate. */
export interface Subject {
  readonly commonName: string;
  readonly organization?: string;
}

/** Who signs: an authority's key and its name. */
export interface Issuer {
  readonly subject: Subject;
  readonly key: KeyObject;
}

/** What a certificate is for; nothing else is ever issued. */
export type Purpose =
  | { readonly kind: "authority" }
  | { readonly kind: "client" }
  /** Host names and addresses of a server. */
  | { readonly kind: "server"; readonly names: readonly string[] };

/** A certificate to be made. */
export interface CertificateOrder {
  readonly issuer: Issuer;
  readonly subject: Subject;
  readonly publicKey: KeyObject;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly purpose: Purpose;
}

/** A certificate that was made. */
export interface Issued {
  readonly pem: string;
  /** Serial number in upper-case hexadecimal, as OpenSSL prints it. */
  readonly serial: string;
}

const oids = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  ed25519: "1.3.101.112",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
};

/** Makes and signs a certificate of version 3 (RFC 5280); nothing in it comes from a request but the key. */
export function makeCertificate(order: CertificateOrder): Issued {
  const serial = randomSerial();
  const signature = signatureAlgorithm(order.issuer.key);
  const tbs = new TBSCertificate({
    version: Version.v3,
    serialNumber: toArrayBuffer(serial),
    signature,
    issuer: nameOf(order.issuer.subject),
    validity: new Validity({
      notBefore: new Date(order.notBeforeMs),
      notAfter: new Date(order.notAfterMs),
    }),
    subject: nameOf(order.subject),
    subjectPublicKeyInfo: AsnConvert.parse(spki(order.publicKey), SubjectPublicKeyInfo),
    extensions: new Extensions(extensionsOf(order)),
  });
  const certificate = new Certificate({
    tbsCertificate: tbs,
    signatureAlgorithm: signature,
    signatureValue: toArrayBuffer(signDer(AsnConvert.serialize(tbs), order.issuer.key)),
  });
  return {
    pem: toPem("CERTIFICATE", AsnConvert.serialize(certificate)),
    serial: Buffer.from(serial).toString("hex").toUpperCase(),
  };
}

/** Which algorithm a key signs by: a property of the key. */
export function signatureAlgorithm(key: KeyObject): AlgorithmIdentifier {
  const algorithm = nodeKeyKind(key) === "ed25519" ? oids.ed25519 : oids.ecdsaWithSha256;
  return new AlgorithmIdentifier({ algorithm });
}

/** Signs what stands in DER. */
export function signDer(der: ArrayBuffer, key: KeyObject): Uint8Array {
  return sign(nodeKeyKind(key) === "ed25519" ? null : "sha256", Buffer.from(der), key);
}

/** A name as it stands in certificates: organization first, then common name. */
export function nameOf({ commonName, organization }: Subject): Name {
  const part = (type: string, text: string) =>
    new RelativeDistinguishedName([
      new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String: text }) }),
    ]);
  return new Name([
    ...(organization === undefined ? [] : [part(oids.organization, organization)]),
    part(oids.commonName, commonName),
  ]);
}

/** SHA-1 of the key's bits names a key among others (RFC 5280, 4.2.1.2); nothing rests on it. */
export function keyIdentifier(key: KeyObject): ArrayBuffer {
  const { subjectPublicKey } = AsnConvert.parse(spki(key), SubjectPublicKeyInfo);
  return toArrayBuffer(createHash("sha1").update(Buffer.from(subjectPublicKey)).digest());
}

/** PEM with lines of 64 characters. */
export function toPem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** An extension with its value in DER. */
export function extension(extnID: string, value: unknown, critical = false): Extension {
  const extnValue = new OctetString(AsnConvert.serialize(value));
  return new Extension({ extnID, critical, extnValue });
}

/** Names by whose key something is signed. */
export function authorityKey(key: KeyObject): Extension {
  const authority = new AuthorityKeyIdentifier();
  authority.keyIdentifier = new KeyIdentifier(keyIdentifier(key));
  return extension(id_ce_authorityKeyIdentifier, authority);
}

function extensionsOf({
  purpose,
  publicKey,
  issuer,
}: CertificateOrder): readonly Extension[] & Extension[] {
  const isAuthority = purpose.kind === "authority";
  const flags = isAuthority
    ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign
    : KeyUsageFlags.digitalSignature;
  const constraints = isAuthority
    ? new BasicConstraints({ cA: true, pathLenConstraint: 0 })
    : new BasicConstraints({ cA: false });
  return [
    extension(id_ce_basicConstraints, constraints, true),
    extension(id_ce_keyUsage, new KeyUsage(flags), true),
    extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdentifier(publicKey))),
    authorityKey(issuer.key),
    ...usageOf(purpose),
  ];
}

function usageOf(purpose: Purpose): readonly Extension[] {
  switch (purpose.kind) {
    case "authority":
      return [];
    case "client":
      return [extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_clientAuth]))];
    case "server":
      return [
        extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
        extension(
          id_ce_subjectAltName,
          new SubjectAlternativeName(
            purpose.names.map(
              (name) => new GeneralName(isIP(name) === 0 ? { dNSName: name } : { iPAddress: name }),
            ),
          ),
        ),
      ];
  }
}

function spki(key: KeyObject): Uint8Array {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return publicKey.export({ type: "spki", format: "der" });
}

/** Positive and of 16 bytes (RFC 5280, 4.1.2.2). */
function randomSerial(): Uint8Array {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

function toArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
