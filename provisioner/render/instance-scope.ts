import { sha256 } from "#core/canonical-json.ts";

/** A name for all that belongs to one instance: of any text, as a file may have it. */
export function instanceScope(instanceId: string): string {
  return sha256(instanceId).slice(0, 16);
}
