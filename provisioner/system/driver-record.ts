import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import { checkJournal } from "./journal.ts";
import type { JournalRecord } from "./journal-record.ts";
import { systemPaths } from "./paths.ts";

/** How a machine is changed: real Nix, or a fake machine below a root that only says the commands. */
export type DriverName = "nix" | "dry";

/** Says that the machine below this root is a fake one; it is there before the first record of the journal. */
const markFile = "/var/lib/firstlight/dry-machine.json";

/** Remembers that this machine is a fake one. */
export function markDry({ files }: Io): void {
  if (files.stat(markFile) === undefined) files.write(markFile, prettyJson({ v: 1 }));
}

/**
 * The driver for a machine: what it was changed with before, or `wanted`, or `nix`. Throws
 * `system/other-driver` where the two are not the same: generations of one are nothing to the other.
 */
export function chooseDriver({ files, env }: Io, wanted: DriverName | undefined): DriverName {
  const isDry = files.stat(markFile) !== undefined;
  if (wanted === undefined) return isDry ? "dry" : "nix";
  const isOther = isDry ? wanted === "nix" : wanted === "dry" && isChanged(files, env);
  if (!isOther) return wanted;
  const before = isDry ? "dry" : "nix";
  throw new Fault(
    "system/other-driver",
    `${files.root}: this machine was changed with the driver ${before} before, and not with ${wanted}`,
    { hint: "leave --driver out, or give another directory with --root" },
  );
}

/** Whether real Nix has left anything here: builds that failed leave nothing behind. */
function isChanged(files: Files, env: Io["env"]): boolean {
  const { journal } = systemPaths(env);
  if (files.stat(journal) === undefined) return false;
  const { records, damage } = checkJournal(files, journal);
  return damage !== null || records.some((record) => !isFailedBuild(record));
}

function isFailedBuild(record: JournalRecord): boolean {
  if (record.kind === "checkpoint") return false;
  const isOfBuild = record.step === "build" || record.step === "abandon";
  return isOfBuild && !(record.kind === "result" && record.step === "build" && record.data.ok);
}
