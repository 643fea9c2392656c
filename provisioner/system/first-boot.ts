import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { Proof } from "./boot-proof.ts";
import type { OnceName } from "./loaders/loader.ts";
import type { SystemPaths } from "./paths.ts";
import { type Change, generationOf } from "./work.ts";

/**
 * What a first boot must know before anything but the store is there: links beside the GC roots, each
 * replaced at once and on the disk then. A system is called unproved from before it becomes the boot
 * default until firstlight runs in its first boot; `nixos/module.nix` compares the link with what was
 * booted.
 */
export interface FirstBootMarks {
  /** The system whose first boot it is. */
  readonly unproved: string;
  /** The system that is gone back to. */
  readonly proved: string;
  /** Whether that boot has begun. */
  readonly hasBegun: boolean;
  /** So often the machine was restarted to leave it, and came back with it. */
  readonly leavings: number;
  /** The boot in which they were written, which is no first one; `null` where an older firstlight wrote them. */
  readonly during: string | null;
  /** The boot default as that boot began, where it was another system; else `null`. */
  readonly byDefault: string | null;
}

/** So often a first boot is left by a restart: a loader that has not led back by then will not. */
export const mostLeavings = 2;

/** The part of {@link Work} that marks are read with. */
export interface MarksPlace {
  /** Of Nix's own directories. */
  readonly storeFiles: Files;
  readonly paths: Pick<SystemPaths, "firstBoot">;
}

const leavingNames = Array.from({ length: mostLeavings }, (_, index) => `left-${index + 1}`);
const progress = ["begun", "default", ...leavingNames];
const names = ["unproved", "next", ...progress, "proved", "during"];

/** Of a system that sees to its own first boot; the marks of another one nobody would ever remove. */
const unit = "etc/systemd/system/firstlight-first-boot.service";

/**
 * `undefined` where no first boot is to come or goes on. Until the loader knows of the next unproved system
 * both are marked: it is the one that was booted.
 */
export function readMarks(
  { storeFiles, paths }: MarksPlace,
  booted: string | null,
): FirstBootMarks | undefined {
  const read = (name: string) => storeFiles.readLink(`${paths.firstBoot}/${name}`);
  const [marked, next, proved, during = null] = ["unproved", "next", "proved", "during"].map(read);
  if (marked == null || proved == null) return undefined;
  const unproved = next != null && next === booted ? next : marked;
  return {
    ...{ unproved, proved, during },
    hasBegun: read("begun") === unproved,
    leavings: leavingNames.filter((name) => read(name) === unproved).length,
    byDefault: read("default") ?? null,
  };
}

/** What is known of a boot: its first one, one of another system after that had begun, or neither. */
export function firstBootNow(
  marks: FirstBootMarks | undefined,
  now: { readonly booted: string | null; readonly bootId: string },
): "is-it" | "after-it" | "neither" {
  if (marks === undefined || marks.during === now.bootId) return "neither";
  if (marks.unproved === now.booted) return "is-it";
  return marks.hasBegun ? "after-it" : "neither";
}

/** Whether marks are there that say nothing: whoever wrote or removed them was killed. */
export function hasStrayMarks(place: MarksPlace): boolean {
  const { storeFiles, paths } = place;
  return readMarks(place, null) === undefined && storeFiles.list(paths.firstBoot).length > 0;
}

/** What the marks say of this boot. */
export function firstBootAt(
  change: MarksPlace & Pick<Change, "machine">,
): { readonly now: "is-it" | "after-it"; readonly marks: FirstBootMarks } | undefined {
  const { machine } = change;
  const marks = readMarks(change, machine.booted());
  const now = firstBootNow(marks, { booted: machine.booted(), bootId: machine.bootId });
  return marks === undefined || now === "neither" ? undefined : { now, marks };
}

/** Whether a system is still to have a first boot, and sees to it. */
export function needsFirstBoot(
  { machine, storeFiles }: Pick<Change, "machine" | "storeFiles">,
  toplevel: string,
): boolean {
  return machine.booted() !== toplevel && isAble(storeFiles, toplevel);
}

function isAble(storeFiles: Files, toplevel: string): boolean {
  return storeFiles.stat(`${toplevel}/${unit}`) !== undefined;
}

/**
 * Marks a system that becomes the boot default and was not booted, where there is one to go back to; says so
 * where there is none. What is marked already stays as it is: its first boot may have begun, and have failed.
 */
