import type { Json } from "#core/canonical-json.ts";

/** Keys found, and paths (from the value on) of what was none. */
export interface PublicKeys {
  readonly keys: readonly string[];
  readonly unused: readonly (readonly (string | number)[])[];
}

/**
 * Public keys of a meta-data value in order, without repetition: one text with a key a line, a
 * list, a mapping from a key's name to a text or a list, and EC2's `{ "0": { "openssh-key": … } }`
 * (cloud-init's `normalize_pubkey_data`, and what its datasources make of EC2). What holds a private
 * key is never a public one.
 */
export function readPublicKeys(value: Json | undefined): PublicKeys {
  const keys = new Set<string>();
  const unused: (readonly (string | number)[])[] = [];
  const take = (item: Json, path: readonly (string | number)[], depth: number): void => {
    if (item === null) return;
    if (typeof item === "string") {
      if (item.includes("PRIVATE KEY")) unused.push(path);
      else for (const key of linesOf(item)) keys.add(key);
    } else if (Array.isArray(item) && depth < 3) {
      for (const [index, child] of item.entries()) take(child, [...path, index], depth + 1);
    } else if (typeof item === "object" && depth < 3) {
      for (const [name, child] of Object.entries(item)) take(child, [...path, name], depth + 1);
    } else {
      unused.push(path);
    }
  };
  take(value ?? null, [], 0);
  return { keys: [...keys], unused };
}

function linesOf(text: string): readonly string[] {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}
