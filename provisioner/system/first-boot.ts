import type { Files } from "#core/io.ts";
import type { Proof } from "./boot-proof.ts";
import type { SystemPaths } from "./paths.ts";
import type { Change, Work } from "./work.ts";

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
}

/** The part of {@link Work} that marks are read with. */
export interface MarksPlace {
  /** Of Nix's own directories. */
  readonly storeFiles: Files;
  readonly paths: Pick<SystemPaths, "firstBoot">;
}

const names = ["unproved", "begun", "proved"] as const;

/** Of a system that sees to its own first boot; the marks of another one nobody would ever remove. */
const unit = "etc/systemd/system/firstlight-first-boot.service";

/** `undefined` where no first boot is to come or goes on. */
export function readMarks({ storeFiles, paths }: MarksPlace): FirstBootMarks | undefined {
  const [unproved, begun, proved] = names.map((name) =>
    storeFiles.readLink(`${paths.firstBoot}/${name}`),
  );
  if (unproved === undefined || proved === undefined) return undefined;
  return { unproved, proved, hasBegun: begun === unproved };
}

/** What is known of a boot: its first one, one of another system after that had begun, or neither. */
export function firstBootNow(
  marks: FirstBootMarks | undefined,
  booted: string | null,
): "is-it" | "after-it" | "neither" {
  if (marks === undefined) return "neither";
  if (marks.unproved === booted) return "is-it";
  return marks.hasBegun ? "after-it" : "neither";
}

/** Marks a system that becomes the boot default and was not booted, where there is one to go back to. */
export function markFirstBoot(change: Change, { toplevel, proved, previousGood }: Proof): void {
  const { machine, storeFiles, paths } = change;
  const back = previousGood.toplevel;
  const isNeeded = !proved && machine.booted() !== toplevel && back !== toplevel;
  const isAble = storeFiles.stat(`${toplevel}/${unit}`) !== undefined;
  if (!isNeeded || !isAble || back === null || !machine.inStore(back)) return;
  const marks = readMarks(change);
  if (marks?.unproved === toplevel && marks.proved === back && !marks.hasBegun) return;
  clearMarks(change);
  storeFiles.link(back, `${paths.firstBoot}/proved`);
  storeFiles.link(toplevel, `${paths.firstBoot}/unproved`);
}

/** Says that the first boot has begun: whoever is booted next knows that it was tried. */
export function markBegun({ storeFiles, paths }: MarksPlace, { unproved }: FirstBootMarks): void {
  storeFiles.link(unproved, `${paths.firstBoot}/begun`);
}

/** Forgets that a first boot has begun: it was left for something else than the way back. */
export function unmarkBegun({ storeFiles, paths }: MarksPlace): void {
  storeFiles.remove(`${paths.firstBoot}/begun`);
}

/** Removes what was marked; the system of the first boot first. */
export function clearMarks({ storeFiles, paths }: Pick<Work, "storeFiles" | "paths">): void {
  for (const name of names) storeFiles.remove(`${paths.firstBoot}/${name}`);
}
