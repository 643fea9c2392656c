import { canonicalJson, type Json } from "#core/canonical-json.ts";

/** Two values of one option as one, where they can be: NixOS adds lists up, everything else has one value. */
export function joinValues(nearer: Json, farther: Json): Json | undefined {
  if (!Array.isArray(nearer) || !Array.isArray(farther)) return undefined;
  const known = new Set(farther.map(canonicalJson));
  return [...farther, ...nearer.filter((item) => !known.has(canonicalJson(item)))];
}
