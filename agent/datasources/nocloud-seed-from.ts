import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { readSeed, type Seed } from "./nocloud-seed.ts";

/**
 * Reads the seed that meta-data points at with `seedfrom`: a directory of this machine, by path or
 * `file://`, or a pattern in which `%s` stands for the name of the file. Throws `datasource/missing`
 * for any other address: seeds are not fetched over the network.
 */
export function readSeedFrom(files: Files, seedFrom: string): Seed {
  const base = seedFrom.startsWith("file://") ? seedFrom.slice("file://".length) : seedFrom;
  if (!base.startsWith("/") || base.includes("__dmi.")) {
    throw new Fault(
      "datasource/missing",
      `seedfrom ${shown(seedFrom)}: only a directory of this machine is read`,
      {
        hint: "put the seed on a disk labelled CIDATA or into /var/lib/cloud/seed/nocloud",
      },
    );
  }
  const pattern = base.includes("%s") ? base : `${base.replace(/\/$/, "")}/%s`;
  const fileOf = (name: string) => pattern.replaceAll("%s", name);
  return readSeed(
    `seedfrom ${base}`,
    (file, maxBytes) => files.read(fileOf(file), { maxBytes }),
    () => files.list(base),
  );
}

/** An address as it may stand in a message: its scheme and host, nothing that may be a password. */
function shown(address: string): string {
  const parsed = URL.canParse(address) ? new URL(address) : undefined;
  return parsed === undefined ? "(no address)" : `${parsed.protocol}//${parsed.host}/…`;
}
