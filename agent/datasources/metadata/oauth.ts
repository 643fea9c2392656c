import { randomBytes } from "node:crypto";

/** Keys of OAuth 1.0, the right to ask. */
export interface OAuthKeys {
  readonly consumerKey: string;
  readonly consumerSecret: string;
  readonly tokenKey: string;
  readonly tokenSecret: string;
}

/** Names of them, for whoever reads keys. */
export const oAuthNames = ["consumerKey", "consumerSecret", "tokenKey", "tokenSecret"] as const;

/**
 * The header `authorization` of one request, signed by PLAINTEXT (RFC 5849, 3.4.4 and 3.5.1). Each has a
 * number of its own, because a server takes none twice.
 */
export function oAuthHeader(keys: OAuthKeys, nowMs: number): string {
  const parameters = {
    oauth_consumer_key: keys.consumerKey,
    oauth_token: keys.tokenKey,
    oauth_signature_method: "PLAINTEXT",
    oauth_signature: `${encode(keys.consumerSecret)}&${encode(keys.tokenSecret)}`,
    oauth_timestamp: String(Math.floor(nowMs / 1000)),
    oauth_nonce: randomBytes(16).toString("hex"),
    oauth_version: "1.0",
  };
  const written = Object.entries(parameters).map(([name, value]) => `${name}="${encode(value)}"`);
  return `OAuth ${written.join(", ")}`;
}

/** RFC 5849, 3.6. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
