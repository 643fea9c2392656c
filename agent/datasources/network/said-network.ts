import type { Json } from "#core/canonical-json.ts";
import type { Finding } from "#core/finding.ts";
import { objectIn } from "../clouds/json-values.ts";

/** Places beside the datasource that may say the network of a machine, as the settings name them. */
export type LocalPlace = "kernel" | "initrd" | "settings";

/** What such a place says of the network. */
export interface SaidNetwork {
  /** In words for a person, which findings name: `kernel command line: network-config`. */
  readonly document: string;
  /** A network config; `undefined` where none is to be made of what others say. */
  readonly bytes: Uint8Array | undefined;
}

/** What was found at a place: nothing where it says nothing, or nothing that can be read. */
export interface LookedAt {
  readonly said?: SaidNetwork | undefined;
  readonly findings: readonly Finding[];
}

/** A place that says nothing. */
export const silent: LookedAt = { findings: [] };

/** What is the matter with a place, and in which of its lines. */
export interface Unreadable extends Pick<Finding, "message" | "hint"> {
  readonly line?: number | null;
  readonly column?: number | null;
}

/** A place that says what cannot be read: an error, and the next place is looked at. */
export function unreadable(document: string, problem: Unreadable): LookedAt {
  const about = { document, path: "", line: null, column: null, level: "error" } as const;
  return { findings: [{ ...about, code: "network/unreadable", ...problem }] };
}

/**
 * Whether a network config, with or without its `network` key, says something; or that there is to be
 * none. An empty one says nothing, and the next place is looked at.
 */
export function meaningOf(value: Json): "nothing" | "disabled" | "network" {
  const inner = objectIn(value)["network"] ?? value;
  const isEmpty = typeof inner === "object" && Object.keys(inner ?? {}).length === 0;
  if (isEmpty || inner === "" || inner === false || inner === 0) return "nothing";
  return objectIn(inner)["config"] === "disabled" ? "disabled" : "network";
}
