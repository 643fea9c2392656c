import { readWitness, type Witness } from "#agent/facts/witness.ts";
import type { Io } from "#core/io.ts";

/** Asks the second witness: this same program again, with its hidden command. */
export function askWitness(io: Io, signal?: AbortSignal): Promise<Witness> {
  const [entry = ""] = process.argv.slice(1);
  const argv = [process.execPath, ...process.execArgv, entry, "witness"];
  return readWitness(io, { argv, ...(signal === undefined ? {} : { signal }) });
}
