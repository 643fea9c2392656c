import type { CredentialFile } from "./base.ts";

/**
 * What systemd hands to one unit, names among them, and the most that systemd-creds encrypts:
 * systemd.exec(5), LoadCredential.
 */
export const credentialLimitBytes = 1024 * 1024;

/** What credentials take of a unit's limit, each once. */
export function sizeOf(files: readonly CredentialFile[]): number {
  const each = new Map(files.map((file) => [file.name, file]));
  return [...each.values()].reduce((sum, { name, bytes }) => sum + name.length + bytes, 0);
}

/**
 * Items in their order, in as few groups as their credentials allow; never none. An item that is too
 * large for a unit is in a group of its own.
 */
export function groupsWithinLimit<T>(
  items: readonly T[],
  credentialsOf: (item: T) => readonly CredentialFile[],
): readonly (readonly T[])[] {
  const groups: T[][] = [[]];
  for (const item of items) {
    const group = groups.at(-1) ?? [];
    const together = [...group, item].flatMap(credentialsOf);
    if (group.length > 0 && sizeOf(together) > credentialLimitBytes) groups.push([item]);
    else group.push(item);
  }
  return groups;
}
