import { Fault } from "#core/fault.ts";
import { exitCodes, lastWords } from "./activation.ts";
import type { SwitchEnd } from "./commands.ts";
import type { Activation } from "./journal-record.ts";
import type { Machine } from "./machine.ts";
import { onceUnlocked } from "./switch.ts";
import type { Plan, Trial } from "./system.ts";
import type { Work } from "./work.ts";

/**
 * The name of the check by which NixOS itself looks at inhibitors.
 * https://github.com/NixOS/nixpkgs/blob/master/nixos/modules/system/activation/switchable-system.nix
 */
const inhibitorCheck = "switchInhibitors";
const maxValue = 200;

/** What a system says of being switched to, before anything is done. */
export interface SwitchWord {
  /** Why NixOS lets it be reached by a restart alone; empty where a switch may begin. */
  readonly inhibited: readonly string[];
  /** Its own checks before a switch, where one failed. */
  readonly refusal: Refusal | null;
  /** Why nobody could ask them, where that is so: it says nothing about the system. For a person. */
  readonly unasked: string | null;
}

/** How checks before a switch failed. */
export interface Refusal extends Pick<Trial, "exitCode"> {
  /** Names of those that did. */
  readonly checks: readonly string[];
  /** For a person, with the last words of the check. */
  readonly message: string;
}

const mayBegin: SwitchWord = { inhibited: [], refusal: null, unasked: null };

/**
 * Asks a system for what NixOS would ask it at the beginning of a switch. One that knows no such question
 * (before NixOS 25.05) is not held back, nor is one while another switch is under way: the activation
 * itself then says so.
 *
 * A check that fails is named (`Pre-switch check 'NAME' failed`), and the program ends with 1. It ends so
 * for much else as well: where it is no NixOS, where something of its environment is missing, where the
 * script with the checks could not be run or was killed (`Pre-switch checks failed` alone). None of that
 * is a word of the system's, so no release is refused for it.
 * https://github.com/NixOS/nixpkgs/blob/master/pkgs/by-name/sw/switch-to-configuration-ng/src/main.rs
 * https://github.com/NixOS/nixpkgs/blob/master/nixos/modules/system/activation/pre-switch-check.nix
 */
export async function askSwitch(work: Work, toplevel: string): Promise<SwitchWord> {
  const end = await onceUnlocked(work, () => work.commands.check(toplevel));
  if (work.signal.aborted) throw new Fault("system/canceled", "the question was called off");
  if (end.exitCode === 0 || end.exitCode === exitCodes.locked || knowsNoCheck(end)) return mayBegin;
  const checks = failedChecks(end.output);
  const changed = changedInhibitors(work.machine, toplevel);
  const hasSpoken = end.exitCode === exitCodes.refused && checks.length > 0;
  const isInhibited = hasSpoken ? checks.includes(inhibitorCheck) : changed.length > 0;
  if (!isInhibited) {
    return hasSpoken
      ? { ...mayBegin, refusal: refusalOf(end, checks) }
      : { ...mayBegin, unasked: howItEnded(end) };
  }
  const told = changed.length > 0 ? changed : ["its inhibitors are others"];
  return { ...mayBegin, inhibited: told.map((what) => `NixOS refuses to switch: ${what}`) };
}

/** Whether its usage is all that a system answered, and names no such action. */
function knowsNoCheck({ exitCode, output }: SwitchEnd): boolean {
  const actions = /^Usage: .*switch-to-configuration\S* \[([a-z|-]+)\]/m.exec(output)?.[1];
  return exitCode === exitCodes.refused && actions !== undefined && !/\bcheck\b/.test(actions);
}

/** They are asked one after the other, up to the first that fails. */
function failedChecks(output: string): readonly string[] {
  return [...output.matchAll(/^Pre-switch check '(.+)' failed$/gm)].flatMap(
    ([, name]) => name ?? [],
  );
}

/** Whether an activation came no further than to checks that could not be asked once more. */
export function isUnasked({ end, exitCode, message }: Activation): boolean {
  const namesCheck = /Pre-switch check '.+' failed$/m.test(message ?? "");
  return end === "refused" && exitCode === exitCodes.refused && !namesCheck;
}

function refusalOf({ exitCode, output }: SwitchEnd, checks: readonly string[]): Refusal {
  const words = `its own checks before a switch refuse it, and nothing was changed (exit code ${exitCode}): ${checks.join(", ")}`;
  return { exitCode, checks, message: `${words}\n${lastWords(output)}` };
}

function howItEnded({ exitCode, timedOut }: SwitchEnd): string {
  if (timedOut) return "they did not end within their deadline";
  return exitCode === null
    ? "they were killed"
    : `exit code ${exitCode}, and none of them is named`;
}

/** Inhibitors that both the running system and another one name, and that differ. */
function changedInhibitors(machine: Machine, toplevel: string): readonly string[] {
  const running = machine.running();
  if (running === null) return [];
  const [now, then] = [running, toplevel].map((system) => inhibitorsOf(machine, system));
  return [...(now ?? [])].flatMap(([name, before]) => {
    const after = then?.get(name);
    return after === undefined || after === before
      ? []
      : [`${name}: ${before.slice(0, maxValue)} -> ${after.slice(0, maxValue)}`];
  });
}

function inhibitorsOf(machine: Machine, system: string): ReadonlyMap<string, string> {
  try {
    const parsed: unknown = JSON.parse(machine.text(`${system}/switch-inhibitors`) ?? "{}");
    if (typeof parsed !== "object" || parsed === null) return new Map();
    const entries = Object.entries(parsed).filter(([, value]) => typeof value === "string");
    return new Map(entries as [string, string][]);
  } catch {
    return new Map(); // lines, as the first systems that had any wrote them
  }
}

/** The reasons of a change to be tried by a restart, with what NixOS says to a switch. */
export function withInhibitors(
  { needed, why }: Plan["reboot"],
  { inhibited }: SwitchWord,
): Plan["reboot"] {
  if (inhibited.length === 0) return { needed, why };
  return { needed: true, why: [...why, ...inhibited], switchRefused: true };
}
