import { existsSync, readFileSync, readlinkSync, statSync } from "node:fs";
import path from "node:path";
import { isFault } from "#core/fault.ts";
import { hostFiles } from "#core/host-files.ts";
import { readJournal } from "#provisioner/system/journal.ts";
import { emptyLedger, type Ledger } from "#provisioner/system/ledger.ts";
import { systemPaths } from "#provisioner/system/paths.ts";
import { hasAttempt } from "#provisioner/system/transaction-state.ts";
import { brokenFiles, chosenEntry, menuEntries } from "./boot-menu.ts";
import type { Container } from "./container.ts";

const paths = systemPaths({});
/** Every path that the system needs, read and compared with what the store knows of it. */
const verify = 'nix-store --query --requisites "$0" | xargs nix-store --verify-path';

/** What a machine has on its disk when the power is gone. */
export interface AfterCut {
  /** What is wrong with it; empty on a sound machine. */
  readonly problems: readonly string[];
  /** What the journal leaves open. */
  readonly open: string;
}

/** What was known before the power went. */
export interface BeforeCut {
  /** The system of the image. */
  readonly image: string;
  /** Text of the journal, as it was being written. */
  readonly journal: string;
  /** The newest generation that was said to be committed. */
  readonly told: number;
}

/** Text of a machine's journal as it is now. */
export function journalText(machine: Container): string {
  const file = machine.path(paths.journal);
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

/** The system that the boot loader starts without any wish, by its menu. */
export function defaultSystem(machine: Container): string {
  return menuEntries(machine)[0]?.system ?? "";
}

/** Looks at a machine that is off: would it boot, is its store whole, is anything lost? */
export async function afterCut(machine: Container, before: BeforeCut): Promise<AfterCut> {
  const { ledger, damage } = readLedger(machine);
  const profile = readProfile(machine);
  const system = defaultSystem(machine);
  const allowed = committedSystems(ledger, before.image);
  const open = ledger.state.state;
  const problems = [
    ...damage,
    ...lostRecords(machine, before.journal),
    ...wrongSystem(machine, "the boot default", system, allowed),
    ...wrongChoice(machine, ledger),
    ...wrongSystem(machine, "the profile", profile.system, allowed),
    ...(profile.generation >= before.told
      ? []
      : [`generation ${before.told} was committed, and ${profile.generation} is there`]),
  ];
  if (problems.length > 0) return { problems, open };
  const [byDefault] = menuEntries(machine);
  for (const entry of [byDefault, chosenEntry(machine)]) {
    if (entry !== undefined) problems.push(...brokenFiles(machine, entry));
  }
  for (const toplevel of new Set([system, profile.system])) {
    const { code, stderr } = await machine.runOffline(["sh", "-ec", verify, toplevel]);
    if (code !== 0)
      problems.push(`${toplevel}: ${stderr.trim().split("\n").slice(0, 5).join(" | ")}`);
  }
  return { problems, open };
}

function readLedger(machine: Container): {
  readonly ledger: Ledger;
  readonly damage: readonly string[];
} {
  try {
    const files = hostFiles(machine.path(""), () => {});
    return { ledger: readJournal(files, paths.journal).ledger, damage: [] };
  } catch (error) {
    if (!isFault(error)) throw error;
    return { ledger: emptyLedger, damage: [`the journal: ${error.message}`] };
  }
}

/** Every line but the last, which was perhaps being written, was on disk before anything followed it. */
function lostRecords(machine: Container, before: string): readonly string[] {
  const sure = before.split("\n").slice(0, -2).join("\n");
  return journalText(machine).startsWith(sure) ? [] : ["records of the journal are lost"];
}

/** What may be booted: the last committed system, and the one that is being committed or taken back. */
function committedSystems({ ended, state: open }: Ledger, image: string): readonly string[] {
  const last = ended.findLast(({ outcome }) => outcome === "committed");
  const isMoving = open.state === "committing" || open.state === "rolling-back";
  return [
    last?.attempt.closure.toplevel ?? image,
    ...(isMoving ? [open.attempt.closure.toplevel] : []),
  ];
}

/**
 * What is booted once beside the default is the system of a trial that is open, or the one that a first
 * boot goes back to; else none was ever chosen.
 */
function wrongChoice(machine: Container, { state: open, proof }: Ledger): readonly string[] {
  const system = chosenEntry(machine)?.system;
  if (system === undefined) return [];
  const isTrial = hasAttempt(open) && open.attempt.closure.toplevel === system;
  const isBack = proof !== null && !proof.proved && proof.previousGood.toplevel === system;
  if (isTrial || isBack) return [];
  return [`the next boot: ${system}, and neither a trial nor a first boot leads there`];
}

function wrongSystem(
  machine: Container,
  what: string,
  system: string,
  allowed: readonly string[],
): readonly string[] {
  if (!allowed.includes(system)) return [`${what}: ${system || "nothing"}, expected ${allowed}`];
  return ["init", "bin/switch-to-configuration"].flatMap((name) => {
    const file = machine.path(path.join(system, name));
    return existsSync(file) && statSync(file).size > 0 ? [] : [`${what}: ${name} is empty`];
  });
}

function readProfile(machine: Container): { readonly generation: number; readonly system: string } {
  const link = (file: string): string => {
    try {
      return readlinkSync(machine.path(file));
    } catch {
      return ""; // no link, or no longer one
    }
  };
  const name = link(paths.profile);
  const generation = Number(/^system-(\d+)-link$/.exec(name)?.[1] ?? -1);
  return { generation, system: link(path.join(paths.profiles, name)) };
}
