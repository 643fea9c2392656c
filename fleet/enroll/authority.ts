import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from "node:crypto";
import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { NodeKeyKind } from "#protocol/enroll/node-key.ts";
import { type Issued, makeCertificate, type Subject } from "./certificate.ts";

const dayMs = 24 * 3_600_000;
const authorityDays = 3650;
const serverDays = 397; // what browsers and OpenSSL's friends take at most
/** Clocks of nodes may be behind. */
const behindMs = 3_600_000;

/** The certificate authority of one fleet. */
export interface Authority {
  readonly fleet: string;
  /** Its certificate in PEM: what images pin. */
  readonly certificate: string;
  /** For lists of revoked certificates. */
  readonly key: KeyObject;
  readonly subject: Subject;
  /** A client certificate whose common name is the node. */
  issueNode(order: NodeOrder): Issued;
  /** A certificate for a server of the fleet: enrolment, broker. */
  issueServer(order: ServerOrder): Issued;
}

/** What a node gets. */
export interface NodeOrder {
  readonly node: string;
  readonly publicKey: KeyObject;
  readonly nowMs: number;
  readonly days: number;
}

/** What a server gets. */
export interface ServerOrder {
  readonly names: readonly string[];
  readonly publicKey: KeyObject;
  readonly nowMs: number;
}

/** Where an authority lies in the directory of the fleet. */
export function authorityFiles(directory: string): {
  readonly certificate: string;
  readonly key: string;
} {
  return { certificate: `${directory}/ca.pem`, key: `${directory}/ca.key` };
}

/** A new private key in PEM. */
export function newKey(kind: NodeKeyKind): KeyObject {
  return kind === "ed25519"
    ? generateKeyPairSync("ed25519").privateKey
    : generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey;
}

/** A private key in PEM. */
export function keyPem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }) as string;
}

/** Makes the authority of a fleet where there is none yet; whether it did. */
export function makeAuthority(
  io: Io,
  directory: string,
  { fleet, kind }: { readonly fleet: string; readonly kind: NodeKeyKind },
): boolean {
  const files = authorityFiles(directory);
  if (io.files.stat(files.certificate) !== undefined) return false;
  const key = newKey(kind);
  const subject: Subject = { organization: fleet, commonName: `firstlight fleet ${fleet}` };
  const nowMs = io.clock.now();
  const { pem } = makeCertificate({
    issuer: { subject, key },
    subject,
    publicKey: createPublicKey(key),
    notBeforeMs: nowMs - behindMs,
    notAfterMs: nowMs + authorityDays * dayMs,
    purpose: { kind: "authority" },
  });
  io.files.makeDirectory(directory, { mode: 0o700 });
  // The certificate comes last: with it the authority is there.
  io.files.write(files.key, keyPem(key), { mode: 0o600 });
  io.files.write(files.certificate, pem, { mode: 0o644 });
  return true;
}

/** Opens the authority of a fleet. Throws `enroll/authority-missing`, `enroll/authority-unreadable`. */
export function openAuthority(io: Io, directory: string): Authority {
  const files = authorityFiles(directory);
  const certificate = io.files.readText(files.certificate, { maxBytes: 64 * 1024 });
  const pem = io.files.readText(files.key, { maxBytes: 64 * 1024 });
  if (certificate === undefined || pem === undefined) {
    const missing = certificate === undefined ? files.certificate : files.key;
    throw new Fault("enroll/authority-missing", `${missing}: there is no such file`);
  }
  const { x509, key } = read(certificate, pem, files);
  const subject = subjectOf(x509);
  const issuer = { subject, key };
  const untilMs = (wantedMs: number) => Math.min(wantedMs, Date.parse(x509.validTo));
  return {
    ...{ certificate, key, subject, fleet: subject.organization ?? "default" },
    issueNode: ({ node, publicKey, nowMs, days }) =>
      makeCertificate({
        ...{ issuer, publicKey, purpose: { kind: "client" } },
        subject: { ...subject, commonName: node },
        notBeforeMs: nowMs - behindMs,
        notAfterMs: untilMs(nowMs + days * dayMs),
      }),
    issueServer: ({ names, publicKey, nowMs }) =>
      makeCertificate({
        ...{ issuer, publicKey, purpose: { kind: "server", names } },
        subject: { ...subject, commonName: names[0] ?? "localhost" },
        notBeforeMs: nowMs - behindMs,
        notAfterMs: untilMs(nowMs + serverDays * dayMs),
      }),
  };
}

function read(certificate: string, pem: string, files: ReturnType<typeof authorityFiles>) {
  try {
    const x509 = new X509Certificate(certificate);
    const key = createPrivateKey(pem);
    if (x509.ca && x509.checkPrivateKey(key)) return { x509, key };
  } catch (cause) {
    throw new Fault("enroll/authority-unreadable", `${files.key}: expected a key in PEM`, {
      cause,
    });
  }
  throw new Fault(
    "enroll/authority-unreadable",
    `${files.certificate}: expected the certificate of an authority with the key in ${files.key}`,
  );
}

/** As node:crypto prints it: one attribute a line. */
function subjectOf({ subject }: X509Certificate): Subject {
  const part = (name: string) => new RegExp(`^${name}=(.+)$`, "m").exec(subject)?.[1];
  const organization = part("O");
  return {
    commonName: part("CN") ?? "",
    ...(organization === undefined ? {} : { organization }),
  };
}
