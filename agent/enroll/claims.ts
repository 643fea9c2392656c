import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { EnrollRequest } from "#generated/protocol/enroll/request.ts";
import { audienceOf, digitsOf } from "#protocol/enroll/challenge.ts";
import type { Courier } from "#provisioner/system/fetch/courier.ts";
import { enrollTokenName } from "../datasources/credentials/names.ts";
import { type Exchanged, exchange } from "./exchange.ts";
import { readDatasource } from "./machine.ts";

/** A claim, or why this machine does not have it. */
export type Collected = { readonly claim: EnrollRequest["claim"] } | { readonly lacks: string };

/** Ways by which a node may be enrolled first. */
export type ClaimKind = Exclude<EnrollRequest["claim"]["kind"], "key">;

/** In the order in which they are tried. */
export const claimKinds: readonly ClaimKind[] = ["token", "ec2", "gce", "azure", "code"];

/** What collecting a claim needs. */
export interface ClaimDeps {
  readonly io: Pick<Io, "files" | "env">;
  /** Who asks the metadata service. */
  readonly metadata: Courier;
  readonly settings: Settings;
  readonly signal: AbortSignal;
}

const maxAnswerBytes = 48 * 1024;
/** Where metadata services are; of Google's the address of its name. */
const metadataAddress = "http://169.254.169.254";

/**
 * A claim of one kind for a challenge. Throws `enroll/unreachable` where the cloud that should give it
 * does not answer.
 */
export async function collectClaim(
  kind: ClaimKind,
  challenge: string,
  deps: ClaimDeps,
): Promise<Collected> {
  switch (kind) {
    case "token":
      return collectToken(deps);
    case "ec2":
      return ofCloud("Ec2", deps, async (base) => ({
        kind,
        document: await ec2Document(base, deps),
      }));
    case "gce":
      return ofCloud("GCE", deps, async (base) => ({
        kind,
        token: await gceToken(base, challenge, deps),
      }));
    case "azure":
      return ofCloud("Azure", deps, async (base) => ({
        kind,
        document: await azureDocument(base, challenge, deps),
      }));
    case "code":
      return { claim: { kind } };
  }
}

function collectToken({ io, settings }: ClaimDeps): Collected {
  const directory = io.env["CREDENTIALS_DIRECTORY"];
  const file =
    settings.fleet?.enroll?.tokenFile ?? (directory && `${directory}/${enrollTokenName}`);
  if (file === undefined) return { lacks: "no token was given" };
  const token = io.files.readText(file, { maxBytes: 8 * 1024 })?.trim();
  return token ? { claim: { kind: "token", token } } : { lacks: `${file} holds no token` };
}

/** Only the cloud that this boot has found: no other is asked by guess. */
async function ofCloud(
  name: string,
  { io, settings }: ClaimDeps,
  collect: (base: string) => Promise<EnrollRequest["claim"]>,
): Promise<Collected> {
  const found = readDatasource(io.files);
  if (found !== name)
    return { lacks: `the datasource is ${found ?? "not known yet"}, not ${name}` };
  return { claim: await collect(settings.metadata?.addresses?.[name]?.[0] ?? metadataAddress) };
}

async function ec2Document(base: string, deps: ClaimDeps): Promise<string> {
  const ttl = { "x-aws-ec2-metadata-token-ttl-seconds": "60" };
  const token = await ask(`${base}/latest/api/token`, deps, { method: "PUT", headers: ttl });
  const headers = { "x-aws-ec2-metadata-token": token.trim() };
  const place = `${base}/latest/dynamic/instance-identity/rsa2048`;
  const document = await ask(place, deps, { method: "GET", headers });
  return document.replaceAll(/-----(?:BEGIN|END) PKCS7-----|\s/g, "");
}

async function gceToken(base: string, challenge: string, deps: ClaimDeps): Promise<string> {
  const audience = audienceOf(deps.settings.fleet?.enroll?.url ?? "", challenge);
  const query = new URLSearchParams({ audience, format: "full" });
  const place = `${base}/computeMetadata/v1/instance/service-accounts/default/identity?${query}`;
  return (
    await ask(place, deps, { method: "GET", headers: { "metadata-flavor": "Google" } })
  ).trim();
}

async function azureDocument(base: string, challenge: string, deps: ClaimDeps): Promise<string> {
  const query = new URLSearchParams({ "api-version": "2020-09-01", nonce: digitsOf(challenge) });
  const place = `${base}/metadata/attested/document?${query}`;
  const text = await ask(place, deps, { method: "GET", headers: { metadata: "true" } });
  try {
    const { signature } = JSON.parse(text) as { readonly signature?: unknown };
    if (typeof signature === "string") return signature.replaceAll(/\s/g, "");
  } catch {
    // said below
  }
  throw new Fault("enroll/unreachable", `${base}: expected an attested document`);
}

interface Asked {
  readonly method: "GET" | "PUT";
  readonly headers: Readonly<Record<string, string>>;
}

async function ask(
  url: string,
  { metadata: courier, signal }: ClaimDeps,
  send: Asked,
): Promise<string> {
  const options = { courier, signal, maxBytes: maxAnswerBytes };
  const { status, text }: Exchanged = await exchange({ url, send }, options);
  if (status === 200) return text;
  throw new Fault(
    "enroll/unreachable",
    `${new URL(url).origin}: the metadata service says ${status}`,
  );
}
