import type { KnownKey, MachineOfNode } from "./store.ts";

/** What the use of a known key means. */
export type Judgement =
  | { readonly kind: "same" }
  /** The machine says itself that it is another: a copy, which enrols anew. */
  | { readonly kind: "copy"; readonly why: string }
  /** Two machines cannot be told apart: neither goes on until a person has spoken. */
  | { readonly kind: "contested"; readonly why: string };

/**
 * Whether a known key is used by the machine that it was given to. An instance or hardware that is not known
 * on one side says nothing. A boot that is over cannot come again: where an older boot asks after a
 * newer one, two machines run with one identity. So they do where a key is used that has been replaced.
 */
export function judgeMachine({ node, isCurrent }: KnownKey, machine: MachineOfNode): Judgement {
  for (const [what, was, is] of [
    ["instance", node.machine.instanceId, machine.instanceId],
    ["hardware", node.machine.hardware, machine.hardware],
  ] as const) {
    if (was !== null && is !== null && was !== is)
      return { kind: "copy", why: `the key of ${node.name} was given to another ${what}` };
  }
  if (node.contested !== null) return { kind: "contested", why: node.contested };
  if (!isCurrent)
    return { kind: "contested", why: "a key was used that the node has replaced by another one" };
  const isOlderBoot = machine.bootId !== node.machine.bootId && node.boots.includes(machine.bootId);
  if (isOlderBoot) return { kind: "contested", why: "two boots use one key by turns" };
  return { kind: "same" };
}
