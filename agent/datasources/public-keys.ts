import type { Json } from "#core/canonical-json.ts";
import { holdsPrivateKey } from "#core/private-key.ts";
import { isPublicKeyLine } from "#provisioner/userdata/public-key-line.ts";

/** Keys found, and paths (from the value on). */
export interface PublicKeys {
  readonly keys: readonly string[];
  /** Of what is no key at all. */
  readonly unused: readonly Path[];
  /** Of texts with a line that sshd would not take for a key; it is one of `keys` all the same. */
  readonly doubtful: readonly Path[];
}

type Path = readonly (string | number)[];

/**
 * Public keys of a meta-data value in order, without repetition: one text with a key a line, a
 * list, a mapping from a key's name to a text or a list, and EC2's `{ "0": { "openssh-key": … } }`
 * (cloud-init's `normalize_pubkey_data`, and what its datasources make of EC2). What holds a private
 * key is never a public one.
 */
export function readPublicKeys(value: Json | undefined): PublicKeys {
  const keys = new Set<string>();
  const [unused, doubtful]: [Path[], Path[]] = [[], []];
  const take = (item: Json, path: Path, depth: number): void => {
    if (item === null) return;
    if (typeof item === "string") {
      if (holdsPrivateKey(item)) unused.push(path);
      else {
        const lines = linesOf(item);
        if (!lines.every(isPublicKeyLine)) doubtful.push(path);
        for (const key of lines) keys.add(key);
      }
    } else if (Array.isArray(item) && depth < 3) {
      for (const [index, child] of item.entries()) take(child, [...path, index], depth + 1);
    } else if (typeof item === "object" && depth < 3) {
      for (const [name, child] of Object.entries(item)) take(child, [...path, name], depth + 1);
    } else {
      unused.push(path);
    }
  };
  take(value ?? null, [], 0);
  return { keys: [...keys], unused, doubtful };
}

function linesOf(text: string): readonly string[] {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}
