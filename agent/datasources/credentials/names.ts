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
  if (documentNames.some((known) => known === name)) return undefined;
  if (name.startsWith(secretPrefix))
    return secretNameOf(name) === undefined ? "this is no name of a secret" : undefined;
  const near = nearest(name, documentNames);
  return `nothing reads a credential of this name${near === undefined ? "" : `; did you mean ${near}?`}`;
}
