import { createHash, type KeyObject, verify, X509Certificate } from "node:crypto";
import {
  type Attribute,
  ContentInfo,
  id_contentType,
  id_data,
  id_messageDigest,
  id_signedData,
  SignedData,
  type SignerInfo,
} from "@peculiar/asn1-cms";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import * as asn1js from "asn1js";
import { Fault } from "#core/fault.ts";

/** Whose signatures count. */
export interface CmsTrust {
  /**
   * Certificates that sign themselves (`signers`), or authorities above the signer's certificate
   * (`authorities`), which comes with the message and must be for one of the host names.
   */
  readonly signers?: readonly X509Certificate[];
  readonly authorities?: readonly X509Certificate[];
  readonly hosts?: readonly string[];
  readonly nowMs: number;
}

const sha256Oid = "2.16.840.1.101.3.4.2.1";
/** RSA with PKCS#1 v1.5; the digest is named apart. */
const rsaOids: ReadonlySet<string> = new Set(["1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11"]);
/** The object identifier of data, in DER. */
const plainData = Buffer.from("06092a864886f70d010701", "hex");
/** A document of a cloud has three or four. */
const mostAttributes = 16;
const smallestKeyBits = 2048;
const longestChain = 4;

/**
 * The content of a signed message (CMS, RFC 5652) that one of `trust` has signed. Stricter than the
 * standard: one signer, RSA with SHA-256, signed attributes, the content within. Throws
 * `enroll/document-invalid`.
 */
export function openSignedMessage(der: Uint8Array, trust: CmsTrust): Uint8Array {
  const { content, signer, certificates } = parse(der);
  if (
    signer.digestAlgorithm.algorithm !== sha256Oid ||
    !rsaOids.has(signer.signatureAlgorithm.algorithm)
  )
    throw invalid("expected a signature by RSA with SHA-256");
  if (signer.signedAttrs === undefined || signer.signedAttrs.length > mostAttributes)
    throw invalid("expected signed attributes");
  const digest = createHash("sha256").update(content).digest();
  if (!digest.equals(onlyOctets(signer, id_messageDigest)))
    throw invalid("the content is not what was signed");
  if (!plainData.equals(Buffer.from(onlyAttribute(signer, id_contentType))))
    throw invalid("expected plain data");
  const signed = signedBytes(signer.signedAttrs);
  const signature = Buffer.from(signer.signature.buffer);
  const isBy = ({ publicKey }: X509Certificate) => isSignedBy(signed, signature, publicKey);
  for (const candidate of candidates(certificates, trust)) if (isBy(candidate)) return content;
  throw invalid("no certificate that is trusted has signed it");
}

interface Parsed {
  readonly content: Uint8Array;
  readonly signer: SignerInfo;
  readonly certificates: readonly X509Certificate[];
}

function parse(der: Uint8Array): Parsed {
  try {
    const info = AsnConvert.parse(der, ContentInfo);
    if (info.contentType !== id_signedData) throw invalid("it is no signed message");
    const data = AsnConvert.parse(info.content, SignedData);
    const [signer, ...others] = [...data.signerInfos];
    const content = contentOf(info.content);
    if (signer === undefined || others.length > 0) throw invalid("expected one signer");
    if (content === undefined || data.encapContentInfo.eContentType !== id_data)
      throw invalid("expected the data within");
    const certificates = [...(data.certificates ?? [])].flatMap(({ certificate }) =>
      certificate === undefined
        ? []
        : [new X509Certificate(Buffer.from(AsnConvert.serialize(certificate)))],
    );
    return { content, signer, certificates };
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault("enroll/document-invalid", "the document is no PKCS#7", { cause });
  }
}

/**
 * What the signature is over (RFC 5652, 5.4): the attributes as a SET, each as it came. The reader does not
 * keep their bytes, but they have to be in DER, of which there is one for each value: what is verified
 * is what is read here.
 */
function signedBytes(attributes: readonly Attribute[]): Uint8Array {
  const content = Buffer.concat(attributes.map((each) => Buffer.from(AsnConvert.serialize(each))));
  if (content.length > 0xffff) throw invalid("its attributes are too long");
  return Buffer.concat([Buffer.from([0x31, ...derLength(content.length)]), content]);
}

function derLength(length: number): readonly number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

/**
 * The data within (RFC 5652, 5.1). Amazon writes it in pieces whose length is not told before, which the
 * reader of the rest leaves empty.
 */
function contentOf(signedData: ArrayBuffer): Uint8Array | undefined {
  const { result } = asn1js.fromBER(signedData);
  const [, , encapsulated] = partsOf(result);
  const [, explicit] = partsOf(encapsulated);
  const [content] = partsOf(explicit);
  return content instanceof asn1js.OctetString ? Buffer.from(content.getValue()) : undefined;
}

function partsOf(value: unknown): readonly unknown[] {
  return value instanceof asn1js.Constructed ? value.valueBlock.value : [];
}

function onlyAttribute(signer: SignerInfo, type: string): ArrayBuffer {
  const found = (signer.signedAttrs ?? []).filter(({ attrType }) => attrType === type);
  const [value, ...others] = found.flatMap(({ attrValues }) => attrValues);
  if (found.length === 1 && value !== undefined && others.length === 0) return value;
  throw invalid("expected each signed attribute once");
}

function onlyOctets(signer: SignerInfo, type: string): Uint8Array {
  const value = onlyAttribute(signer, type);
  try {
    return Buffer.from(AsnConvert.parse(value, OctetString).buffer);
  } catch (cause) {
    throw new Fault("enroll/document-invalid", "the digest in the document is none", { cause });
  }
}

function isSignedBy(data: Uint8Array, signature: Uint8Array, key: KeyObject): boolean {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== "rsa" || bits < smallestKeyBits) return false;
  return verify("sha256", data, key, signature);
}

/** Certificates whose signature would count now. */
function candidates(sent: readonly X509Certificate[], trust: CmsTrust): readonly X509Certificate[] {
  const { signers = [], authorities = [], hosts = [], nowMs } = trust;
  const chained = sent.filter(
    (leaf) =>
      hosts.some((host) => leaf.checkHost(host) !== undefined) &&
      !leaf.ca &&
      leadsTo(leaf, { authorities, between: sent, nowMs, left: longestChain }),
  );
  return [...signers.filter((each) => isValidAt(each, nowMs)), ...chained];
}

interface Chain {
  readonly authorities: readonly X509Certificate[];
  readonly between: readonly X509Certificate[];
  readonly nowMs: number;
  readonly left: number;
}

/** Whether a certificate was issued by an authority that is trusted, or by one that was in turn. */
function leadsTo(certificate: X509Certificate, chain: Chain): boolean {
  const { authorities, between, nowMs, left } = chain;
  if (left === 0 || !isValidAt(certificate, nowMs)) return false;
  const issues = (issuer: X509Certificate) =>
    issuer.ca &&
    isValidAt(issuer, nowMs) &&
    certificate.checkIssued(issuer) &&
    certificate.verify(issuer.publicKey);
  if (authorities.some(issues)) return true;
  const further = { ...chain, left: left - 1 };
  return between.some((issuer) => issues(issuer) && leadsTo(issuer, further));
}

function isValidAt({ validFrom, validTo }: X509Certificate, nowMs: number): boolean {
  return Date.parse(validFrom) <= nowMs && nowMs <= Date.parse(validTo);
}

function invalid(message: string): Fault {
  return new Fault("enroll/document-invalid", `the document of the cloud: ${message}`);
}
