import { toolsOf, type WitnessCall } from "./witness-calls.ts";

/** What the child is to do. */
export interface WitnessTask {
  readonly calls: readonly WitnessCall[];
  /**
   * Graphics waits for lspci and dmidecode inside of this process and stops everything else in it
   * while it does: it begins when the others are done, or when they have had this time.
   */
  readonly headStartMs: number;
}

/** The arguments that hand a task to the child, after its command. */
export function witnessArguments({ calls, headStartMs }: WitnessTask): readonly string[] {
  return [String(headStartMs), ...calls];
}

/** The task that arguments hand over; a name that is none of a reading is left out. */
export function witnessTask([headStart, ...names]: readonly string[]): WitnessTask {
  const milliseconds = Number(headStart);
  return {
    calls: (Object.keys(toolsOf) as WitnessCall[]).filter((call) => names.includes(call)),
    headStartMs: Number.isSafeInteger(milliseconds) && milliseconds > 0 ? milliseconds : 0,
  };
}
