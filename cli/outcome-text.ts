import type { Outcome } from "#agent/outcome.ts";
import { adviceOf } from "#core/advice.ts";

/** How a boot ended, for a person, and what to do where it failed. */
export function outcomeText({ outcome, degraded, message, fault }: Outcome): string {
  const said = `${outcome}${degraded ? " (degraded)" : ""}: ${message}`;
  return fault === null ? said : `${said} [${fault.code}]\n  ${adviceOf(fault)}`;
}
