import { readFileSync } from "node:fs";
import { Fault } from "#core/fault.ts";

/** Bytes of a file named on the command line, `-` for stdin. Throws `cli/no-file`. */
export function readInput(name: string): Uint8Array {
  try {
    return readFileSync(name === "-" ? 0 : name);
  } catch (cause) {
    throw new Fault("cli/no-file", `${name}: cannot be read`, { cause });
  }
}