export function markFirstBoot(change: Change, proof: Proof, by: BootedBy): void {
  const { machine, storeFiles, paths } = change;
  const { toplevel, proved, previousGood } = proof;
  const back = previousGood.toplevel;
  // Another kernel that was started by this one has met no boot loader.
  const wasBooted = machine.booted() === toplevel && by !== "kexec";
  if (proved || wasBooted || back === toplevel || !isAble(storeFiles, toplevel)) return;
  if (back === null || !machine.inStore(back) || generationOf(change, back) === null) {
    warnOfNoBack(change, proof);
    return;
  }
  const at = (name: string) => `${paths.firstBoot}/${name}`;
  const marks = readMarks(change, machine.booted());
  if (marks?.unproved === toplevel && marks.proved === back) return;
  if (marks !== undefined && !marks.hasBegun) {
    // The loader still starts the other one, which goes back there as well.
    if (marks.proved !== back) storeFiles.link(back, at("proved"));
    storeFiles.link(toplevel, at("next"));
    return;
  }
  clearMarks(change);
  storeFiles.link(machine.bootId, at("during"));
  storeFiles.link(back, at("proved"));
  storeFiles.link(toplevel, at("unproved"));
}

/** In a container nothing is booted by default. */
function warnOfNoBack({ settings, emit }: Change, { toplevel, previousGood }: Proof): void {
  if (!settings.systemd) return;
  const back = previousGood.toplevel;
  const why = back === null ? noBack : `there is no generation of ${back} any more`;
  const message = `${toplevel}: its first boot has no way back: ${why}`;
  emit({ type: "warning", code: "system/no-way-back", message });
}

/** Why a first boot has no way back where nothing was there that it could lead to. */
export const noBack = "no generation is left that was booted, and none that was proved";

/** The system that will be the unproved one as soon as the loader starts it. */
export function nextMarked({ storeFiles, paths }: MarksPlace): string | null {
  return storeFiles.readLink(`${paths.firstBoot}/next`) ?? null;
}

/** The loader starts this system from now on, and not one that was marked before it. */
export function followLoader(change: MarksPlace & Pick<Change, "machine">, toplevel: string): void {
  const { storeFiles, paths, machine } = change;
  const at = (name: string) => `${paths.firstBoot}/${name}`;
  if (storeFiles.readLink(at("next")) !== toplevel) return;
  storeFiles.link(machine.bootId, at("during"));
  storeFiles.link(toplevel, at("unproved"));
  storeFiles.remove(at("next"));
}

/** What booted a system that is committed, in the boot that goes on. */
export type BootedBy = OnceName | "default";

/**
 * Says that the first boot has begun: whoever is booted next knows that it was tried. So the loader starts it,
 * and one that was marked before it does not come any more.
 */
export function markBegun(place: MarksPlace, { unproved }: FirstBootMarks): void {
  const { storeFiles, paths } = place;
  storeFiles.link(unproved, `${paths.firstBoot}/begun`);
  if (nextMarked(place) !== unproved) return;
  storeFiles.link(unproved, `${paths.firstBoot}/unproved`);
  storeFiles.remove(`${paths.firstBoot}/next`);
}

/** Says which system is the boot default as the first boot of another one begins. */
export function markDefault({ storeFiles, paths }: MarksPlace, toplevel: string): void {
  const mark = `${paths.firstBoot}/default`;
  if (storeFiles.readLink(mark) !== toplevel) storeFiles.link(toplevel, mark);
}

/** Says that the machine is about to be restarted to leave the first boot. Throws what the disk does. */
export function markLeaving({ storeFiles, paths }: MarksPlace, marks: FirstBootMarks): void {
  const name = leavingNames[marks.leavings];
  if (name !== undefined) storeFiles.link(marks.unproved, `${paths.firstBoot}/${name}`);
}

/** Forgets that a first boot has begun: it was left for something else than the way back. */
export function unmarkBegun({ storeFiles, paths }: MarksPlace): void {
  for (const name of progress) storeFiles.remove(`${paths.firstBoot}/${name}`);
}

/** Words of the kernel's command line by which systemd comes up for a person. systemd(1), kernel-command-line(7). */
const forPerson =
  /^(?:emergency|rescue|single|-b|s|S|1|systemd\.unit=(?:emergency|rescue)\.target)$/;

/** Whether a person asked for this boot to end in a shell: nobody restarts them out of it. */
export function isForPerson(files: Files): boolean {
  const words = (files.readText("/proc/cmdline") ?? "").trim().split(/\s+/);
  return words.some((word) => forPerson.test(word));
}

/** Removes what was marked; the system of the first boot first. */
export function clearMarks({ storeFiles, paths }: MarksPlace): void {
  for (const name of names) storeFiles.remove(`${paths.firstBoot}/${name}`);
}

/**
 * Ends a first boot: the loader's choice is forgotten, `work` is done, the marks are removed. Killed before
 * the end, the next boot is a first boot again. Where the choice stays, that boot has not begun, so that
 * nobody takes the system for one that failed; gives back how that failed, or `null`.
 */
export async function endFirstBoot(
  place: MarksPlace,
  forget: () => Promise<void>,
  work: () => Promise<unknown> = async () => {},
): Promise<Fault | null> {
  let failure: Fault | null = null;
  try {
    await forget();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    failure = error;
  }
  await work();
  if (failure === null) clearMarks(place);
  else unmarkBegun(place);
  return failure;
}
