import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
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
  const isNix = !isDry && files.stat(systemPaths(env).journal) !== undefined;
  const before = isDry ? "dry" : isNix ? "nix" : undefined;
  if (before === undefined || wanted === undefined || wanted === before) {
    return before ?? wanted ?? "nix";
  }
  throw new Fault(
    "system/other-driver",
    `${files.root}: this machine was changed with the driver ${before} before, and not with ${wanted}`,
    { hint: "leave --driver out, or give another directory with --root" },
  );
}
