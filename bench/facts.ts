import { readFacts } from "#agent/facts/read-facts.ts";
import { framework13Amd7040 } from "#integration/machines/framework-13-amd-7040.ts";
import { type InProcess, measureInProcess } from "./in-process.ts";

/** Reading everything that a machine is. */
export function measureFacts(rounds: number): Promise<InProcess> {
  return measureInProcess(framework13Amd7040, rounds, readFacts);
}
