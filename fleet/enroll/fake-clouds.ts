import { execFileSync } from "node:child_process";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { exportJWK, type JWK, SignJWT } from "jose";

/** What ends with a test. */
interface Scope {
  teardown(end: () => void): void;
}

/** Signs as a cloud does, with keys and certificates that openssl has made for a test. */
export interface FakeSigner {
  /** In PEM: what a server pins. */
  readonly certificate: string;
  readonly x509: X509Certificate;
  /** PKCS#7 of a document in base64, with more arguments for `openssl cms`. */
  sign(document: object, ...more: readonly string[]): string;
}

/** Who signs EC2's documents in one region: a certificate that signs itself. */
export function fakeAmazon(t: Scope): FakeSigner {
  const at = directory(t);
  openssl(at, [
    ...newRequest("key.pem"),
    "-x509",
    "-out",
    "cert.pem",
    ...days,
    "-subj",
    "/O=Amazon",
  ]);
  return signer(at, "cert.pem", ["-nocerts"]);
}

/** Who signs Azure's documents: a certificate for a host below an authority. */
export function fakeAzure(
  t: Scope,
  host = "metadata.azure.com",
): FakeSigner & { readonly authority: string } {
  const at = directory(t);
  openssl(at, [
    ...newRequest("ca.key"),
    "-x509",
    "-out",
    "ca.pem",
    ...days,
    "-subj",
    "/CN=Microsoft",
  ]);
  openssl(at, [...newRequest("key.pem"), "-out", "request.pem", "-subj", `/CN=${host}`]);
  writeFileSync(path.join(at, "names"), `subjectAltName=DNS:${host}\n`);
  const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"];
  openssl(at, ["x509", "-req", "-in", "request.pem", "-out", "cert.pem", ...by, ...days]);
  return {
    ...signer(at, "cert.pem", []),
    authority: readFileSync(path.join(at, "ca.pem"), "utf8"),
  };
}

/** Who issues Google's identity tokens. */
export async function fakeGoogle() {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key: JWK = { ...(await exportJWK(publicKey)), kid: "one", alg: "RS256", use: "sig" };
  return {
    keys: { keys: [key] },
    token: (
      audience: string,
      { nowMs, google }: { readonly nowMs: number; readonly google: object },
    ) =>
      new SignJWT({ google: { compute_engine: google } })
        .setProtectedHeader({ alg: "RS256", kid: "one" })
        .setIssuer("https://accounts.google.com")
        .setAudience(audience)
        .setIssuedAt(Math.floor(nowMs / 1000))
        .setExpirationTime(Math.floor(nowMs / 1000) + 3600)
        .sign(privateKey),
  };
}

/** An instance identity document. */
export function ec2Document(pendingMs: number, more: object = {}): object {
  return {
    accountId: "123456789012",
    architecture: "x86_64",
    availabilityZone: "eu-central-1a",
    imageId: "ami-0123456789abcdef0",
    instanceId: "i-0abc1234def567890",
    instanceType: "t3.micro",
    pendingTime: new Date(pendingMs).toISOString().replace(/\.\d+Z$/, "Z"),
    privateIp: "192.0.2.7",
    region: "eu-central-1",
    version: "2017-09-30",
    ...more,
  };
}

/** An attested document. */
export function azureDocument(nonce: string, expiresMs: number, more: object = {}): object {
  const [, year, month, day, time] =
    /^20(\d\d)-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)/.exec(new Date(expiresMs).toISOString()) ?? [];
  return {
    licenseType: "",
    nonce,
    plan: { name: "", product: "", publisher: "" },
    sku: "24_04-lts",
    subscriptionId: "8d10da13-8125-4ba9-a717-bf7490507b3d",
    timeStamp: {
      createdOn: "01/01/26 00:00:00 -0000",
      expiresOn: `${month}/${day}/${year} ${time} -0000`,
    },
    vmId: "02aab8a4-74ef-476e-8182-f6d2ba4166a6",
    ...more,
  };
}

const days = ["-days", "3650"];
const newRequest = (key: string) => ["req", "-newkey", "rsa:2048", "-nodes", "-keyout", key];

function signer(at: string, certificate: string, always: readonly string[]): FakeSigner {
  const pem = readFileSync(path.join(at, certificate), "utf8");
  return {
    certificate: pem,
    x509: new X509Certificate(pem),
    sign(document, ...more) {
      writeFileSync(path.join(at, "document"), JSON.stringify(document));
      const args = ["-sign", "-binary", "-nodetach", "-md", "sha256", "-outform", "DER"];
      const by = ["-signer", certificate, "-inkey", "key.pem", "-in", "document"];
      return openssl(at, ["cms", ...args, ...by, ...always, ...more]).toString("base64");
    },
  };
}

function openssl(cwd: string, args: readonly string[]): Buffer {
  return execFileSync("openssl", args, { cwd, stdio: "pipe" });
}

function directory(t: Scope): string {
  const made = mkdtempSync(path.join(os.tmpdir(), "firstlight-cloud-"));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}
