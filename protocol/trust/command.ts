import { Fault } from "#core/fault.ts";
import type { CommandMetadata } from "#generated/protocol/trust/command.ts";
import { validate } from "#generated/protocol/trust/command.validate.js";
import { requireNode, type TrustContext } from "./examine.ts";
import { trustLimits } from "./limits.ts";
import { checked, timeOf } from "./metadata.ts";
import { readUntrusted } from "./read-untrusted.ts";
import { delegatedSigners, requireThreshold } from "./threshold.ts";
import { requireFresh } from "./time.ts";
import type { TrustedState } from "./trusted.ts";

/** A command that was verified. */
export interface Command {
  readonly id: string;
  readonly name: CommandMetadata["signed"]["name"];
  readonly arguments: Readonly<Record<string, string | number | boolean>>;
  readonly issued: string;
  readonly expires: string;
}

/**
 * Verifies a command: signed by the director's keys, for this node, and not expired. That its id was
 * not seen before is for who keeps the ids. Pure. Throws `trust/malformed`, `trust/limit`,
 * `trust/threshold`, `trust/other-node`, `trust/expired`, `trust/clock-untrusted`.
 */
export function verifyCommand(
  trusted: TrustedState,
  offered: unknown,
  context: TrustContext,
): Command {
  const value = offered instanceof Uint8Array ? readUntrusted(offered) : offered;
  const command = checked<CommandMetadata>(validate, value, "command");
  const { signed } = command;
  const signers =
    trusted.targets === undefined ? undefined : delegatedSigners(trusted.targets, "director");
  if (signers === undefined) {
    throw new Fault("trust/threshold", "command: nobody has said yet whose commands count", {
      hint: "the node learns the director's keys with the first signed metadata that it takes",
    });
  }
  requireThreshold(command, signers, "command");
  requireNode("command", signed.node, context.node);
  const lifeMs = timeOf(signed.expires, "command") - timeOf(signed.issued, "command");
  if (lifeMs <= 0 || lifeMs > trustLimits.commandMs) {
    throw new Fault(
      "trust/malformed",
      `command: it counts for ${lifeMs / 1000} s where at most ${trustLimits.commandMs / 1000} s are taken`,
    );
  }
  requireFresh(signed, "command", trusted, context);
  const { id, name, issued, expires } = signed;
  return { id, name, arguments: signed.arguments ?? {}, issued, expires };
}
