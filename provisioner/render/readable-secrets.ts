import { holdsPrivateKey } from "#core/private-key.ts";
import { addFinding, type Concern } from "./assignment.ts";

/** Names of options for secrets, by their last word: `adminPassword`, `psk`, `api_key`. */
const secretWord =
  /(?:^|[^A-Za-z])(?:pass(?:word|wd|phrase)|secret|token|psk|(?:private|secret|pre[_-]?shared|api|access)[_-]?key)s?$/i;

/** Texts under such a name that are none: nothing, a locked account, a file or another place of the secret. */
const noSecret =
  /^(?:|[!*]|\/.*|ext:.*|%[A-Za-z]\/.*|\$\{?[A-Z_][A-Z0-9_]*\}?|[a-z0-9+-]+:\/\/.*)$/s;

/**
 * Warns of texts in data of options that are secrets by their name, or private keys: options stand in
 * the Nix store. `key` is the last part of the name that the data stands under.
 */
export function warnOfSecrets(
  concern: Concern,
  from: readonly string[],
  key: string,
  data: unknown,
): void {
  if (typeof data === "string") {
    if (!isSecret(key, data)) return;
    const message =
      "this looks like a secret, and as an option it stands in the Nix store, which everybody on the machine can read";
    const hint =
      "put it under `secrets`, hand it to the service by `credentials` of `units` or as the `secret` of a file, and set the option that takes a file";
    addFinding(concern, from, "warning", "render/readable-secret", message, hint);
    return;
  }
  if (typeof data !== "object" || data === null) return;
  for (const [part, inner] of Object.entries(data)) {
    warnOfSecrets(concern, [...from, part], Array.isArray(data) ? key : part, inner);
  }
}

function isSecret(key: string, text: string): boolean {
  return holdsPrivateKey(text) || underSecretName(key, text);
}

/** Whether a text is a secret by the name that it stands under. */
export function underSecretName(key: string, text: string): boolean {
  const words = key.replace(/([a-z0-9])([A-Z])/g, "$1_$2");
  return secretWord.test(words) && !noSecret.test(text);
}
