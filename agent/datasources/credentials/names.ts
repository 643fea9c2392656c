import { nearest } from "#core/nearest.ts";
import { secretName } from "#provisioner/userdata/draft.ts";

const prefix = "firstlight.";
const secretPrefix = "firstlight.secret.";

/** Credentials that say what the machine is to become: of the first two one is needed. */
export const documentNames = [
  "firstlight.spec",
  "firstlight.user-data",
  "firstlight.meta-data",
  "firstlight.network-config",
] as const;

/** Keys of age that open what is sealed to this machine, as `age-keygen` writes them. */
export const identityName = "firstlight.identity";

/** A one-shot token that the node is enrolled by: no boot reads it. */
export const enrollTokenName = "firstlight.enroll-token";

/** Whether a credential may not be read by everybody. */
export function isSecret(name: string): boolean {
  return name === identityName || name === enrollTokenName || secretNameOf(name) !== undefined;
}

export type DocumentName = (typeof documentNames)[number];

/** Whether a credential is addressed to firstlight. */
export function isOurs(name: string): boolean {
  return name.startsWith(prefix);
}

/** The secret that a credential brings, or `undefined` where it brings none. */
export function secretNameOf(credential: string): string | undefined {
  if (!credential.startsWith(secretPrefix)) return undefined;
  const name = credential.slice(secretPrefix.length);
  return secretName.test(name) ? name : undefined;
}

/** What is wrong with the name of a credential of ours, or `undefined`. */
export function problemOfName(name: string): string | undefined {
  const names = [...documentNames, identityName, enrollTokenName];
  if (names.includes(name)) return undefined;
  if (name.startsWith(secretPrefix))
    return secretNameOf(name) === undefined ? "this is no name of a secret" : undefined;
  const near = nearest(name, names);
  return `nothing reads a credential of this name${near === undefined ? "" : `; did you mean ${near}?`}`;
}
