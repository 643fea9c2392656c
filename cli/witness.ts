import { readWitness, type Witness } from "#agent/facts/witness.ts";
import type { Io } from "#core/io.ts";
import { thisProgram } from "./this-program.ts";

/** Asks the second witness: this same program again, with its hidden command. */
export function askWitness(io: Io, signal?: AbortSignal): Promise<Witness> {
  const argv = thisProgram("witness");
  return readWitness(io, { argv, ...(signal === undefined ? {} : { signal }) });
}
