import { type KeyObject, randomBytes, sign, verify } from "node:crypto";
import { Fault } from "#core/fault.ts";
import { fleetNamePattern, nodeNamePattern } from "#protocol/enroll/limits.ts";
import type { ClaimContext, Proved } from "./way.ts";

/** What a token says. */
export interface TokenContent {
  readonly v: 1;
  readonly fleet: string;
  readonly node: string;
  /** Makes it one of its own; on the server's list until it is used. */
  readonly nonce: string;
  /** Milliseconds since 1970. */
  readonly expiresMs: number;
  /** Which machine may use it; at least one of them. */
  readonly instanceId?: string;
  readonly hardware?: string;
}

/** How long a token is good. */
export const tokenMs = 24 * 3_600_000;

const prefix = "fle1";
const domain = "firstlight-enroll-token-1\0";

/** What is asked of a new token. */
export type TokenOrder = Pick<TokenContent, "fleet" | "node" | "instanceId" | "hardware">;

/** Makes a token that is good for a day, signed by the fleet's key for tokens (Ed25519). */
export function makeToken(
  order: TokenOrder,
  { key, nowMs }: { readonly key: KeyObject; readonly nowMs: number },
): { readonly token: string; readonly content: TokenContent } {
  const nonce = randomBytes(16).toString("hex");
  const content: TokenContent = { v: 1, ...order, nonce, expiresMs: nowMs + tokenMs };
  const text = Buffer.from(JSON.stringify(content)).toString("base64url");
  const signature = sign(null, Buffer.from(domain + text), key).toString("base64url");
  return { token: `${prefix}.${text}.${signature}`, content };
}

/**
 * What a token proves. Throws `enroll/token-invalid`, `enroll/token-expired`, `enroll/token-other`.
 * Whether it was used is for the store.
 */
export function proveByToken(
  token: string,
  { machine, nowMs }: ClaimContext,
  { key, fleet }: { readonly key: KeyObject; readonly fleet: string },
): Proved {
  const content = readToken(token, key);
  if (content.fleet !== fleet)
    throw new Fault("enroll/token-invalid", `the token is of the fleet ${content.fleet}`);
  // One from the future was made by a clock that is wrong: it would be good for too long.
  if (content.expiresMs <= nowMs || content.expiresMs > nowMs + tokenMs + 3_600_000)
    throw new Fault("enroll/token-expired", `the token is good until ${iso(content.expiresMs)}`);
  for (const [what, wanted, has] of [
    ["the instance", content.instanceId, machine.instanceId],
    ["the hardware", content.hardware, machine.hardware],
  ] as const) {
    if (wanted === undefined || wanted === has) continue;
    const said = has === null ? "the machine says none" : `this is ${JSON.stringify(has)}`;
    throw new Fault(
      "enroll/token-other",
      `the token is for ${what} ${JSON.stringify(wanted)}: ${said}`,
    );
  }
  const { nonce, node } = content;
  return { way: "token", once: `token:${nonce}`, node, replaces: true, nonce };
}

function readToken(token: string, key: KeyObject): TokenContent {
  const [, text = "", signature = ""] =
    /^fle1\.([A-Za-z0-9_-]{1,4000})\.([A-Za-z0-9_-]{86})$/.exec(token.trim()) ?? [];
  const signed = Buffer.from(domain + text);
  if (!verify(null, signed, key, Buffer.from(signature, "base64url")))
    throw new Fault("enroll/token-invalid", "the token is damaged, or not signed by this fleet");
  // Whoever has the key has written it, but a newer version may say what this one does not know.
  const content = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as TokenContent;
  const isGood =
    content.v === 1 && nodeNamePattern.test(content.node) && fleetNamePattern.test(content.fleet);
  if (isGood && (content.instanceId ?? content.hardware) !== undefined) return content;
  throw new Fault("enroll/token-invalid", "the token is of another version");
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
