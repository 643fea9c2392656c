import type { Outcome } from "#agent/outcome.ts";
import { adviceOf } from "#core/advice.ts";

/**
 * How a boot ended, for a person, what to do where it failed, and when it is tried again by itself.
 * `ended` is the word for how it ended.
 */
export function outcomeText(
  { outcome, degraded, message, fault, triedAgainAt }: Outcome,
  ended: string = outcome,
): string {
  const said = `${ended}${degraded ? " (degraded)" : ""}: ${message}`;
  return [
    fault == null ? said : `${said} [${fault.code}]`,
    ...(fault == null ? [] : [`  ${adviceOf(fault)}`]),
    // A result of an earlier version does not say it.
    ...(triedAgainAt == null ? [] : [`  what was asked for is tried again at ${triedAgainAt}`]),
  ].join("\n");
}
