import type { Json } from "#core/canonical-json.ts";
import { holdsPrivateKey } from "#core/private-key.ts";
import { Secret } from "#core/secret.ts";

/**
 * Keys whose values are secret: cloud-init's `sensitive_metadata_keys`, and what passwords, keys,
 * tokens and seeds of the random generator are called; the address of a seed, which is often what
 * guards it; what people write beside an instance of GCE (`instance-data`). `public-keys` is not among them.
 */
const secretKey =
  /pass(?:w(?:or)?d|phrase)|(?:^|[-_ ])pass(?:$|[-_ ])|secret|random[-_ ]?seed|token|credential|private[-_ ]?key|(?:api|access|ssh|auth|shared|pre[-_]?shared)[-_]?key|\bpsk\b|^(?:user|vendor)[-_]?data\d?$|^(?:merged|combined)_(?:\w+_)?(?:cfg|config)$|^network-interfaces$|^interfaces$|(?:startup|shutdown)[-_]script|^kube-env$|^seedfrom$|^instance-data$/i;

/** Values that are secret under any key, beside private keys: password hashes (crypt), addresses with a password. */
const secretValue =
  /^\$(?:[1-7]|2[abxy]|y|gy|sha1|argon2\w*)\$|\b[a-z][a-z0-9+.-]{0,20}:\/\/[^/\s:@]{0,256}:[^/\s@]{1,256}@/i;

function isSecretText(text: string): boolean {
  return holdsPrivateKey(text) || secretValue.test(text);
}

/** A document without its secrets, and they by the names that stand in their places. */
export interface Redacted {
  readonly value: Json;
  readonly secrets: ReadonlyMap<string, Secret<Uint8Array>>;
}

/**
 * Puts `{ secretRef }` in the place of every text or number that its key or its form calls secret.
 * Names begin with `prefix` and hold the path; truth values and null are never secret.
 */
export function redact(document: Json, prefix: string): Redacted {
  const secrets = new Map<string, Secret<Uint8Array>>();
  const hide = (leaf: string | number, path: readonly string[]): Json => {
    const wanted = [prefix, ...path]
      .join(".")
      .replace(/[^A-Za-z0-9_.-]+/g, "-")
      .slice(0, 150);
    let name = wanted;
    for (let next = 2; secrets.has(name); next++) name = `${wanted}-${next}`;
    secrets.set(name, new Secret(Buffer.from(String(leaf), "utf8")));
    return { secretRef: name };
  };
  const walk = (
    value: Json,
    path: readonly string[],
    inSecret: boolean,
    isPublic: boolean,
  ): Json => {
    if (Array.isArray(value)) {
      return value.map((item, index) => walk(item, [...path, String(index)], inSecret, isPublic));
    }
    if (typeof value === "object" && value !== null) {
      const entries = Object.entries(value).map(([key, item]): [string, Json] => {
        const publicHere = isPublic || isPublicKeys(key);
        return [
          key,
          walk(item, [...path, key], inSecret || (!publicHere && secretKey.test(key)), publicHere),
        ];
      });
      return Object.fromEntries(entries);
    }
    if (typeof value !== "string" && typeof value !== "number") return value;
    return inSecret || isSecretText(String(value)) ? hide(value, path) : value;
  };
  return { value: walk(document, [], false, false), secrets };
}

function isPublicKeys(key: string): boolean {
  return /^public[-_ ]?keys?$/i.test(key);
}
