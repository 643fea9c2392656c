import type { SwitchEnd } from "./commands.ts";
import type { Activation } from "./journal-record.ts";

/** Exit codes of `switch-to-configuration`, in its Perl and its Rust form. */
export const exitCodes = {
  /** A check before the switch, the boot loader or the usage failed. */
  refused: 1,
  /** It runs, but a unit or a step of the activation failed. */
  degraded: 4,
  /** Another process holds its lock (EAGAIN). */
  locked: 11,
  /** Another init interface: only a reboot leads there. */
  rebootNeeded: 100,
} as const;

const untouched: readonly number[] = [exitCodes.refused, exitCodes.locked, exitCodes.rebootNeeded];
const maxMessageLines = 10;
const maxMessageLength = 2_000;

/** An activated system, and what ran before and after the activation. */
export interface ActivationSubject {
  readonly toplevel: string;
  readonly before: string | null;
  readonly after: string | null;
}

/**
 * What an activation came to, its exit code read beside what really runs afterwards. Its message is a
 * line that says what happened, and which units failed where it names any, and its last words.
 */
export function readActivation(
  { exitCode, timedOut, relayed, output }: SwitchEnd,
  { toplevel, before, after }: ActivationSubject,
): Activation {
  const runs = after === toplevel;
  const moved = before !== after;
  const words = meaning(exitCode, timedOut);
  const said = lastWords(output);
  const message = words === null ? null : said === "" ? words : `${words}: ${said}`;
  if (timedOut) return { end: "refused", exitCode: null, message, touched: true };
  if (exitCode === 0) return { end: "switched", exitCode, message, touched: true };
  if (exitCode !== null && untouched.includes(exitCode) && !moved) {
    const touched = relayed && exitCode === exitCodes.refused;
    return { end: "refused", exitCode, message, touched };
  }
  return { end: runs ? "degraded" : "refused", exitCode, message, touched: true };
}

/** Whether an activation was refused by whoever was to start it, and not by the system. */
export function isNobodys({ end, exitCode, touched }: Activation): boolean {
  return end === "refused" && exitCode === exitCodes.refused && touched;
}

/** Whether another switch was under way, so that it is worth trying again. */
export function lockHeld({ exitCode, relayed, output }: SwitchEnd): boolean {
  // By its words only where its code is lost: the log of a unit holds earlier tries as well.
  return exitCode === exitCodes.locked || (relayed && /Could not acquire lock/.test(output));
}

function meaning(exitCode: number | null, timedOut: boolean): string | null {
  if (timedOut) return "the activation did not end within its deadline and was stopped";
  switch (exitCode) {
    case 0:
      return null;
    case exitCodes.refused:
      return "the system refused the activation before anything was changed (exit code 1)";
    case exitCodes.degraded:
      return "activated, but a unit or a step of the activation failed (exit code 4)";
    case exitCodes.locked:
      return "another activation is under way (exit code 11)";
    case exitCodes.rebootNeeded:
      return "the system needs a reboot: its init interface is another (exit code 100)";
    case null:
      return "the activation was killed";
    default:
      return `the activation ended with exit code ${exitCode}`;
  }
}

/** How NixOS names the units that failed, before it shows the state of each in many lines. */
const namesUnits = /^warning: the following units failed: /;

/** The last lines that a program of a system wrote, and before them the one that names units that failed. */
export function lastWords(output: string): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const named = lines.findLast((line) => namesUnits.test(line));
  const others = lines.filter((line) => line !== named).slice(-maxMessageLines);
  if (named === undefined) return others.join("\n").slice(-maxMessageLength);
  const first = named.slice(0, maxMessageLength / 2);
  return [first, others.join("\n").slice(-maxMessageLength / 2)].join("\n").trimEnd();
}
