import { outsideOfSandbox } from "#provisioner/system/sides/outside.ts";
import type { Invocation } from "./command.ts";

/** Flag of commands that the shipped units run in a sandbox. */
export const sandboxOption = { sandboxed: { type: "boolean" } } as const;

/** Of a command's help. */
export const sandboxHelp =
  "With --sandboxed what needs the machine itself is run by systemd, outside of this unit's sandbox.";

/**
 * Programs that work in a sandbox with a network: they speak to a daemon, ask for a name, or are this
 * program again, the second witness.
 */
const inside = ["getent", "networkctl", "timedatectl", process.execPath];

/**
 * The invocation as its unit's sandbox wants it, where it has one: a command that a check of health
 * names, and `systemd-creds` with the machine's TPM, are run by systemd outside of it.
 */
export function inSandbox(invocation: Invocation): Invocation {
  if (invocation.flags["sandboxed"] !== true) return invocation;
  return { ...invocation, io: outsideOfSandbox(invocation.io, inside) };
}
